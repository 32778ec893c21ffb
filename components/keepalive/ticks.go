package keepalive

import (
	"iter"
	"slices"
	"time"

	"github.com/usher-go/usher/kernel"
)

const sweepEvery = time.Second

// ticks is when the pool has to look after the connections it has: one kernel
// timer for all, which is set anew only to come sooner. To set and remove one at
// each return and each loan would cost more than the rest of them.
type ticks struct {
	set      time.Time // when the kernel's timer comes; zero without
	sweeping bool      // set is at most a second away, because something is idle
	swept    time.Time
}

// wake has a tick come at a point in time, or before it.
func (p *keeper) wake(c *kernel.Context, now, at time.Time) {
	if p.ticks.set.IsZero() || at.Before(p.ticks.set) {
		p.ticks.set = at
		evTick.Delay(c, at.Sub(now), struct{}{})
	}
}

// expire has a connection that became idle leave after some time.
func (p *keeper) expire(c *kernel.Context, e *entry, a startTimer) {
	e.due, e.timer = p.due(a.after), a.timer
	p.wake(c, p.now(), e.due)
}

// due is when what begins now and lasts for so long ends; zero for NoLimit.
func (p *keeper) due(after time.Duration) (at time.Time) {
	if after != NoLimit {
		at = p.now().Add(after)
	}
	return at
}

// cover reports whether a connection that becomes idle until due needs no wake.
func (t *ticks) cover(due time.Time) bool {
	return t.sweeping && (due.IsZero() || !due.Before(t.set))
}

// watch has the idle connections looked at, from now on, once a second.
func (p *keeper) watch(c *kernel.Context) {
	if !p.ticks.sweeping {
		now := c.Now()
		p.ticks.sweeping, p.ticks.swept = true, now
		p.wake(c, now, now.Add(sweepEvery))
	}
}

// rest lets the pool end at once when it has nothing to look after. Lending the
// last idle connection does not call it: it may soon be back.
func (p *keeper) rest(c *kernel.Context) {
	if !p.ticks.set.IsZero() && len(p.table.idle) == 0 && p.leakDue().IsZero() {
		p.ticks.set, p.ticks.sweeping = time.Time{}, false
		c.AlarmClear(evTick.Name())
	}
}

func (p *keeper) tick(c *kernel.Context, _ struct{}) error {
	now := c.Now()
	p.ticks.set = time.Time{}
	if err := p.endIdle(c, now); err != nil {
		return err
	}
	if p.ticks.sweeping && now.Sub(p.ticks.swept) >= sweepEvery {
		p.ticks.swept = now
		if err := p.sweep(c); err != nil {
			return err
		}
	}
	p.reportLeaks(now)
	p.next(c, now)
	return nil
}

// next sets the tick after this one.
func (p *keeper) next(c *kernel.Context, now time.Time) {
	first := p.leakDue()
	sooner := func(at time.Time) {
		if first.IsZero() || at.Before(first) {
			first = at
		}
	}
	for e := range p.idle() {
		if !e.due.IsZero() {
			sooner(e.due)
		}
	}
	p.ticks.sweeping = len(p.table.idle) > 0
	if p.ticks.sweeping {
		sooner(p.ticks.swept.Add(sweepEvery))
	}
	if !first.IsZero() {
		p.wake(c, now, first)
	}
}

// endIdle tells the table whose idle time is over.
func (p *keeper) endIdle(c *kernel.Context, now time.Time) error {
	for e := range p.idle() {
		if !e.due.IsZero() && !e.due.After(now) {
			if err := p.apply(c, timeUp{e.timer}); err != nil {
				return err
			}
		}
	}
	return nil
}

// sweep looks whether idle connections still stand, so that a peer's close is
// noticed without a goroutine for each of them.
func (p *keeper) sweep(c *kernel.Context) error {
	for e, id := range p.idle() {
		if e.look() != clean {
			if err := p.apply(c, readable{id}); err != nil {
				return err
			}
		}
	}
	return nil
}

// idle goes through the connections that are idle, longest first; those that have
// left when their turn comes are left out.
func (p *keeper) idle() iter.Seq2[*entry, connID] {
	return func(yield func(*entry, connID) bool) {
		for _, t := range slices.Clone(p.table.idle) {
			if e := p.conns[t.id]; e != nil && e.loan == nil && !yield(e, t.id) {
				return
			}
		}
	}
}
