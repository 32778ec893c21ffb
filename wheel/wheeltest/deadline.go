package wheeltest

import (
	"os"
	"time"
)

// never, as a deadline, is none.
var never time.Time

// deadline is a point in time after which nothing is waited for.
type deadline struct {
	n      *Network
	wake   func()
	ring   *event
	passed bool
}

func (d *deadline) init(n *Network, wake func()) { d.n, d.wake = n, wake }

func (d *deadline) set(t time.Time) {
	d.n.cancel(d.ring)
	d.ring, d.passed = nil, false
	switch {
	case t.IsZero():
	case t.After(d.n.clock.Now()):
		d.ring = d.n.at(t, d.pass)
	default:
		d.pass()
	}
}

func (d *deadline) pass() {
	d.passed = true
	d.wake()
}

func (*deadline) err() error { return os.ErrDeadlineExceeded }
