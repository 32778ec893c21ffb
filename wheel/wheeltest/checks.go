package wheeltest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/usher-go/usher/kernel"
)

// check is one of the suite's; replays is set for one that needs a simulated kernel.
type check struct {
	name    string
	run     func(stage) error
	replays bool
}

var checks = []check{
	{"ends", ends, false},
	{"replays", replays, true},
	{"close", func(s stage) error { return s.atEvery(closes) }, false},
	{"close later", func(s stage) error { return s.atEvery(closesFar) }, false},
	{"stop", func(s stage) error { return s.atEvery(stops) }, false},
	{"kernel stop", func(s stage) error { return s.atEvery(stopsAll) }, false},
}

// on makes the check in every setting, and looks for what is left when all is over:
// what goes in its own time is waited for once.
func (c check) on(what Case, tempDir func() string) error {
	files := descriptors()
	var runs []run
	for _, s := range settings(what.Real) {
		if c.replays && s.mode != kernel.Simulated {
			continue
		}
		if err := c.run(stage{what, s, tempDir, &runs}); err != nil {
			return fmt.Errorf("%v: %w", s, err)
		}
	}
	for _, r := range runs {
		if err := r.left(); err != nil {
			return fmt.Errorf("%v: %v: %w", r.setting, r.plan, err)
		}
	}
	if more := until(func() []string { return make([]string, max(0, descriptors()-files)) }); len(more) > 0 {
		return fmt.Errorf("%d more descriptors than before %d runs", len(more), len(runs))
	}
	return nil
}

// alone leaves the wheel to itself.
var alone = plan{at: -1}

// ends: events, then CloseEvent, once and last; the session lives until then, and
// not longer.
func ends(s stage) error {
	o, err := s.play(alone)
	switch {
	case err != nil:
		return err
	case s.Endless > 0 && len(o.events) != s.Endless:
		return fmt.Errorf("the session ended after %s, and Endless is %d events; the wheel must hold it with Source.Watch", list(o.events), s.Endless)
	case s.Endless > 0:
		return nil
	case o.closed == 0:
		return fmt.Errorf("after %s the session ended without %s; the wheel must hold it with Source.Watch, and send %s when it ends", list(o.events), Closed, Closed)
	case len(o.events) < 2:
		return fmt.Errorf("%s is the only event; have Make bring about others, too, so that there is something to check", Closed)
	}
	return nil
}

// replays: the same seed gives the same events at the same times.
func replays(s stage) error {
	first, err := s.play(alone)
	if err != nil {
		return err
	}
	second, err := s.play(alone)
	if err != nil {
		return err
	}
	if !slices.Equal(first.events, second.events) {
		return fmt.Errorf("two runs differ: %s, and %s; does something wait on a goroutine, or read the system's clock?", list(first.events), list(second.events))
	}
	return nil
}

// mostEvents bounds how many events of a wheel are tried.
const mostEvents = 12

// atEvery does something in the handler that makes the wheel, and in that of each
// of its events: nothing comes after it, and nothing is left.
func (s stage) atEvery(do deed) error {
	for at := range mostEvents + 1 {
		p := plan{at, do}
		o, err := s.play(p)
		if err != nil {
			return fmt.Errorf("%v: %w", p, err)
		}
		if !o.done {
			return nil
		}
	}
	return nil
}

func list(events []string) string {
	if len(events) == 0 {
		return "no event"
	}
	return strings.Join(events, ", ")
}
