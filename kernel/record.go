package kernel

import (
	"os"
	"time"
)

// Record is one event as observers see it.
type Record struct {
	Seq, Cause uint64 // its number, and that of the event that brought it about; see Observer
	Event      string
	From, To   Address
	Via        Via
	Args       []any // only in Dropped
	Wheel      WheelID
	At         time.Time // by the kernel's clock
	Err        error
}

// Via is how an event came to its handler.
type Via uint8

const (
	ViaPost   Via = iota // posted: Post, Yield, a lease, a postback, Monitor, SigChild
	ViaCall              // Call
	ViaTimer             // a timer that was due
	ViaWheel             // a wheel's event, or that of a watched handle
	ViaSignal            // a signal, DIE among them
	ViaKernel            // _start, _stop, _child, _parent
	ViaActor             // _message, from a plain actor
)

func (v Via) String() string {
	return [...]string{"post", "call", "timer", "wheel", "signal", "kernel", "actor"}[v]
}

// Reason says why an accepted event was not handled.
type Reason string

const (
	ReasonStopped       Reason = "receiver stopped"
	ReasonSenderStopped Reason = "sender stopped"
)

// TimerOp is what happened to a timer. That it fired is seen by its event.
type TimerOp string

const (
	TimerSet     TimerOp = "set"
	TimerMoved   TimerOp = "moved"
	TimerRemoved TimerOp = "removed" // by its session, or with it
)

// TimerRecord is one change of one timer.
type TimerRecord struct {
	Op      TimerOp
	ID      TimerID
	Session Address
	Event   string
	Due     time.Time
	Cause   uint64 // the event whose handler did it
}

// HoldKind is what keeps a session alive (G5). Queued events do, too, and are
// seen as such.
type HoldKind string

const (
	HoldAlias   HoldKind = "alias"
	HoldLease   HoldKind = "lease"
	HoldChild   HoldKind = "child"
	HoldTimer   HoldKind = "timer"
	HoldWheel   HoldKind = "wheel"
	HoldProcess HoldKind = "process"
	HoldCreator HoldKind = "creator" // it is new: its creator's handler runs, or Run has not begun
	HoldSignal  HoldKind = "signal"  // one that was sent to it is not through yet
	HoldRestart HoldKind = "restart" // it failed, and its supervisor has not decided
)

// HoldRecord is one hold that began or ended. When Stopped is called for the
// session, all that began have ended, but for the signal that stops it, and for a
// lease that another goroutine is just releasing.
type HoldRecord struct {
	Session Address
	Kind    HoldKind
	Detail  string // the alias, tag, child, timer's event, wheel, process or signal
	Up      bool   // it began
	Left    int    // how many the session has now; a glimpse, in parallel mode
}

// StopReason is why a session stops.
type StopReason string

const (
	StopUnheld     StopReason = "nothing holds it"
	StopAsked      StopReason = "Context.Stop"
	StopSignal     StopReason = "signal"
	StopKernel     StopReason = "Kernel.Stop"
	StopStart      StopReason = "_start failed"
	StopSupervisor StopReason = "its supervisor stops it"
	StopParent     StopReason = "its parent is restarted"
	StopActor      StopReason = "its actor was stopped"
)

// StopRecord is a stop that was decided; _stop comes next, unless _start failed.
type StopRecord struct {
	Session Address
	Reason  StopReason
	Signal  string // with StopSignal: which
	Cause   uint64 // the event that led to it; with StopUnheld the session's last
}

// WheelRecord is a wheel, or a watched handle, that a session made or closed.
type WheelRecord struct {
	Session Address
	ID      WheelID
	Kind    string // "readwrite", "select" …
	Open    bool   // made
	Cause   uint64 // the event whose handler made it, when it closes, too
}

// SignalOp is how far a signal has come.
type SignalOp string

const (
	SignalSent    SignalOp = "sent"
	SignalReaches SignalOp = "reaches" // whom is known, and those who watch it are told
	SignalVerdict SignalOp = "verdict" // all were told
)

// SignalRecord is one step of a signal. Kernel.Stop is one, too: of that name.
type SignalRecord struct {
	Op      SignalOp
	Name    string
	To      Address   // empty: everyone
	Cause   uint64    // the event whose handler sent it; of DIE, the one that failed
	Reaches []Address // from SignalReaches on, in the order they are told
	Handled bool      // with SignalVerdict: somebody called SigHandled …
	By      Address   // … this session, as the first
	Stops   int       // with SignalVerdict: how many sessions it stops
}

// RefusalRecord is an error that a method of Context, Kernel, Lease or Postback
// returns. What a called handler returned is not among them.
type RefusalRecord struct {
	Session Address // whose handler asked; empty: outside of any
	Method  string  // "Post", "AliasSet", "Lease.Post" …
	Cause   uint64  // the event whose handler asked
	Err     error
}

// ReapRecord is a watched child process that has ended (Context.SigChild).
type ReapRecord struct {
	PID   int
	State *os.ProcessState // nil when it could not be waited for
	Tells []Address        // who watched it
}
