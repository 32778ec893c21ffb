package kernel

import (
	"context"
	"log/slog"
	"runtime/pprof"
	"strconv"
	"sync/atomic"
)

// debugging is what a kernel with Config.Debug does besides. Without it the
// pointer to it is nil, and that is all that anybody has to look at.
type debugging struct {
	label string // the kernel's number, in the labels of goroutines
}

var debugKernels atomic.Uint64

func newDebug() *debugging {
	return &debugging{strconv.FormatUint(debugKernels.Add(1), 10)}
}

// sessionDebug is what a session has with Config.Debug.
type sessionDebug struct {
	made    *site                   // where it was spawned
	current atomic.Pointer[Context] // of its handler that runs
	labels  context.Context         // of the goroutines that run its handlers; token
}

func (d *debugging) session(k *Kernel) *sessionDebug {
	if d == nil {
		return nil
	}
	return &sessionDebug{made: k.site()}
}

// made says where the session was spawned, if that is known.
func (s *session) made() string {
	if s.debug == nil {
		return ""
	}
	return s.debug.made.made()
}

// guard watches one Context.
type guard struct {
	self   uintptr     // the goroutine that runs the handler
	over   atomic.Bool // the handler has returned
	before *Context    // of the same session: what called this one, directly or not
}

// begin makes a Context that no other handler gets.
func (d *debugging) begin(ch *chain, s *session) *Context {
	c := &Context{k: ch.k, s: s, ch: ch, guard: &guard{self: self(), before: s.debug.current.Load()}}
	s.debug.current.Store(c)
	if ch.self != c.guard.self { // the loop's chain goes with the token
		ch.k.calls.mu.Lock()
		ch.gid, ch.self = goroutineID(), c.guard.self
		ch.k.calls.mu.Unlock()
	}
	pprof.SetGoroutineLabels(d.labels(s))
	return c
}

// end leaves the Context as it is, to whoever still has it: he may be reading it.
func (d *debugging) end(c *Context) {
	c.ch.frames[c.ch.depth] = &Context{k: c.k, ch: c.ch}
	c.guard.over.Store(true)
	c.s.debug.current.Store(c.guard.before)
	labels := context.Background()
	if caller := c.ch.top(); caller != nil {
		labels = d.labels(caller.s)
	}
	pprof.SetGoroutineLabels(labels)
}

// top is the innermost handler of the chain.
func (ch *chain) top() *Context {
	if ch.depth == 0 {
		return nil
	}
	return ch.frames[ch.depth-1]
}

// runsHere reports whether s's handler is what this goroutine runs, and not a
// handler that it has called.
func (s *session) runsHere() bool {
	c := s.debug.current.Load()
	return c != nil && c.guard.self == self() && c.ch.top() == c
}

// The labels of a goroutine that runs a handler. Those that it starts inherit them.
const (
	kernelLabel  = "usher_kernel"
	sessionLabel = "usher_session"
)

func (d *debugging) labels(s *session) context.Context {
	if s.debug.labels == nil {
		set := pprof.Labels(kernelLabel, d.label, sessionLabel, s.addr.String())
		s.debug.labels = pprof.WithLabels(context.Background(), set)
	}
	return s.debug.labels
}

// replaced warns of a handler that takes the place of another (K75).
func (c *Context) replaced(event string) {
	if c.k.debug != nil && c.k.obs.first("replaced "+event) {
		slog.Warn("usher: State replaces a handler that State had set; remove that one first (State with nil) if this is meant",
			"event", event, "session", c.s.describe(), "at", c.k.site().String(), "note", "further ones are not logged")
	}
}
