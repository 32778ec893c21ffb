package clustertest

import (
	"fmt"
	"time"

	"github.com/usher-go/usher/kernel/kerneltest"
)

// Run runs the world until d has passed: everything that becomes due, also at the
// very end. It takes longer, in the world, if a call begins before and waits beyond.
func (w *World) Run(d time.Duration) {
	w.t.Helper()
	w.outside("Run", func() {
		end := w.now + d
		w.drive(end, func() bool { return false })
		w.advance(end)
	})
}

// RunUntil runs the world until cond is true, which is asked between any two events,
// but not longer than limit; it reports whether cond is.
func (w *World) RunUntil(cond func() bool, limit time.Duration) (met bool) {
	w.t.Helper()
	w.outside("RunUntil", func() {
		end := w.now + limit
		if met = w.drive(end, cond); !met {
			w.advance(end)
			met = cond()
		}
	})
	return met
}

// outside runs f where no handler does, and nothing that At was given.
func (w *World) outside(what string, f func()) {
	w.t.Helper()
	if w.running {
		panic(fmt.Sprintf("clustertest: %s where the world runs already, in a handler or a function of At; call it from the test", what))
	}
	w.running = true
	defer func() { w.running = false }()
	f()
}

// drive lets the world go on until stop says so; false when nothing is to come, or not
// in time.
func (w *World) drive(until time.Duration, stop func() bool) (stopped bool) {
	for {
		if stop() || w.settle(stop) {
			return true
		}
		next, ok := w.next()
		if !ok || next > until {
			return false
		}
		w.advance(next)
	}
}

// mostRounds is how often everybody may have a turn at one instant.
const mostRounds = 250_000

// settle runs what is due, in an order that the seed chooses, until nothing is, or
// until stop says so. Who is in the middle of a call of its own has no turn.
func (w *World) settle(stop func() bool) bool {
	w.t.Helper()
	idle := make(map[int]uint64) // who has had nothing to do since when
	for range mostRounds {
		before := w.did
		for _, who := range w.rand.Perm(2 + 2*len(w.machines)) {
			for idle[who] != w.did {
				if before := w.did; !w.turn(who) {
					idle[who] = before
					break
				}
				if w.did++; stop() {
					return true
				}
				if w.rand.Uint64()&1 == 0 {
					break
				}
			}
		}
		if w.did == before {
			return false
		}
	}
	w.t.Fatalf("clustertest: after %d rounds at one instant, %v, there is still something to do; does somebody send himself events for ever?", mostRounds, w.now)
	return true
}

// turn gives one of those who take part a turn, and reports whether there was
// anything to do.
func (w *World) turn(who int) bool {
	switch who {
	case 0:
		do, ok := w.agenda.take(w.now)
		if ok {
			do()
		}
		return ok
	case 1:
		return w.clock.Step()
	}
	m := w.machines[who/2-1]
	l := m.last()
	switch {
	case !m.up():
		return false
	case who%2 == 0:
		return l.waits == 0 && l.kernel.Step()
	}
	return l.transport != nil && l.transport.turn()
}

// next is when something will happen by itself. The timers of a machine that waits in
// a call count: its deadline may be among them.
func (w *World) next() (at time.Duration, ok bool) {
	sooner := func(t time.Duration) {
		if !ok || t < at {
			at, ok = t, true
		}
	}
	if len(w.agenda) > 0 {
		sooner(w.agenda[0].at)
	}
	if due, ok := w.clock.Next(); ok {
		sooner(due.Sub(kerneltest.Epoch))
	}
	for _, m := range w.machines {
		if !m.up() {
			continue
		}
		if due, ok := m.last().kernel.Next(); ok {
			sooner(m.clock.when(due.Sub(kerneltest.Epoch)))
		}
	}
	return at, ok
}

// advance moves all clocks on.
func (w *World) advance(to time.Duration) {
	w.now = max(w.now, to)
	w.clock.Skip(kerneltest.Epoch.Add(w.now))
	for _, m := range w.machines {
		if !m.last().over.Load() {
			m.setClock()
		}
	}
}

// longestCall is how long a call may wait in Drive.
const longestCall = time.Hour

// wait is Drive for one life of a machine.
func (w *World) wait(l *life, done func() bool) error {
	w.t.Helper()
	l.waits++
	inside := w.running
	w.running = true
	defer func() { l.waits--; w.running = inside }()
	over := func() bool { return l.over.Load() || !l.m.paused && done() }
	switch {
	case !w.drive(w.now+longestCall, over):
		return fmt.Errorf("clustertest: %s waits in a call: %w", l.m.name, ErrNothing)
	case l.over.Load():
		return fmt.Errorf("clustertest: %s waits in a call: %w", l.m.name, ErrCrashed)
	}
	return nil
}
