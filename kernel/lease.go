package kernel

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// Lease keeps a session alive and posts to it, from any goroutine, until it is
// released. Forgetting one keeps the session for ever; a lease that is dropped
// unreleased is released when the garbage collector finds it, and reported.
type Lease struct{ g *grip }

// grip is what a lease holds, apart from it, so that the collector can tell
// when nobody has the lease any more.
type grip struct {
	s     *session
	tag   string
	made  *site
	cause uint64 // of what is posted through it
	gone  atomic.Bool
}

func (g *grip) release() {
	if g.gone.CompareAndSwap(false, true) {
		k := g.s.k
		k.leases.remove(g)
		g.s.unhold(HoldLease, g.tag) // first: its end must not be overtaken by IDLE
		k.active.Add(-1)
		k.recheck()
	}
}

// lost is release by the garbage collector.
func (g *grip) lost() {
	if !g.gone.Load() {
		g.s.k.Report("kernel", "lease dropped without Release", fmt.Errorf("lease %q on session %s%s", g.tag, g.s.describe(), g.made.made()))
		g.release()
	}
}

// Lease takes a lease on this session. tag shows in Explain.
func (c *Context) Lease(tag string) *Lease { c.check(); return c.k.newLease(c.s, tag, c.ev.seq) }

// LeaseOn takes a lease on another session. Like Call it may wait while other chains
// run that session, and has its errors: ErrNoSession, ErrStopped, ErrDeadlock,
// ErrTimeout, in a *PostError.
func (c *Context) LeaseOn(to Address, tag string) (*Lease, error) {
	c.check()
	l, err := c.leaseOn(to, tag)
	if err != nil {
		return nil, c.refuse("LeaseOn", postError(to, "", nil, err))
	}
	return l, nil
}

func (c *Context) leaseOn(to Address, tag string) (*Lease, error) {
	k, ch, t := c.k, c.ch, c.resolve(to)
	if t == nil {
		return nil, ErrNoSession
	}
	if !ch.holds(t) { // with its token nobody can find it unheld
		if !ch.take(t) {
			if err := k.calls.acquire(context.Background(), ch, t); err != nil {
				return nil, err
			}
		}
		defer ch.settle(t)
	}
	if t.dead || t.stopping || t.down() {
		return nil, ErrStopped
	}
	return k.newLease(t, tag, c.ev.seq), nil
}

func (k *Kernel) newLease(s *session, tag string, cause uint64) *Lease {
	g := &grip{s: s, tag: tag, made: k.site(), cause: cause}
	k.active.Add(1)
	s.hold(HoldLease, tag)
	k.leases.add(g)
	l := &Lease{g}
	runtime.AddCleanup(l, (*grip).lost, g)
	return l
}

// Post sends an event to the leased session, as Kernel.Post does. ErrStopped
// after Release.
func (l *Lease) Post(event string, args ...any) error {
	s, err := l.g.s, ErrStopped
	if !l.g.gone.Load() {
		ev := newEvent(event, nil, args)
		ev.cause = l.g.cause
		err = s.k.postOutside(s, &ev)
	}
	if err != nil {
		return s.k.obs.refuse(nil, "Lease.Post", postError(s.addr, event, args, err))
	}
	return nil
}

// Address returns the leased session's ID.
func (l *Lease) Address() Address { return l.g.s.addr }

// Release ends the lease. More than once does no harm.
func (l *Lease) Release() { l.g.release() }

// leases are the live grips of each session: for Explain, and for its end.
type leases struct {
	mu sync.Mutex
	of map[*session]map[*grip]struct{}
}

func (t *leases) add(g *grip) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.of == nil {
		t.of = make(map[*session]map[*grip]struct{})
	}
	m := t.of[g.s]
	if m == nil {
		m = make(map[*grip]struct{})
		t.of[g.s] = m
	}
	m[g] = struct{}{}
}

func (t *leases) remove(g *grip) {
	t.mu.Lock()
	defer t.mu.Unlock()
	m := t.of[g.s]
	delete(m, g)
	if len(m) == 0 {
		delete(t.of, g.s)
	}
}

// lines are for Explain, sorted.
func (t *leases) lines(s *session) []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var list []string
	for g := range t.of[s] {
		list = append(list, fmt.Sprintf("lease %q%s", g.tag, g.made.made()))
	}
	slices.Sort(list)
	return list
}

// forgetLeases makes a dead session's leases void; what they held the kernel with goes.
func (k *Kernel) forgetLeases(s *session) {
	k.leases.mu.Lock()
	m := k.leases.of[s]
	delete(k.leases.of, s)
	k.leases.mu.Unlock()
	for g := range m {
		if g.gone.CompareAndSwap(false, true) {
			s.letGo(HoldLease, g.tag)
			k.active.Add(-1)
		}
	}
}

// Postback is an event in the shape of a function: Call posts it (K152). It holds
// its session until Release.
type Postback struct {
	lease *Lease
	event string
	args  []any
}

// Postback makes one for this session. Each Call posts event with two arguments:
// the []any of args, and the []any of what Call was given.
func (c *Context) Postback(event string, args ...any) *Postback {
	c.check()
	return &Postback{c.Lease(fmt.Sprintf("postback %q", event)), event, append([]any(nil), args...)}
}

// Call posts the event, from any goroutine. ErrStopped after Release.
func (p *Postback) Call(args ...any) error {
	return p.lease.Post(p.event, p.args, append([]any(nil), args...))
}

// Release ends the postback's hold on its session (K153).
func (p *Postback) Release() { p.lease.Release() }
