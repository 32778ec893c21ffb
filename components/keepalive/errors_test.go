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

// TestError_Timeout is about the request's own time, not that of the failure that opened a
// circuit before it.
func TestError_Timeout(t *testing.T) {
	for cause, want := range map[error]bool{
		ErrTimeout:                      true,
		&CircuitError{Last: ErrTimeout}: false,
		ErrTooManyWaiting:               false,
	} {
		if got := (&Error{Err: cause}).Timeout(); got != want {
			t.Errorf("%v: Timeout is %v", cause, got)
		}
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
