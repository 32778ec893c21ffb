package wheel

import (
	"errors"
	"fmt"
	"strings"

	"github.com/usher-go/usher/kernel"
)

var (
	// ErrClosed is matched by what is asked of a wheel that was closed, has
	// ended, was exchanged or released, or whose output was shut down.
	ErrClosed = errors.New("wheel is closed")

	// ErrOutputFull is matched when Put would queue more than MaxOutput. Nothing
	// of that Put was queued.
	ErrOutputFull = errors.New("output is full")

	// ErrConfig is matched when a configuration cannot work.
	ErrConfig = errors.New("bad configuration")

	// ErrUnsent is matched when a connection cannot be released because output
	// is queued for it.
	ErrUnsent = errors.New("output is not sent yet")
)

// Error is what a FailureEvent or an ErrorEvent carries: which operation of which
// wheel failed, and why. The end of input is Op "read" with Err io.EOF (W16).
type Error struct {
	// Op is "read", "write", "filter", "listen", "accept", "connect", "handshake",
	// "open", "stat", "start", "wait" or "release".
	Op string

	// Err is the cause; errors.Is and errors.As see through it, down to a
	// syscall.Errno where the operating system said no.
	Err error

	// Wheel is 0 in an error that a constructor returned.
	Wheel kernel.WheelID

	// Stream is "STDIN", "STDOUT" or "STDERR" from a Run, else empty (W63).
	Stream string
}

var _ error = (*Error)(nil)

// Error names the wheel, the operation and the cause.
func (e *Error) Error() string {
	what := e.Op
	if e.Stream != "" {
		what += " " + e.Stream
	}
	cause := e.Err.Error()
	if e.Op == "filter" {
		cause = strings.TrimPrefix(cause, "filter: ") // filters say what they are, too
	}
	if e.Wheel == 0 {
		return fmt.Sprintf("wheel: %s: %s", what, cause)
	}
	return fmt.Sprintf("wheel %d: %s: %s", e.Wheel, what, cause)
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// closedError says why a wheel takes no more output; cause may be nil.
func closedError(method string, cause error) error {
	if cause == nil {
		return fmt.Errorf("wheel: %s: %w; make a new one", method, ErrClosed)
	}
	return fmt.Errorf("wheel: %s: %w after %w; make a new one", method, ErrClosed, cause)
}

// misconfigured names a field, what is wrong with it, and what to do.
func misconfigured(field, format string, args ...any) error {
	return fmt.Errorf("wheel: %w: %s %s", ErrConfig, field, fmt.Sprintf(format, args...))
}

// fillLimit sets *v to its default when it is 0.
func fillLimit(field string, v *int, def int) error {
	if *v < 0 {
		return misconfigured(field, "is %d; want 0 for the default of %d, or more", *v, def)
	}
	if *v == 0 {
		*v = def
	}
	return nil
}
