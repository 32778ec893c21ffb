package wheeltest

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
)

// failed is an error of an operation as package net makes it; call is the system
// call that would have failed.
func failed(op, call, network string, source, addr net.Addr, err error) error {
	var errno syscall.Errno
	switch {
	case err == nil || err == io.EOF:
		return err
	case errors.As(err, &errno) && err == error(errno):
		err = os.NewSyscallError(call, errno)
	}
	return &net.OpError{Op: op, Net: network, Source: source, Addr: addr, Err: err}
}

// contextError is what package net makes of a context's end: an error that
// matches ctx's, with Timeout.
func contextError(ctx context.Context) error {
	switch err := ctx.Err(); err {
	case context.DeadlineExceeded:
		return timedOut{}
	default:
		return canceled{}
	}
}

type timedOut struct{}

var _ net.Error = timedOut{}

func (timedOut) Error() string        { return "i/o timeout" }
func (timedOut) Timeout() bool        { return true }
func (timedOut) Temporary() bool      { return true }
func (timedOut) Is(target error) bool { return target == context.DeadlineExceeded }

type canceled struct{}

func (canceled) Error() string        { return "operation was canceled" }
func (canceled) Is(target error) bool { return target == context.Canceled }
