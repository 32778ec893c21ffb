//go:build unix

package prefork

import (
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel/filter"
)

// drain ends accepting. What a door has accepted is still served; the worker
// leaves when its last connection has ended.
func (w *Worker) drain(c *kernel.Context) error {
	if w.draining {
		return nil
	}
	w.draining = true
	for _, d := range w.doors {
		d.Drain()
	}
	w.finishing()
	_ = w.control.Put(filter.Frame{Name: wordDrain}) // a master that is gone need not know
	w.leaveWhenDone(c)
	return nil
}

func (w *Worker) leaveWhenDone(c *kernel.Context) {
	if !w.draining || w.ajar > 0 {
		return
	}
	w.allHandedOver(c)
	if w.open == 0 {
		w.leave(c)
	}
}

// leave ends the process: its kernel stops, with everything in it. That of a server of
// requests may first handle what came with the last of them, for logs perhaps: it
// stops when nothing is left to do.
func (w *Worker) leave(c *kernel.Context) {
	w.lease.Release()
	if !w.requests.counted || w.left {
		c.Kernel().Stop()
		return
	}
	w.left = true
	c.AlarmRemoveAll()
	w.control.Close()
	time.AfterFunc(lastTurn, c.Kernel().Stop)
}

// lastTurn is for sessions that never run out of things to do.
var lastTurn = time.Second // a variable for tests

// orphanGrace is how long a worker goes on with what it has when its master is
// gone: nobody is left to end it.
const orphanGrace = 2 * time.Second

// orphaned: the control socket ended, and with it the master (P86).
func (w *Worker) orphaned(c *kernel.Context, _ error) error {
	evLeave.Delay(c, orphanGrace, struct{}{})
	return w.drain(c)
}

// deserted: the server session has ended. What it was handed and had not handled
// yet is never closed, so the end must not wait for it. In a worker that leaves it is
// what was waited for, and a timer would only hold the kernel up.
func (w *Worker) deserted(c *kernel.Context, _ kernel.Address) error {
	if w.left {
		return nil
	}
	if w.cfg.Grace != Unlimited {
		evLeave.Delay(c, w.cfg.Grace, struct{}{})
	}
	return w.drain(c)
}
