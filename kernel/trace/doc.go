// Package trace remembers what a kernel did last, and shows what caused what.
//
//	rec := trace.NewRecorder(0)
//	k := kernel.New(kernel.Config{Observer: rec.Observer()})
//	…
//	rec.Snapshot().WriteTree(os.Stderr)
//
// # The recorder
//
// A [Recorder] is a ring of the last records: every handler that ran, with the
// event it handled, that event's cause, when it began, how long it took and what
// it returned; and, besides handlers, events that nobody handled or that were
// dropped, timers that were moved or removed, methods that returned an error, the
// verdicts of signals, why sessions stopped or were restarted, and what components
// reported. It takes no arguments of events. What an event's cause is, says
// [kernel.Observer].
//
// One recorder serves one kernel, from before it is made until nobody wants to
// look any more: memory is taken when it is made, and a full ring overwrites its
// oldest records. With other observers it goes together by [kernel.Observers].
//
// # Looking
//
// [Recorder.Snapshot] copies what there is, at any time: while the kernel runs,
// inside a handler, after Run. From a [Snapshot]
//
//   - [Snapshot.WriteTree] writes text: each handler, below it what it brought about;
//   - [Snapshot.WriteMermaid] writes a sequence diagram of the last events;
//   - [Snapshot.WriteChrome] writes a file for ui.perfetto.dev or chrome://tracing;
//   - Records has it all, for programs.
//
// Why did this handler run? Inside it, [Recorder.Why] of [kernel.Context.Seq]
// says so, from the event back to its origin; after a failure, Why of
// [kernel.Exception.Seq] does. What keeps a session alive is another question, for
// [kernel.Kernel.Explain].
//
// To see a program's events without changing it, set USHER_TRACE; see
// [kernel.Lines].
//
// # Goroutines
//
// All methods are for any goroutine. A snapshot is the caller's own.
//
// # Errors
//
// The writers return those of the io.Writer. NewRecorder panics on a negative size.
//
// # Limits
//
// Times are read sparingly, see [kernel.Journal]: those of handlers shorter than
// a microsecond are right on average only, and so is, in parallel mode, the order
// of handlers on different cores that began within a microsecond. In virtual time
// handlers take none. Records that are not of handlers have the time of the
// handler before them.
//
// An event that is queued has no record until its handler begins; a handler that
// has not returned is Running. Names and errors in the ring stay in memory until
// they are overwritten.
package trace
