package wheel

import (
	"io"
	"sync"
)

// atATime bounds one write, so that the backlog sees progress.
const atATime = 4 << 10

// display is a terminal's output: what is not written yet, and a goroutine that
// exists only while there is any. It writes with Write alone, because a terminal's
// descriptor is shared with other processes, and so cannot be made not to wait.
type display struct {
	w      io.Writer
	wake   func() // the backlog has gone, fallen to enough, or never will
	enough int

	mu      sync.Mutex
	queue   []byte // what the goroutine has not taken yet
	unsent  int    // that, and what it has taken
	writing bool   // it exists
	stopped bool
	err     error // why nothing is written any more
}

// put queues p, which is not kept. Whoever puts looks at the backlog first.
func (d *display) put(p []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stopped || d.err != nil || len(p) == 0 {
		return
	}
	d.queue = append(d.queue, p...)
	d.unsent += len(p)
	if !d.writing {
		d.writing = true
		go d.run()
	}
}

func (d *display) run() {
	for p := d.take(); len(p) > 0; p = d.take() {
		for len(p) > 0 {
			n, err := d.w.Write(p[:min(len(p), atATime)])
			if !d.wrote(n, err) {
				return
			}
			p = p[n:]
		}
	}
}

func (d *display) take() []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	p := d.queue
	d.queue = nil
	d.writing = len(p) > 0
	return p
}

// wrote accounts for a write. False: it was the last one.
func (d *display) wrote(n int, err error) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	before := d.unsent
	d.unsent -= n
	if err != nil {
		d.err, d.queue, d.unsent = err, nil, 0
	}
	if !d.stopped && (d.unsent == 0 || before > d.enough && d.unsent <= d.enough) {
		d.wake()
	}
	return err == nil && !d.stopped
}

func (d *display) state() (backlog int, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.unsent, d.err
}

// stop drops what is not written. A write that waits is left alone.
func (d *display) stop() {
	d.mu.Lock()
	d.stopped, d.queue = true, nil
	d.mu.Unlock()
}
