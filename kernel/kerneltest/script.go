package kerneltest

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/usher-go/usher/kernel"
)

// Script is a session that expects events in a given order and does to each what
// its step says:
//
//	k.Spawn(kerneltest.Script(t,
//		kerneltest.Expect("line", "hello").Reply("line", "hello yourself"),
//		kerneltest.Expect("size").Return(5),
//		kerneltest.Expect("closed", io.EOF),
//	), kernel.Alias("client"))
//
// An event that is not the next one fails t, and so does the end of the test
// while steps are left; both say what came and what was left. After the first
// failure the script lets everything pass. Of the kernel's own events (_start,
// _stop, _child, _parent) those are expected, in their place, that a step names;
// the others pass.
//
// One Script may be the receiver of several sessions: then its steps are in order
// across all of them. It is safe in parallel mode.
func Script(t testing.TB, steps ...*Step) kernel.Receiver {
	t.Helper()
	p := &script{t: t, steps: steps, named: make(map[string]bool)}
	for _, s := range steps {
		if s.times < 1 {
			t.Fatalf("kerneltest: %v has Times(%d); want 1 or more", s, s.times)
		}
		p.named[s.event] = true
	}
	t.Cleanup(p.end)
	return p
}

type script struct {
	t     testing.TB
	named map[string]bool // events that a step names

	mu     sync.Mutex
	steps  []*Step
	at     int // the step that is next
	seen   int // how often it was met already
	came   []string
	failed bool
}

var _ kernel.Receiver = (*script)(nil)

// Receive meets the next step.
func (p *script) Receive(c *kernel.Context) error {
	step := p.next(c)
	if step == nil {
		return nil
	}
	return step.play(c)
}

// next returns the step that the event meets, nil if there is nothing to do.
func (p *script) next(c *kernel.Context) *Step {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failed || passes[c.Event()] && !p.named[c.Event()] {
		return nil
	}
	came := describe(c.Event(), c.Args())
	if p.at == len(p.steps) {
		p.fail("session %v got %s from %v after the last step", c.Self(), came, c.Sender())
		return nil
	}
	step := p.steps[p.at]
	if !step.matches(c.Event(), c.Args()) {
		p.fail("session %v got %s from %v, and step %d of %d is %v", c.Self(), came, c.Sender(), p.at+1, len(p.steps), step)
		return nil
	}
	p.came = append(p.came, came)
	if p.seen++; p.seen == step.times {
		p.at, p.seen = p.at+1, 0
	}
	return step
}

// passes are the kernel's own events.
var passes = map[string]bool{"_start": true, "_stop": true, "_child": true, "_parent": true}

// end is called when the test is over.
func (p *script) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.failed && p.at < len(p.steps) {
		p.fail("the test ended before step %d of %d, %v", p.at+1, len(p.steps), p.steps[p.at])
	}
}

// fail is called with the lock.
func (p *script) fail(format string, args ...any) {
	p.t.Helper()
	p.failed = true
	var left []string
	for _, s := range p.steps[p.at:] {
		left = append(left, s.String())
	}
	p.t.Errorf("script: %s\n  came: %s\n  left: %s", fmt.Sprintf(format, args...), list(p.came), list(left))
}

// list shortens what is too long for anybody to read.
func list(lines []string) string {
	const most = 20
	switch n := len(lines); {
	case n == 0:
		return "nothing"
	case n > most:
		return fmt.Sprintf("%d others, %s", n-most, strings.Join(lines[n-most:], ", "))
	}
	return strings.Join(lines, ", ")
}

// describe shows an event as people write it.
func describe(event string, args []any) string {
	text := fmt.Sprintf("%q", event)
	for _, a := range args {
		switch a := a.(type) {
		case nil, bool, int, error:
			text += fmt.Sprintf(" %v", a)
		case string:
			text += fmt.Sprintf(" %q", a)
		case anyArgument:
			text += " any"
		default:
			if isPredicate(reflect.ValueOf(a)) {
				text += fmt.Sprintf(" %T", a)
			} else {
				text += fmt.Sprintf(" %T(%v)", a, a)
			}
		}
	}
	return text
}
