package wheel

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"
)

func TestW49_AcceptPolicy(t *testing.T) {
	for err, want := range map[error]acceptVerdict{
		syscall.ECONNABORTED:    acceptAgain,
		syscall.EINTR:           acceptAgain,
		syscall.EPROTO:          acceptAgain,
		syscall.EPERM:           acceptAgain,
		syscall.EHOSTUNREACH:    acceptAgain,
		syscall.EMFILE:          acceptLater,
		syscall.ENFILE:          acceptLater,
		syscall.ENOBUFS:         acceptLater,
		syscall.ENOMEM:          acceptLater,
		syscall.EBADF:           acceptEnds,
		syscall.EINVAL:          acceptEnds,
		syscall.ENOTSOCK:        acceptEnds,
		errors.New("whatever"):  acceptEnds,
		net.ErrClosed:           acceptClosed,
		os.ErrDeadlineExceeded:  acceptExpired,
		fmt.Errorf("not known"): acceptEnds,
	} {
		for _, err := range []error{err, &net.OpError{Op: "accept", Err: os.NewSyscallError("accept4", err)}} {
			if got := acceptPolicy(err); got != want {
				t.Errorf("%v: verdict %d, want %d", err, got, want)
			}
		}
	}
}

// One report per streak, and waits from 100 ms to 1 s.
func TestW49_AcceptStreak(t *testing.T) {
	var s acceptStreak
	for round := range 2 {
		var waits []time.Duration
		for i := range 6 {
			wait, first := s.next()
			if first != (i == 0) {
				t.Errorf("round %d, error %d: reported %v", round, i, first)
			}
			waits = append(waits, wait/time.Millisecond)
		}
		if want := []time.Duration{100, 200, 400, 800, 1000, 1000}; !slices.Equal(waits, want) {
			t.Errorf("waits %d ms, want %d", waits, want)
		}
		s.over()
	}
}
