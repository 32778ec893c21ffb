// Package kernel delivers named events to sessions, one at a time to each, in order.
//
//	const Tick kernel.Event[int] = "tick"
//
//	k := kernel.New(kernel.Config{})
//	k.Spawn(session.New(
//		session.Handle("_start", func(c *kernel.Context) error { return Tick.Yield(c, 1) }),
//		session.On(Tick, func(c *kernel.Context, n int) error {
//			if n < 3 {
//				Tick.Delay(c, time.Second, n+1)
//			}
//			return nil // nothing is left that could wake it: the session stops
//		}),
//	))
//	err := k.Run(context.Background()) // returns when no session is left
//
// # Sessions
//
// A session is state and what it does with events: a [Receiver], usually made by
// package session from a table of handlers. Handlers of one session never
// overlap, so its state needs no lock. An event is a name and arguments. It is
// posted (Post, Yield: queued, handled later), called (Call: handled now, with an
// answer), or set for a time (Delay, Alarm). A handler works through its
// [Context], which is valid only inside it.
//
// The kernel itself sends: _start, the first event, with what [Args] gave; _stop,
// the last; _child ("create", "gain" or "lose", the child's Address, a value) to
// parents; _parent (old, new) to children; and signals to who watches them. None
// of them needs a handler.
//
// A session is named by its ID ("#42") and by any number of aliases ("logger");
// see [Address].
//
// # What keeps a session alive
//
// A session lives as long as something could still wake it: an event queued for
// it, or one that it sent and that is still queued; a timer; a watching wheel; a
// [Lease] or [Postback]; a child session; a watched process; an alias; and, while
// it is new, its creator's handler (or, spawned from outside, the time until
// Run). Signal watches and [Context.Monitor] do not hold. When nothing holds it,
// it gets _stop, its parent gets _child "lose", and its names end. [Kernel.Explain]
// says what holds a session.
//
// When nothing can happen in the whole kernel (no events, timers, leases, watches
// or processes), sessions that live by aliases or children only would wait for
// ever. The kernel then sends the signal IDLE to all, which stops them unless one
// handles it; if one does and nothing comes of it, ZOMBIE stops all.
//
// # Signals
//
// A signal goes to a session and its descendants, or to everyone, deepest first.
// Those that watch it ([Context.Sig]) are called; then, if it is terminal (HUP,
// INT, QUIT, TERM, KILL, IDLE, DIE) and nobody called [Context.SigHandled], all
// that it reached are stopped, watching or not. ZOMBIE and UIDESTROY stop in any
// case; all other names stop nobody. In parallel mode a signal waits for watching
// sessions that are busy and for its handlers to return; others pass it meanwhile,
// those of its name do not.
//
// # Failure
//
// The error of a called handler is the caller's, that of _start is Spawn's. An
// error of any other handler, and any panic, raises the signal DIE with an
// [*Exception]: first to the descendants of the session that failed, then to
// itself, then to its parents. Unhandled, it stops the kernel, and Run returns
// the exception. A failure in _stop cannot be handled. runtime.Goexit in a
// handler (testing's FailNow) is a failure like a panic, and ends its goroutine.
//
// # Modes
//
// The same handlers run in three ways. [Parallel] uses all cores; a handler that
// blocks harms no session but its own. [Serial] is POE's order: one event at a
// time in the whole kernel, the oldest first, timers and posts in one line; a
// handler that blocks blocks all. [Simulated] is serial in an order that a seed
// chooses, with a clock that jumps; package kerneltest makes one for tests.
//
// # Goroutines
//
// Methods of [Kernel], [Lease] and [Postback] are for any goroutine. Those of
// Context are for the handler's own, while it runs; a goroutine that works for a
// session takes a Lease, posts its results, and watches [Context.Done]. Spawn and
// Call run handlers on the calling goroutine. In serial mode they wait for the
// kernel's one token; in simulated mode they are for the goroutine that runs the
// kernel. Run and Step run handlers on the caller's goroutine in the serial
// modes, on goroutines of the kernel in parallel mode.
//
// What blocks: Run; Call, for a session that another chain of calls runs; Spawn
// and Call in serial mode. Nothing else does.
//
// # Promises
//
// Each has tests of its number.
//
//   - G1: handlers of one session never overlap, but for calls nested on one stack.
//   - G2: events from one sender to one session are handled in the order posted.
//   - G3: a post never runs a handler and never blocks.
//   - G4: a call runs its handler before it returns, ahead of everything queued;
//     a call that could never end gets ErrDeadlock, ErrStopped or ErrTimeout.
//   - G5: a session lives exactly as long as something holds it; _stop is its last event.
//   - G6: Run returns when no session is left, and says why; nobody is left behind in silence.
//   - G7: a failure reaches its caller, or a DIE handler, or Run's result.
//   - G8: IDs are not used again; a post to nobody is an error that says whom it was for.
//   - G9: a post that returned nil is handled once, or reported to [Observer.Dropped].
//   - G10: timers fire in due order, never early, never after a removal that succeeded.
//   - G12: with [QueueLimit], a post over the limit is ErrQueueFull.
//
// G11 (wheels end once) is package wheel's, G13 (remote delivery) that of
// components/cluster.
//
// # Errors
//
// Errors that are made here wrap one of the Err variables. A [*PostError] hands
// back the event that could not be delivered. Run returns an [*Exception] that
// nobody handled, ctx's error after the TERM that ctx's end causes, a
// [*StopTimeoutError], or ErrRunning. A misused Config panics in [New].
//
// # Limits
//
// Only Call sees cycles of waiting, and only those made of calls: a handler that
// waits for another goroutine which calls back waits for ever, unless
// [Context.CallContext] or Config.CallTimeout bound it. Config.StopTimeout is for
// parallel mode: in the serial modes a handler that does not return keeps Run.
// Signals from the operating system do not reach a simulated kernel. Arguments
// are copied shallowly: what they point to is shared with the receiver, which in
// parallel mode runs at the same time.
package kernel
