package wheel

import (
	"time"

	"github.com/usher-go/usher/kernel"
)

// alarm gives a wheel a turn at a point in time, by the kernel's clock. A nil one
// never rings.
type alarm struct {
	k      *kernel.Kernel
	at     time.Time
	cancel func() bool
}

func newAlarm(src *kernel.Source, d time.Duration) *alarm {
	k := src.Kernel()
	return &alarm{k, k.Now().Add(d), k.AfterFunc(d, src.Wake)}
}

// rung reports whether the time has come.
func (a *alarm) rung() bool { return a != nil && !a.k.Now().Before(a.at) }

func (a *alarm) stop() {
	if a != nil {
		a.cancel()
	}
}
