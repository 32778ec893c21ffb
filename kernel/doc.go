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
// # What order to expect
//
// What one session sends to another arrives in the order sent. Between two
// senders nothing is promised: each order in which their events can meet in the
// receiver's queue is possible in [Parallel] and in [Simulated] mode. In [Serial]
// mode the whole kernel has one queue, and what was posted first is handled
// first. A call overtakes everything queued: when it returns, its handler has
// run. A timer joins the queue when it is due, so what was posted before comes
// before it; timers of one session fire in the order in which they are due, and
// at one time in the order in which they were set.
//
// Nothing that was cancelled still comes: once AlarmRemove has succeeded, a wheel
// was closed or a handle unwatched, no event of it is delivered, even if it was
// queued already. A wheel's events wait until the handler that made it has
// returned.
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
// The sessions that a signal stops get _stop one after the other. None of them
// begins a posted event after the verdict; a handler that still runs then may go
// on posting, and what it posts is reported as dropped.
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
// # Seeing inside
//
// An [Observer] is told what happens: events and what caused each, sessions and
// what holds them, timers, signals, failures. Package trace has one that remembers
// the last of it and shows what caused what. Without any change to a program,
// USHER_TRACE=sessions,refs in its environment has it written down, see [Lines].
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
// # Debug kernels
//
// A kernel with Config.Debug, and every kernel of a program that is built with
// the tag usherdebug, panics with a [*MisuseError] when
//
//   - a Context is used after its handler returned, or on another goroutine;
//   - a wheel is used outside the handlers of the session that made it;
//   - Run is called inside a handler of a kernel that does not run.
//
// It warns through slog when [Context.State] replaces a handler that it had set.
// It remembers where sessions, aliases, timers, leases, postbacks, wheels,
// watched handles and processes, and Holds were made, in the first function on
// the stack that is neither the kernel's nor of package session, wheel or
// kerneltest: [Kernel.Explain] says it. It labels the goroutines that run
// handlers, and so those which handlers start, with the kernel (usher_kernel) and
// the session (usher_session), for profiles and for [Kernel.Goroutines]; other
// profiler labels of a goroutine that runs handlers are lost.
// An event costs about half a microsecond more.
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
