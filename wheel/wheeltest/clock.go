package wheeltest

import (
	"time"

	"github.com/usher-go/usher/kernel"
)

// clock is where a Network has its time from.
type clock interface {
	Now() time.Time
	AfterFunc(d time.Duration, f func()) (stop func() bool)
}

var _ clock = (*kernel.Kernel)(nil)

// systemClock is real time, or that of the synctest bubble it is used in.
type systemClock struct{}

var _ clock = systemClock{}

func (systemClock) Now() time.Time { return time.Now() }

func (systemClock) AfterFunc(d time.Duration, f func()) func() bool {
	return time.AfterFunc(d, f).Stop
}

// simulated reports whether k's time is virtual. A kernel does not say which mode
// it runs in, but refuses to be advanced in the others; by nothing at all, that
// changes nothing.
func simulated(k *kernel.Kernel) (yes bool) {
	defer func() { yes = recover() == nil }()
	k.Advance(k.Now())
	return
}
