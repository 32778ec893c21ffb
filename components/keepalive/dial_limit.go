package keepalive

import (
	"fmt"
	"time"

	"github.com/usher-go/usher/kernel"
)

// stageLimit is a time limit of a stage.
type stageLimit struct {
	field string // of Config
	time.Duration
}

func limitOf(cfg *Config, stage string) stageLimit {
	switch stage {
	case "resolve":
		return stageLimit{"LookupTimeout", cfg.LookupTimeout}
	case "sslify":
		return stageLimit{"HandshakeTimeout", cfg.HandshakeTimeout}
	}
	return stageLimit{"ConnectTimeout", cfg.ConnectTimeout}
}

// within has the attempt end when the limit passes, unless the stage ended before.
func (n *dialing) within(l stageLimit) (stop func() bool) {
	if l.Duration == 0 {
		return func() bool { return false }
	}
	stage := n.stage
	return n.after(l.Duration, func(*kernel.Context) {
		if n.stage == stage && !n.over {
			n.why = &passed{l}
			n.giveUp()
		}
	})
}

// after calls f in a turn of the pool, after d by the kernel's clock, unless stop
// comes before. One that crosses its stop still comes.
func (d *dialer) after(t time.Duration, f func(*kernel.Context)) (stop func() bool) {
	return d.k.AfterFunc(t, func() { d.put(word{take: f}) })
}

// passed is the error for a limit of a stage. It matches all that ErrTimeout does.
type passed struct{ stageLimit }

var _ error = (*passed)(nil)

func (p *passed) Error() string {
	return fmt.Sprintf("Config.%s of %v passed; raise it, or leave it 0 for no other limit than Timeout", p.field, p.Duration)
}

func (p *passed) Unwrap() error { return ErrTimeout }

// Timeout makes it a net.Error.
func (p *passed) Timeout() bool { return true }

// Temporary is the other half of that.
func (p *passed) Temporary() bool { return true }

// optional checks a time limit for which 0 means none.
func optional(field string, d time.Duration) error {
	if d < 0 {
		return fmt.Errorf("%w: %s is %v; want 0 for no other limit than Timeout, or more", ErrArgument, field, d)
	}
	return nil
}
