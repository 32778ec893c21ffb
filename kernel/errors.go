package kernel

import (
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// Errors that callers match with errors.Is. Most arrive inside a *PostError,
// which says what was not delivered.
var (
	// ErrNoSession: the address names nobody (G8).
	ErrNoSession = errors.New("no such session")
	// ErrStopped: the session stopped while a call waited for it (G4).
	ErrStopped = errors.New("session stopped")
	// ErrDeadlock: the call would wait for a session that waits, directly or
	// not, for the caller (G4). The error's text names the cycle.
	ErrDeadlock = errors.New("call would deadlock")
	// ErrTimeout: a call was not answered within Config.CallTimeout.
	ErrTimeout = errors.New("call timed out")
	// ErrQueueFull: the receiver's QueueLimit is reached (G12).
	ErrQueueFull = errors.New("queue full")
	// ErrNoHandler: a called session handles neither the event nor _default.
	ErrNoHandler = errors.New("no handler")
	// ErrAliasTaken: another session owns the alias.
	ErrAliasTaken = errors.New("alias taken")
	// ErrNotChild: the session is not a child of the one that asked.
	ErrNotChild = errors.New("not a child")
	// ErrNoTimer: the timer fired, was removed, or belongs to another session.
	ErrNoTimer = errors.New("no such timer")
	// ErrNoNode: the address names a node that is not known.
	ErrNoNode = errors.New("no such node")
	// ErrNotEncodable: an argument has no form on the wire.
	ErrNotEncodable = errors.New("not encodable")
	// ErrArgument: an argument is missing or of the wrong kind; the text names it.
	ErrArgument = errors.New("bad argument")
	// ErrRunning: Run was called while the kernel runs, or a simulated kernel was
	// called by another goroutine than the one that runs it.
	ErrRunning = errors.New("kernel is running")
	// ErrStopTimeout: handlers did not return within Config.StopTimeout (G6).
	ErrStopTimeout = errors.New("handlers did not return in time")
)

var errNoName = fmt.Errorf("%w: the event has no name", ErrArgument)

// PostError hands back an event that could not be delivered.
type PostError struct {
	Event string
	To    Address
	Args  []any
	Err   error
}

func (e *PostError) Error() string {
	hint := ""
	switch {
	case errors.Is(e.Err, ErrNoSession):
		hint = "; is it spawned, and its alias set, before this post?"
	case errors.Is(e.Err, ErrQueueFull):
		hint = "; post less, or raise its QueueLimit"
	case errors.Is(e.Err, ErrNotEncodable):
		hint = "; send basic types, lists and maps of them, protobuf messages, or register the type"
	case errors.Is(e.Err, ErrNoHandler):
		hint = "; add session.Handle for it, or a _default handler"
	}
	if e.Event == "" {
		return fmt.Sprintf("%v: %v%s", e.To, e.Err, hint)
	}
	return fmt.Sprintf("event %q to %v: %v%s", e.Event, e.To, e.Err, hint)
}

func (e *PostError) Unwrap() error { return e.Err }

// postError copies args, so that the caller's variadic slice need not escape.
func postError(to Address, name string, args []any, err error) error {
	return &PostError{Event: name, To: to, Args: append([]any(nil), args...), Err: err}
}

// Exception is a handler's failure: the error it returned, or its panic.
// It travels as DIE's data, and is what Run returns when nobody handles it (K135).
type Exception struct {
	Session Address // whose handler failed
	Event   string  // what it was handling
	Source  Address // who sent that
	Err     error   // what it returned; a panic's value if that is an error
	Stack   []byte  // of a panic, nil otherwise
	Seq     uint64  // that event's number, with an Observer that has events numbered

	raised bool // DIE was queued when it was made
}

func (e *Exception) Error() string {
	what := "failed"
	if e.Stack != nil {
		what = "panicked"
	}
	return fmt.Sprintf("session %v %s handling %q from %v: %v", e.Session, what, e.Event, e.Source, e.Err)
}

func (e *Exception) Unwrap() error { return e.Err }

var (
	errGoexit   = errors.New("handler called runtime.Goexit")
	errNoReturn = errors.New("handler panicked or called runtime.Goexit")
)

// failure makes an Exception of the error that a handler returned.
func failure(s *session, ev *event, err error) *Exception {
	return &Exception{Session: s.addr, Event: ev.name, Source: addr(ev.from), Err: err, Seq: ev.seq}
}

// goexited makes an Exception of a handler that ended its goroutine.
func goexited(s *session, ev *event) *Exception { return failure(s, ev, errGoexit) }

// panicked makes an Exception of a recovered panic.
func panicked(s *session, ev *event, v any) *Exception {
	err, ok := v.(error)
	if !ok {
		err = fmt.Errorf("%v", v)
	}
	x := failure(s, ev, err)
	x.Stack = debug.Stack()
	return x
}

// StopTimeoutError names the sessions whose handlers did not return after a stop
// was decided (G6), and the functions they are in: for Config.StopTimeout no
// session had ended. It wraps ErrStopTimeout.
type StopTimeoutError struct {
	Timeout  time.Duration
	Sessions []string // "#7 (logger) in main.(*log).flush (log.go:42)"
}

func (e *StopTimeoutError) Error() string {
	if len(e.Sessions) == 0 {
		return fmt.Sprintf("%v: for %v no session has ended, though no handler runs; does an actor of Config.System block?", ErrStopTimeout, e.Timeout)
	}
	list := e.Sessions[:min(len(e.Sessions), 10)]
	more := ""
	if n := len(e.Sessions) - len(list); n > 0 {
		more = fmt.Sprintf("; and %d more", n)
	}
	return fmt.Sprintf("%v: after %v without progress still busy: %s%s; have them watch Context.Done, or raise Config.StopTimeout",
		ErrStopTimeout, e.Timeout, strings.Join(list, "; "), more)
}

func (e *StopTimeoutError) Unwrap() error { return ErrStopTimeout }

// stuck names the sessions that hold up a stop.
func (k *Kernel) stuck() error {
	e := &StopTimeoutError{Timeout: k.cfg.StopTimeout}
	busy, gids := map[*session]uint64{}, map[uint64]bool{}
	k.calls.mu.Lock()
	for _, s := range k.tree.below(k.root) {
		holder := holderOf(s.state.Load())
		if s == k.root || holder == 0 {
			continue
		}
		busy[s] = 0
		if ch := k.calls.chains[holder]; ch != nil && ch.gid != 0 {
			busy[s] = ch.gid
			gids[ch.gid] = true
		}
	}
	k.calls.mu.Unlock()
	where := whereabouts(gids)
	for s, gid := range busy {
		name := s.describe()
		if at := where[gid]; at != "" {
			name += " in " + at
		}
		e.Sessions = append(e.Sessions, name)
	}
	slices.Sort(e.Sessions)
	return e
}
