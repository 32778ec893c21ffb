package wheel

import (
	"fmt"
	"io"
	"sync"
	"syscall"

	"github.com/usher-go/usher/kernel"
)

// writeSize bounds one write, so that the marks see progress.
const writeSize = 64 << 10

// output is one direction of a wheel: what is not sent yet, and a goroutine that
// exists only while there is any. put and finish belong to the owner's turn.
type output struct {
	src  *kernel.Source
	w    io.Writer
	raw  syscall.RawConn // nil: only the goroutine writes
	once func(fd uintptr) bool

	// The owner's, between it and writeOnce.
	p       []byte
	n       int
	onceErr error

	mu      sync.Mutex
	max     int
	low     int    // the owner wants to know when unsent falls to it
	queue   []byte // what the goroutine has not taken yet
	unsent  int    // that, and what the goroutine has taken
	err     error  // writing has failed; the rest was dropped
	writing bool   // the goroutine exists
	stopped bool
	last    func() error // to be done after the last byte; then nothing is taken any more
	over    bool         // it was done
}

func (o *output) init(w io.Writer, raw syscall.RawConn, src *kernel.Source) {
	o.w, o.raw, o.src = w, raw, src
	if raw != nil {
		o.once = o.writeOnce
	}
}

// put sends p or queues it; p is not kept.
func (o *output) put(method, limit string, p []byte) error {
	o.mu.Lock()
	idle := o.unsent == 0
	switch {
	case o.err != nil || o.last != nil || o.stopped:
		defer o.mu.Unlock()
		return closedError(method, o.err)
	case len(p) > o.max-o.unsent:
		defer o.mu.Unlock()
		return fmt.Errorf("wheel: %s: %w: %d bytes queued and %d more exceed %s, %d; wait for LowEvent or FlushedEvent, or raise it",
			method, ErrOutputFull, o.unsent, len(p), limit, o.max)
	}
	o.mu.Unlock()
	if idle && o.raw != nil {
		n, err := o.try(p)
		if err != nil {
			o.wrote(0, err)
			return nil
		}
		p = p[n:]
	}
	if len(p) == 0 {
		return nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.queue = append(o.queue, p...)
	o.unsent += len(p)
	o.write()
	return nil
}

// try is one write that does not wait.
func (o *output) try(p []byte) (int, error) {
	o.p, o.n, o.onceErr = p, 0, nil
	err := o.raw.Write(o.once)
	o.p = nil
	if err == nil {
		err = o.onceErr
	}
	return o.n, err
}

func (o *output) writeOnce(fd uintptr) bool {
	o.n, _, o.onceErr = writeFD(fd, o.p)
	return true
}

// write is called with the lock.
func (o *output) write() {
	if !o.writing {
		o.writing = true
		go o.run()
	}
}

func (o *output) run() {
	var spare []byte
	for {
		o.mu.Lock()
		buf := o.queue
		if len(buf) == 0 {
			break
		}
		o.queue = spare[:0]
		o.mu.Unlock()
		for p := buf; len(p) > 0; {
			n, err := o.w.Write(p[:min(len(p), writeSize)])
			o.wrote(n, err)
			if err != nil {
				break
			}
			p = p[n:]
		}
		spare = buf
	}
	// Still locked: nobody can queue between the look and writing = false.
	o.queue = nil
	last := o.last
	if last == nil || o.over || o.err != nil {
		o.writing = false
		o.mu.Unlock()
		return
	}
	o.mu.Unlock()
	err := last()
	o.mu.Lock()
	o.over, o.writing = true, false
	if o.err == nil {
		o.err = err
	}
	stopped := o.stopped
	o.mu.Unlock()
	if !stopped {
		o.src.Wake()
	}
}

// wrote accounts for a write.
func (o *output) wrote(n int, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	before := o.unsent
	o.unsent -= n
	if err != nil {
		o.err, o.unsent, o.queue = err, 0, nil
	}
	told := err != nil || o.unsent == 0 || before > o.low && o.unsent <= o.low
	if told && !o.stopped {
		o.src.Wake()
	}
}

// finish has last done when everything was written. Nothing is taken from now on.
func (o *output) finish(last func() error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.last == nil && !o.stopped {
		o.last = last
		o.write()
	}
}

// stop ends the interest in this output; what is queued is dropped.
func (o *output) stop() {
	o.mu.Lock()
	o.stopped, o.queue = true, nil
	o.mu.Unlock()
}

func (o *output) setLimits(most, low int) {
	o.mu.Lock()
	o.max, o.low = most, low
	o.mu.Unlock()
}

// state is how much is unsent, and whether the end has come: over, or with err.
func (o *output) state() (unsent int, over bool, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.unsent, o.over, o.err
}

// pending reports whether the goroutine has something to do.
func (o *output) pending() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.unsent > 0 || o.last != nil && !o.over && o.err == nil
}

// finishing reports whether finish was called.
func (o *output) finishing() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.last != nil
}
