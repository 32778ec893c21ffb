//go:build unix

package prefork

import (
	"errors"
	"net"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel"
)

// full tells whether another connection would be one too many.
func (w *Worker) full() bool {
	return w.cfg.ConnsPerServer != Unlimited && w.open >= w.cfg.ConnsPerServer
}

// taken passes a connection on, and closes the doors while there is no room. One
// more may come through another door meanwhile; it is served as well, since no
// other worker can.
func (w *Worker) taken(c *kernel.Context, conn net.Conn) error {
	w.open++
	if !w.draining && w.open == 1 {
		w.show(StateBusy)
	}
	if w.full() {
		w.openOrPause()
	}
	count := w.estate.seat.connection()
	g := guard(w, conn)
	if w.gate != nil {
		w.gate.Admit(g)
	} else if err := w.event.Post(c, w.server, g); err != nil {
		_ = g.Close()
		c.Kernel().Report("prefork", "connection dropped", err)
	}
	if n := w.cfg.MaxRequests; n != Unlimited && !w.requests.counted && count >= uint64(n) {
		return w.drain(c)
	}
	return nil
}

// finished makes room: a connection was closed.
func (w *Worker) finished(c *kernel.Context, _ struct{}) error {
	w.open--
	if w.draining {
		w.leaveWhenDone(c)
		return nil
	}
	if w.open == 0 {
		w.show(StateIdle)
	}
	w.openOrPause()
	return nil
}

// trouble is a failed accept; the door goes on, or shut follows.
func (w *Worker) trouble(c *kernel.Context, e *wheel.Error) error {
	c.Kernel().Report("prefork", "accept failed", e)
	return nil
}

// shut is the end of a door: drain's, or that of a listener that failed. A
// worker without one of its doors makes room for one that has them all.
func (w *Worker) shut(c *kernel.Context, err error) error {
	w.ajar--
	if err != nil && !errors.Is(err, net.ErrClosed) {
		return w.drain(c)
	}
	w.leaveWhenDone(c)
	return nil
}
