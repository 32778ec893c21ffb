package wheel

import (
	"io"
	"sync"
	"syscall"

	"github.com/usher-go/usher/kernel"
)

// input is one direction of a wheel: a goroutine that waits until something can
// be read and may be, and what it has read. It decodes nothing.
type input struct {
	src   *kernel.Source
	r     io.Reader
	raw   syscall.RawConn // nil: r is read the plain way
	ready func(fd uintptr) bool

	mu         sync.Mutex
	may        sync.Cond
	credit     int     // how many bytes may be read and not yet dealt with
	debt       int     // how many are
	fed        int     // how many of them the filter has; the owner's
	buf        []byte  // read, not fed
	box        *[]byte // buf's storage, from the pool
	err        error   // reading has ended, after buf
	paused     bool
	discarding bool // what is read is thrown away
	stopped    bool // nobody wants to know any more
	running    bool
}

func (in *input) init(r io.Reader, raw syscall.RawConn, src *kernel.Source) {
	in.r, in.raw, in.src = r, raw, src
	in.may.L = &in.mu
	if raw != nil {
		in.ready = in.readReady
	}
}

// start begins to read. It may be called again.
func (in *input) start() {
	in.mu.Lock()
	defer in.mu.Unlock()
	if !in.running && !in.stopped && in.err == nil {
		in.running = true
		go in.run()
	}
}

func (in *input) run() {
	var small []byte
	if in.raw == nil {
		small = make([]byte, plainRead)
	}
	for in.wait() {
		if in.raw != nil {
			if err := in.raw.Read(in.ready); err != nil {
				in.got(nil, 0, err)
			}
			continue
		}
		n, err := in.r.Read(small[:min(len(small), in.room())])
		in.gotPlain(small[:n], err)
	}
	in.mu.Lock()
	in.running = false
	in.may.Broadcast()
	in.mu.Unlock()
}

// wait blocks until reading is allowed; false when it is over.
func (in *input) wait() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	for !in.stopped && in.err == nil && !in.allowed() {
		in.may.Wait()
	}
	return !in.stopped && in.err == nil
}

func (in *input) allowed() bool {
	return in.discarding || !in.paused && in.debt < in.credit
}

// room is how much may be read now: at least a byte for those who asked wait.
func (in *input) room() int {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.discarding {
		return readSize
	}
	return max(1, min(readSize, in.credit-in.debt))
}

// readReady is called when the descriptor may be readable. The buffer is
// borrowed here, so that waiting costs none. A pause may have come since wait.
func (in *input) readReady(fd uintptr) bool {
	in.mu.Lock()
	allowed := in.allowed() && !in.stopped
	in.mu.Unlock()
	if !allowed {
		return true
	}
	box := readBuffers.Get().(*[]byte)
	n, again, err := readFD(fd, (*box)[:in.room()])
	if again {
		readBuffers.Put(box)
		return false
	}
	if n == 0 && err == nil {
		err = io.EOF
	}
	in.got(box, n, err)
	return true
}

func (in *input) gotPlain(p []byte, err error) {
	if len(p) == 0 && err == nil {
		return
	}
	box := readBuffers.Get().(*[]byte)
	in.got(box, copy(*box, p), err)
}

// got stores what a read gave. The box becomes the input's, or goes back.
func (in *input) got(box *[]byte, n int, err error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	switch {
	case in.stopped && err != nil:
		err = nil // it is we who ended the read
	case n == 0 || in.discarding:
	case in.buf == nil:
		in.buf, in.box = (*box)[:n], box
		in.debt += n
		box = nil
	default: // many small pieces must not keep many large buffers
		in.buf = append(in.buf, (*box)[:n]...)
		in.debt += n
	}
	if box != nil {
		readBuffers.Put(box)
	}
	if err != nil {
		in.err = err
	}
	if !in.stopped && (err != nil || !in.discarding) {
		in.src.Wake()
	}
}

// refill is for the owner's turn when its filter has no further record: what the
// filter was fed is paid back, and what came since is fed. False: nothing came.
func (in *input) refill(f feeder) bool {
	in.mu.Lock()
	in.debt -= in.fed
	buf, box := in.buf, in.box
	in.buf, in.box = nil, nil
	in.fed = len(buf)
	in.may.Signal()
	in.mu.Unlock()
	if len(buf) > 0 {
		f.feed(buf)
	}
	if box != nil {
		readBuffers.Put(box)
	}
	return len(buf) > 0
}

// ended returns why reading is over, once everything before that was taken.
func (in *input) ended() error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if len(in.buf) > 0 {
		return nil
	}
	return in.err
}

func (in *input) setCredit(n int) {
	in.mu.Lock()
	in.credit = n
	in.may.Signal()
	in.mu.Unlock()
}

// pause stops reading, or goes on.
func (in *input) pause(on bool) {
	in.mu.Lock()
	in.paused = on
	in.may.Signal()
	in.mu.Unlock()
}

// discard throws away what was read and what will be.
func (in *input) discard() {
	in.mu.Lock()
	in.discarding = true
	in.buf, in.box = nil, nil
	in.may.Signal()
	in.mu.Unlock()
}

// stop ends the interest in this input. A read that waits is ended by whoever
// closes the descriptor or sets its deadline.
func (in *input) stop() {
	in.mu.Lock()
	in.stopped = true
	in.may.Broadcast()
	in.mu.Unlock()
}

// join waits for the goroutine, which stop and a deadline have sent home, and
// returns what it had read.
func (in *input) join() []byte {
	in.mu.Lock()
	defer in.mu.Unlock()
	for in.running {
		in.may.Wait()
	}
	buf := in.buf
	in.buf, in.box = nil, nil
	return buf
}
