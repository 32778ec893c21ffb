package keepalive

import (
	"errors"
	"fmt"
	"syscall"
)

var (
	// ErrArgument is a Config, Key or request with a field that cannot work.
	ErrArgument = errors.New("keepalive: bad argument")

	// ErrShutDown answers every request that was pending when its pool was
	// shut down (A105), and refuses later ones at once (A24).
	ErrShutDown = errors.New("the pool was shut down; allocate from another")

	// ErrTimeout answers a request whose time ran out, whatever it was waiting
	// for. It matches syscall.ETIMEDOUT (A42).
	ErrTimeout = fmt.Errorf("%w before the request had a connection; raise Timeout, MaxPerHost or MaxOpen, or release connections sooner", syscall.ETIMEDOUT)

	// ErrTooManyWaiting answers a request that would have to wait while
	// Config.MaxWaiting others do. Its Function is "queue".
	ErrTooManyWaiting = errors.New("too many requests wait already; ask fewer at a time, or raise MaxPerHost, MaxOpen or MaxWaiting")

	// ErrCircuitOpen answers a request for a Key that failed too often, see
	// Breaker. Its Function is "breaker"; CircuitError tells more.
	ErrCircuitOpen = errors.New("the circuit is open")

	// ErrNoRequest refuses to cancel a request that is unknown or was answered
	// or cancelled before (A99).
	ErrNoRequest = errors.New("no such request is pending; cancel a request once, before its answer")

	// ErrNotLent refuses to take back a connection that is not lent by this
	// pool, such as one that was released before (A88).
	ErrNotLent = errors.New("not lent by this pool; release each connection once")

	// ErrWouldWait refuses Get in simulated mode, where nothing happens while it
	// waits.
	ErrWouldWait = errors.New("a simulated kernel runs nothing while one waits; use Allocate")

	// errBug is what only a mistake of this package can cause.
	errBug = errors.New("keepalive: bug")
)

// Error is the answer of a request that got no connection.
type Error struct {
	// Function is the step that failed: "resolve", "socket", "bind",
	// "connect", "sslify" for TLS, "queue" for Config.MaxWaiting, "wait" for
	// Config.WaitTimeout, "breaker" for Config.Breaker, or "shutdown" (A40). When
	// the request's own time is over it is "connect", whatever was waited for (A42).
	Function string

	// Key is what was asked for.
	Key Key

	// Err is the cause. A system call's matches its syscall.Errno. When none of
	// several addresses could be reached, it is the first one's.
	Err error
}

var _ error = (*Error)(nil)

// Error names the step, the key and the cause.
func (e *Error) Error() string {
	return fmt.Sprintf("keepalive: %s %v: %v", e.Function, e.Key, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Timeout reports whether the request's time ran out, its own or its context's, as
// net.Error and url.Error have it.
func (e *Error) Timeout() bool {
	var t interface{ Timeout() bool }
	return !errors.Is(e.Err, ErrCircuitOpen) && errors.As(e.Err, &t) && t.Timeout()
}
