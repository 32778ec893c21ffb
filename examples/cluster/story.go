package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/usher-go/usher/kernel"
)

// longGap is how long a customer may wait for an answer before it is worth a word.
const longGap = 500 * time.Millisecond

// story is what is told of a day in the shop.
type story struct {
	began time.Time

	carts    map[string]Receipt   // the last of each customer
	heard    map[string]time.Time // when that was
	moved    map[string]Receipt   // the last one under a token that is over
	calls    int
	recent   int // of these, since the last look
	again    int
	longest  time.Duration
	troubles []error
}

func newStory() story {
	return story{began: time.Now(), carts: map[string]Receipt{}, heard: map[string]time.Time{}, moved: map[string]Receipt{}}
}

// say prints a line.
func (s *story) say(format string, args ...any) {
	fmt.Printf("%5.1f s  %s\n", time.Since(s.began).Seconds(), fmt.Sprintf(format, args...))
}

func (s *story) trouble(err error) {
	s.say("WRONG: %v", err)
	s.troubles = append(s.troubles, err)
}

// answer is what a customer tells of one.
type answer struct {
	name string
	Receipt
	gap time.Duration // since the answer before
}

// hear takes an answer; it speaks of one that comes late, or from elsewhere.
func (s *story) hear(a answer, open bool, now time.Time) {
	old := s.carts[a.name]
	s.carts[a.name], s.heard[a.name] = a.Receipt, now
	s.calls++
	s.recent++
	if !open {
		return
	}
	s.longest = max(s.longest, a.gap)
	if a.Epoch != old.Epoch {
		s.moved[a.name] = old
		s.say("%s had no answer for %d ms; the cart went from %s to %s, with %d items", a.name, a.gap.Milliseconds(), old.Node, a.Node, a.Items)
	} else if a.gap >= longGap {
		s.say("%s had no answer for %d ms", a.name, a.gap.Milliseconds())
	}
}

func (s *story) asked(_ *kernel.Context, err error) error {
	s.again++
	return nil
}

// where is who has which cart.
func (s *story) where() string {
	on := map[string][]string{}
	for _, name := range customers {
		node := s.carts[name].Node
		on[node] = append(on[node], name)
	}
	var parts []string
	for node, names := range on {
		parts = append(parts, node+": "+strings.Join(names, " "))
	}
	slices.Sort(parts)
	return strings.Join(parts, " · ")
}

// look tells each second how it goes.
func (s *story) look(c *kernel.Context) error {
	var waiting []string
	for _, name := range customers {
		if c.Now().Sub(s.heard[name]) > longGap {
			waiting = append(waiting, name)
		}
	}
	line := fmt.Sprintf("%5d calls/s", s.recent)
	if s.recent = 0; len(waiting) > 0 {
		line += "; no answer for " + strings.Join(waiting, " ")
	}
	s.say("%s", line)
	c.Delay("look", time.Second)
	return nil
}

func (m *manager) summary() string {
	s := fmt.Sprintf("%d items for %d customers, each promised and in its cart once; %d times asked again; longest gap %d ms",
		m.calls, len(customers), m.again, m.longest.Milliseconds())
	if m.replaced {
		s += "; " + victim + " was killed and replaced"
	}
	if n := len(m.troubles); n > 0 {
		s = fmt.Sprintf("%d things went wrong", n)
	}
	return s
}
