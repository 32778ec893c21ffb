package wheel

import (
	"io"
	"sync"
	"time"
)

// patient is the port of a stream that can only be waited for, such as a
// *tls.Conn: one goroutine from the first try to read on, one while there is
// something to write.
type patient struct {
	x                  stream
	readable, writable func()

	mu      sync.Mutex
	may     sync.Cond
	left    bool   // nobody wants to know any more
	in      []byte // read, not taken
	inErr   error  // what comes after it
	taken   int    // by the last TryRead: until the next one it counts as not taken
	reading bool
	ahead   int

	out     []byte // taken, not with the writer yet
	behind  int    // taken, not written
	outErr  error
	writing bool
	lastly  func() error
	done    bool // lastly was done
}

// behindMost bounds what is taken and not written.
const behindMost = 64 << 10

func newPatient(x stream) *patient {
	p := &patient{x: x}
	p.may.L = &p.mu
	return p
}

func (p *patient) tell(in, out *waiter) { p.readable, p.writable = in.ready, out.ready }

func (p *patient) bound(n int) {
	p.mu.Lock()
	p.ahead = n
	p.may.Signal()
	p.mu.Unlock()
}

// TryRead never says ErrAgain beside what it gives: the next try settles for that.
func (p *patient) TryRead(b []byte) (n int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken = 0
	p.may.Signal()
	switch {
	case len(p.in) > 0:
		p.taken = copy(b, p.in)
		if p.in = p.in[p.taken:]; len(p.in) == 0 {
			p.in = nil
		}
		return p.taken, nil
	case p.inErr != nil:
		return 0, p.inErr
	case !p.reading:
		p.reading = true
		go p.read()
	}
	return 0, ErrAgain
}

// read keeps a small buffer while it waits, and borrows a larger one while much
// comes.
func (p *patient) read() {
	small := make([]byte, plainRead)
	var large *[]byte
	defer func() {
		if large != nil {
			readBuffers.Put(large)
		}
	}()
	buf := small
	for {
		room := p.room(len(buf))
		n, err := p.x.Read(buf[:room])
		if !p.keep(buf[:n], err) {
			return
		}
		switch full := n == room; {
		case full && large == nil:
			large = readBuffers.Get().(*[]byte)
			buf = *large
		case !full && large != nil:
			readBuffers.Put(large)
			large, buf = nil, small
		}
	}
}

// room is how much may be read now.
func (p *patient) room(most int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return max(1, min(most, p.ahead-len(p.in)-p.taken))
}

// keep stores what was read and waits until more may be. False: no more.
func (p *patient) keep(b []byte, err error) bool {
	p.mu.Lock()
	p.in = append(p.in, b...)
	if !p.left {
		p.inErr = err // and not that of leave's deadline
	}
	left := p.left
	p.mu.Unlock()
	if !left && (len(b) > 0 || err != nil) {
		p.readable()
	}

	p.mu.Lock()
	defer p.mu.Unlock()
	for !p.left && err == nil && len(p.in)+p.taken >= p.ahead {
		p.may.Wait()
	}
	if p.left || err != nil {
		p.reading = false
		p.may.Broadcast()
		return false
	}
	return true
}

func (p *patient) TryWrite(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.outErr != nil {
		return 0, p.outErr
	}
	n := min(len(b), behindMost-p.behind)
	if n <= 0 {
		return 0, ErrAgain
	}
	p.out = append(p.out, b[:n]...)
	p.behind += n
	p.write()
	return n, nil
}

// write is called with the lock.
func (p *patient) write() {
	if !p.writing {
		p.writing = true
		go p.writer()
	}
}

func (p *patient) writer() {
	for {
		p.mu.Lock()
		b, f := p.out, p.lastly
		if p.left || p.outErr != nil || len(b) == 0 && (f == nil || p.done) {
			p.writing = false
			p.mu.Unlock()
			return
		}
		p.out = nil
		p.mu.Unlock()

		n, err, done := 0, error(nil), false
		if len(b) > 0 {
			if n, err = p.x.Write(b); n < len(b) && err == nil {
				err = io.ErrShortWrite // against io.Writer's contract
			}
		} else {
			err, done = f(), true
		}

		p.mu.Lock()
		p.behind -= n
		p.outErr, p.done = err, done
		left := p.left
		p.mu.Unlock()
		if !left {
			p.writable()
		}
	}
}

func (p *patient) last(f func() error) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lastly = f
	p.write()
	return false, nil
}

func (p *patient) written() (behind int, done bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.behind, p.done, p.outErr
}

func (p *patient) leave(keep bool) (unread []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.left = true
	p.may.Broadcast()
	if !keep {
		return nil
	}
	d, ok := p.x.(interface {
		SetReadDeadline(time.Time) error
		SetDeadline(time.Time) error
	})
	if ok {
		_ = d.SetReadDeadline(time.Unix(1, 0)) // ends a read that waits
	}
	for p.reading {
		p.may.Wait()
	}
	if ok {
		_ = d.SetDeadline(time.Time{})
	}
	unread, p.in = p.in, nil
	return unread
}
