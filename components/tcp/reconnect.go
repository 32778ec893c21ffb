package tcp

import (
	"math"
	"math/rand/v2"
	"time"
)

const (
	defaultMinWait = 100 * time.Millisecond
	defaultMaxWait = 30 * time.Second
	defaultJitter  = 0.2
)

// ReconnectPolicy says how often, and after which waits, a client connects again by
// itself after an attempt that failed and after a connection that was lost. The
// zero value never does: that is POE's way, and the program's own event Reconnect.
//
// Waits double from Min to Max. They begin at Min again, and attempts are counted
// anew, when a connection has brought a record or has lasted for Max.
type ReconnectPolicy struct {
	// Attempts is how many there may be in a row, besides the program's own (the
	// first one, Reconnect, Connect). 0 is none, NoLimit any number.
	Attempts int

	// Min and Max bound the wait. Default 100 ms and 30 s.
	Min, Max time.Duration

	// Jitter spreads a wait by this part of it either way, so that clients which
	// lost one server do not come back at one time. Default 0.2; NoLimit (-1) for
	// none.
	Jitter float64

	// Source is where chance comes from. Default: Kernel.Chance, so that a simulated
	// run can be replayed.
	Source rand.Source
}

func (p *ReconnectPolicy) fill() error {
	switch {
	case p.Attempts < NoLimit:
		return misconfigured("ReconnectPolicy.Attempts", "is %d; want 0 for none, NoLimit, or more", p.Attempts)
	case p.Min < 0 || p.Max < 0:
		return misconfigured("ReconnectPolicy.Min", "is %v and Max is %v; want 0 for %v and %v, or more", p.Min, p.Max, defaultMinWait, defaultMaxWait)
	case p.Jitter != NoLimit && !(p.Jitter >= 0 && p.Jitter <= 1):
		return misconfigured("ReconnectPolicy.Jitter", "is %v; want 0 for %v, NoLimit for none, or up to 1", p.Jitter, defaultJitter)
	}
	if p.Min == 0 {
		p.Min = defaultMinWait
	}
	if p.Max == 0 {
		p.Max = max(defaultMaxWait, p.Min)
	}
	if p.Max < p.Min {
		return misconfigured("ReconnectPolicy.Max", "is %v, less than Min, %v; raise it", p.Max, p.Min)
	}
	switch p.Jitter {
	case 0:
		p.Jitter = defaultJitter
	case NoLimit:
		p.Jitter = 0
	}
	return nil
}

// wait is how long to wait after a number of attempts in vain; ok is false when
// there were enough. chance is in [0, 1).
func (p *ReconnectPolicy) wait(inVain int, chance float64) (d time.Duration, ok bool) {
	if p.Attempts != NoLimit && inVain >= p.Attempts {
		return 0, false
	}
	d = p.Max
	if inVain < 40 && p.Min <= p.Max>>inVain {
		d = p.Min << inVain
	}
	spread := float64(d) * (1 + p.Jitter*(2*chance-1))
	if spread >= math.MaxInt64 {
		return math.MaxInt64, true
	}
	return time.Duration(spread), true
}
