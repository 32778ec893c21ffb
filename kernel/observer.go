package kernel

import "time"

// Observer is told what a kernel does. Every field is optional; a nil one costs
// nothing. The functions run on the goroutine on which the thing happens, most
// of them with a session's token and some under a lock of the kernel: they must
// be fast, must not block, and must not use the kernel, a Context, a lease or a
// wheel. In parallel mode they run on several goroutines at a time. What they are
// given is theirs to keep, but for the Record that a Journal gets. Observers puts
// several together; package trace has a ready one.
//
// With Posted, Began, Ended or Journal set, every event carries a number, unique
// in its kernel and growing in the order of one goroutine, and its cause: the
// number of the event whose handler brought it about, 0 when it came from
// outside. The cause of
//
//   - a posted or called event is the one whose handler posted or called it;
//   - a timer's, the one whose handler set it;
//   - a wheel's, that of a lease, a postback or a watched process, the one whose
//     handler made the wheel, took the lease, began the watch;
//   - a signal handler's, the one whose handler sent the signal; of DIE, the one
//     that failed; 0 for signals of the operating system, IDLE and ZOMBIE, and
//     for what was sent through the Kernel's own methods;
//   - _start, the one whose handler called Spawn, or which failed before a restart;
//   - _stop, what led to it (StopRecord); of _child("lose") and what Monitor
//     posts, that _stop; of the other _child and _parent, the one that moved the
//     child.
//
// Without the four, numbers and causes are 0 everywhere.
//
// Without an observer (Config.Observer nil), what would be lost in silence is
// logged through slog, once per cause: unhandled events, dropped events, failures.
// What the stop of the whole kernel drops is not: the program has asked for that.
type Observer struct {
	// Events.
	Posted    func(Record)         // handed to the kernel; once more, with Err, if it was refused
	Began     func(Record)         // its handler starts
	Ended     func(Record)         // its handler returned, with Err, or panicked
	Unhandled func(Record)         // posted, and neither a handler nor _default
	Dropped   func(Record, Reason) // accepted, but it will not be handled (G9)
	Timer     func(TimerRecord)    // set, moved or removed

	// Journal, in place of Began and Ended, is for those who want every handler at
	// the least cost. It is called for each goroutine that is to run handlers, and
	// returns what is told of them. start is when the kernel was made.
	Journal func(start time.Time) Journal

	// Sessions.
	Spawned   func(session, parent Address)           // before its _start
	Moved     func(session, from, to Address)         // it has another parent; "" is the kernel
	Held      func(HoldRecord)                        // something holds it from now on, or no longer
	Wheel     func(WheelRecord)                       // made or closed
	Restarted func(session Address, cause *Exception) // see Supervise
	Stopping  func(StopRecord)                        // its stop is decided
	Stopped   func(session Address)                   // after _stop; its names have ended

	// Signals and processes.
	Watched func(session Address, signal, event string) // Sig; event "" ends the watch
	Signal  func(SignalRecord)                          // sent, on its way, and its verdict
	Reaped  func(ReapRecord)                            // SigChild: a process has ended

	// Failures.
	Failed   func(*Exception)                         // a handler did: DIE follows, or its supervisor decides
	Fatal    func(*Exception)                         // nobody handled it: the kernel stops
	Refused  func(RefusalRecord)                      // a method returns an error of the kernel's
	Reported func(component, cause string, err error) // see Kernel.Report
}

// Journal is told of the handlers that run on one goroutine, by that goroutine:
// what it writes needs no lock. Handlers nest, as calls do.
//
// Its times are by the kernel's clock, since its start. The clock is read as seldom
// as possible: handlers of one event that follow each other in less than a
// microsecond are timed in groups of eight. The time of a group is right, that of
// one handler in it is not. Called handlers are timed one by one.
type Journal interface {
	// Began says that a handler starts. The record is the kernel's, and has
	// neither At nor Err: copy what is to be kept.
	Began(r *Record, at time.Duration)
	// Ended says that the handler of event seq has returned, with its error, or
	// has panicked.
	Ended(seq uint64, at time.Duration, err error)
	// Rest says that nothing follows for now; the goroutine may be gone for good,
	// or another one take its place.
	Rest()
}
