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
