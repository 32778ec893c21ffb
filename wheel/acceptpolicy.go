package wheel

import (
	"errors"
	"net"
	"os"
	"syscall"
	"time"
)

// acceptVerdict is what an error of accept means for the listener.
type acceptVerdict uint8

const (
	acceptEnds    acceptVerdict = iota // the listener is of no use any more
	acceptClosed                       // somebody closed it
	acceptAgain                        // that connection is lost; the next one may be fine
	acceptLater                        // the system is short of something; it will pass
	acceptExpired                      // a deadline ended the wait: a pause, or somebody else's
)

// acceptErrors decides accept's errors one by one. POE ignores two and goes on
// after all others, at full speed when descriptors run out (W49).
var acceptErrors = map[syscall.Errno]acceptVerdict{
	// The connection died while it waited in the backlog.
	syscall.ECONNABORTED: acceptAgain,
	syscall.ECONNRESET:   acceptAgain,
	syscall.EINTR:        acceptAgain,
	// accept(2): Linux hands over an error that is pending on the new socket,
	// "treat them like EAGAIN by retrying".
	syscall.ENETDOWN:     acceptAgain,
	syscall.EPROTO:       acceptAgain,
	syscall.ENOPROTOOPT:  acceptAgain,
	syscall.EHOSTDOWN:    acceptAgain,
	syscall.EHOSTUNREACH: acceptAgain,
	syscall.ENETUNREACH:  acceptAgain,
	syscall.ETIMEDOUT:    acceptAgain,
	// accept(2): "Firewall rules forbid connection".
	syscall.EPERM: acceptAgain,
	// Descriptors of the process, of the system, memory: others may give some back.
	syscall.EMFILE:  acceptLater,
	syscall.ENFILE:  acceptLater,
	syscall.ENOBUFS: acceptLater,
	syscall.ENOMEM:  acceptLater,
	// epoll_ctl(2): "/proc/sys/fs/epoll/max_user_watches".
	syscall.ENOSPC: acceptLater,
}

func acceptPolicy(err error) acceptVerdict {
	var errno syscall.Errno
	switch {
	case errors.Is(err, net.ErrClosed):
		return acceptClosed
	case errors.Is(err, os.ErrDeadlineExceeded):
		return acceptExpired
	case errors.As(err, &errno):
		return acceptErrors[errno]
	}
	return acceptEnds
}

const (
	firstAcceptWait = 100 * time.Millisecond
	maxAcceptWait   = time.Second
)

// acceptStreak is a run of acceptLater errors: one report, growing waits.
type acceptStreak struct{ wait time.Duration }

// next returns how long to wait, and whether the streak has just begun.
func (s *acceptStreak) next() (wait time.Duration, first bool) {
	if s.wait == 0 {
		s.wait = firstAcceptWait
		return s.wait, true
	}
	s.wait = min(2*s.wait, maxAcceptWait)
	return s.wait, false
}

func (s *acceptStreak) over() { s.wait = 0 }
