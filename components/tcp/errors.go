package tcp

import (
	"errors"
	"fmt"
	"io"
	"syscall"

	"github.com/usher-go/usher/wheel"
)

var (
	// ErrConfig is matched when a configuration cannot work. Nothing was started.
	ErrConfig = errors.New("bad configuration")

	// ErrNotConnected is returned by the methods of a Conn that has no connection
	// now. It matches wheel.ErrClosed, too.
	ErrNotConnected = fmt.Errorf("tcp: not connected: %w", wheel.ErrClosed)

	// ErrIdle is the cause, with Op "idle", when no record came for
	// Limits.IdleTimeout.
	ErrIdle = errors.New("no record came within Limits.IdleTimeout")

	// ErrStuck is Conn.Err when Limits.FlushTimeout has ended a connection.
	ErrStuck = errors.New("the peer did not take the rest within Limits.FlushTimeout")
)

// errRefused is the result of a connection's _start when its PreConnect said no.
var errRefused = errors.New("tcp: refused by PreConnect")

// misconfigured names a field, what is wrong with it, and what to do.
func misconfigured(field, format string, args ...any) error {
	return fmt.Errorf("tcp: %w: %s %s", ErrConfig, field, fmt.Sprintf(format, args...))
}

// usual reports whether an error is just the way in which peers go (C13).
func usual(e *wheel.Error) bool {
	return e.Err == io.EOF || errors.Is(e.Err, syscall.ECONNRESET) || errors.Is(e.Err, syscall.EPIPE)
}
