package keepalive

import (
	"errors"
	"syscall"
	"testing"
)

func TestA42_TimeoutMatchesItsErrno(t *testing.T) {
	err := error(&Error{Function: "connect", Key: key("a"), Err: ErrTimeout})
	var errno syscall.Errno
	if !errors.Is(err, ErrTimeout) || !errors.As(err, &errno) || errno != syscall.ETIMEDOUT || !errno.Timeout() {
		t.Errorf("%v does not match ErrTimeout and ETIMEDOUT", err)
	}
}

func TestA39_ErrorNamesStepKeyAndCause(t *testing.T) {
	err := error(&Error{Function: "resolve", Key: key("a"), Err: errRefused})
	if got, want := err.Error(), "keepalive: resolve http://a:80: connection refused"; got != want {
		t.Errorf("got %q; want %q", got, want)
	}
	var e *Error
	if !errors.Is(err, errRefused) || !errors.As(err, &e) || e.Function != "resolve" {
		t.Errorf("%v cannot be matched", err)
	}
}
