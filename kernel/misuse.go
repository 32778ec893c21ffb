package kernel

import (
	"fmt"
	"runtime"
	"strings"
)

// MisuseError is what a kernel with Config.Debug panics with when something is
// used where it must not be: a [Context] after its handler returned or on another
// goroutine, a wheel outside its owner's handlers, Run inside a handler. In a
// handler of that kernel the panic becomes an [Exception], as any other.
type MisuseError struct {
	Method  string  // what was called: "Context.Post"
	At      string  // from where: "greeter/greeter.go:31"
	Session Address // whose handler, or wheel, it is about
	Event   string  // what that handler handles, or handled; empty for a wheel
	Handler string  // where that handler is now, or "returned"; empty for a wheel, and if it is not known

	problem, remedy string
}

func (e *MisuseError) Error() string {
	at := ""
	if e.At != "" {
		at = " at " + e.At
	}
	return fmt.Sprintf("kernel: misuse: %s%s: %s; %s", e.Method, at, e.problem, e.remedy)
}

func newMisuse(s *session, event string) *MisuseError {
	method, at := caller()
	return &MisuseError{Method: method, At: at.String(), Session: s.addr, Event: event}
}

// check is the first thing that every method of Context does.
func (c *Context) check() {
	if c.guard != nil {
		c.verify()
	}
}

func (c *Context) verify() {
	over, here := c.guard.over.Load(), c.guard.self == self()
	if here && !over {
		return
	}
	e := newMisuse(c.s, c.ev.name)
	state := "still runs"
	if over {
		e.Handler, state = "returned", "has returned"
	} else if e.Handler = c.ch.whereabouts(); e.Handler != "" {
		state = "is in " + e.Handler
	}
	e.problem = fmt.Sprintf("the Context is for the handler of %q in session %s%s, which %s", c.ev.name, c.s.describe(), c.s.made(), state)
	if !here {
		e.problem += ", and not for this goroutine"
		if from := ancestry(); from != "" {
			e.problem += ", which was started at " + from
		}
	}
	e.remedy = "let the handler take a Lease (Context.Lease) and post through that, or keep its Address (Context.Self) for Kernel.Post"
	panic(e)
}

// check is for those methods of a wheel that belong in its owner's turn.
func (src *Source) check() {
	if src.s.k.debug != nil {
		src.verify()
	}
}

func (src *Source) verify() {
	if src.gone || src.s.runsHere() {
		return
	}
	e := newMisuse(src.s, "")
	e.problem = fmt.Sprintf("wheel %d (%s%s) belongs to session %s, and this is not one of its handlers",
		src.id, src.kind, src.made.made(), src.s.describe())
	e.remedy = "post an event to that session and use the wheel in the handler"
	panic(e)
}

// forbidInside panics in a handler: what is called there waits for handlers to return.
func (k *Kernel) forbidInside() {
	if k.debug == nil {
		return
	}
	c := k.inside()
	if c == nil {
		return
	}
	e := newMisuse(c.s, c.ev.name)
	e.Handler = e.At
	e.problem = fmt.Sprintf("this is inside the handler of %q in session %s%s, and would wait for that to return", c.ev.name, c.s.describe(), c.s.made())
	e.remedy = "call it where the kernel was made"
	panic(e)
}

// inside is the handler that this goroutine runs, nil outside of handlers.
func (k *Kernel) inside() *Context {
	here := self()
	if l := k.loop; l != nil {
		if l.token.holder.Load() != here {
			return nil
		}
		return l.ch.top()
	}
	k.calls.mu.Lock()
	defer k.calls.mu.Unlock()
	for _, ch := range k.calls.chains {
		if ch.self == here {
			return ch.top()
		}
	}
	return nil
}

// whereabouts is the function in which the chain's goroutine is now.
func (ch *chain) whereabouts() string {
	ch.k.calls.mu.Lock()
	gid := ch.gid
	ch.k.calls.mu.Unlock()
	return whereabouts(map[uint64]bool{gid: true})[gid]
}

// ancestry is where the current goroutine was started.
func ancestry() string {
	buf := make([]byte, 64<<10)
	return startedAt(string(buf[:runtime.Stack(buf, false)]))
}

// startedAt finds in a goroutine's stack, as the runtime prints it, the line of
// the go statement: "" for the main goroutine.
func startedAt(stack string) string {
	_, from, found := strings.Cut(stack, "\ncreated by ")
	if !found {
		return ""
	}
	_, at, _ := strings.Cut(from, "\n")
	at, _, _ = strings.Cut(strings.TrimSpace(at), " ")
	return short(at)
}
