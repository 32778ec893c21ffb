// Package session says which handler answers which event.
//
//	const Greet kernel.Event[string] = "greet"
//
//	s := session.New(
//		session.Handle("_start", func(c *kernel.Context) error { return c.AliasSet("host") }),
//		session.On(Greet, func(c *kernel.Context, name string) error {
//			fmt.Println("hello", name)
//			return nil
//		}),
//	)
//	addr, err := k.Spawn(s)
//
// # Which handler
//
// An event goes to the handler that Context.State set for it, else, unless State
// removed it, to the one the session was made with, else to "_default" with two
// arguments: the event's name and the []any of its arguments. Without any of them
// it is unhandled: the observer hears of a posted one, a caller gets
// kernel.ErrNoHandler. "_start" is never redirected to _default (K73); the
// kernel's own events need no handler.
//
// # State machines
//
// A [Machine] is in one of several states, each with a table of its own; handlers
// move it from state to state.
//
//	d := &door{}
//	d.m = session.NewMachine("closed",
//		session.In("closed", session.On(Push, d.open)),
//		session.In("open",
//			session.Handle("_enter", d.wait), // sets the timer "shut"
//			session.Handle("shut", d.shut),   // return d.m.Goto(c, "closed", "")
//		),
//		session.On(Query, d.answer), // in every state
//	)
//	addr, err := k.Spawn(d.m)
//
// An event goes to its handler in the current state, else to the one that
// Context.State set, else to the machine-wide one, else to _default, looked for in
// the same order (N17). What is left is a failure, which names event and state, or
// the caller's kernel.ErrNoHandler (N18): give a state a _default to ignore what it
// does not know. _child and _parent need no handler; _stop needs none and never
// goes to _default.
//
// These names are special:
//
//	_start    machine-wide only: before the first state
//	_enter    after each entry, with the transition's arguments
//	_leave    before the state is left, without; an error keeps the machine there
//	_goto, _push, _return, _halt
//	          the machine's own, which Goto, Push, Return and Stop post to it; a
//	          handler that fails on the way is a failure of these
//
// Transitions wait their turn like any event: what is queued before is handled in
// the old state. In parallel and simulated mode the place of what other sessions
// post meanwhile is open, as ever (G2). GotoNow, PushNow and ReturnNow do not wait.
//
// # Lifetime and goroutines
//
// A *Session may be spawned more than once: its table is read only, and what its
// handlers share is theirs to guard. A *Machine is spawned once; a second time is an
// error, so kernel.Supervise needs a new one for each life, which starts in the
// first state: a transition that the one before it had queued is void. Its methods
// are for handlers of its session, but for Current and Mermaid, which any goroutine
// may call. Everything else is the kernel's business, see the documentation of
// package kernel.
//
// # Errors
//
// A typed handler whose event came with another type returns an error that wraps
// kernel.ErrArgument. New, In and NewMachine panic on a table that can only be a
// mistake: an empty name, a nil handler, two handlers for one event, a state that is
// not there. Transitions return what wraps ErrNoState, ErrNoReturn, ErrTransition,
// kernel.ErrNoHandler (an entry event without a handler) or kernel.ErrArgument (used
// by another session).
package session
