package wheel

import (
	"bytes"
	"io"
	"net"
	"sync"
)

// patientPackets is the port of a socket that can only be waited for: one goroutine
// from the first try to read on, one while a packet is written.
type patientPackets struct {
	x                  net.PacketConn
	max                int
	readable, writable func()

	mu      sync.Mutex
	may     sync.Cond
	left    bool
	in      []received // not taken
	inBytes int
	reading bool
	inErr   error // reading has ended

	out    *Packet // with its goroutine
	outErr error   // of the last one, until somebody asks
}

// received is a packet or an error between two.
type received struct {
	Packet
	err error
}

func newPatientPackets(x net.PacketConn, most int) *patientPackets {
	p := &patientPackets{x: x, max: most}
	p.may.L = &p.mu
	return p
}

func (p *patientPackets) tell(in, out *waiter) { p.readable, p.writable = in.ready, out.ready }

func (p *patientPackets) tryRead(b []byte) (int, net.Addr, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case len(p.in) > 0:
		r := p.in[0]
		p.in[0] = received{}
		p.in = p.in[1:]
		p.inBytes -= len(r.Data)
		p.may.Signal()
		return copy(b, r.Data), r.Addr, r.err
	case p.inErr != nil:
		return 0, nil, p.inErr
	case !p.reading:
		p.reading = true
		go p.read()
	}
	return 0, nil, ErrAgain
}

func (p *patientPackets) read() {
	buf := make([]byte, p.max+1)
	for {
		n, from, err := p.x.ReadFrom(buf)
		if !p.keep(received{Packet{bytes.Clone(buf[:n]), from}, err}) {
			return
		}
	}
}

// keep stores what came, and waits until more may come. False: no more.
func (p *patientPackets) keep(r received) bool {
	over := r.err != nil && packetPolicy("read", r.err) == packetEnds
	p.mu.Lock()
	if over {
		p.inErr = r.err
	} else {
		p.in = append(p.in, r)
		p.inBytes += len(r.Data)
	}
	left := p.left
	p.mu.Unlock()
	if left {
		return false
	}
	p.readable()

	p.mu.Lock()
	defer p.mu.Unlock()
	for !p.left && (len(p.in) >= maxRecords || p.inBytes >= max(p.max, defaultCredit)) {
		p.may.Wait()
	}
	return !p.left && !over
}

func (p *patientPackets) tryWrite(b Packet) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.out != nil || p.outErr != nil {
		return ErrAgain // and a call of writable is on its way, or was just made
	}
	p.out = &Packet{bytes.Clone(b.Data), b.Addr}
	go p.write(*p.out)
	return nil
}

func (p *patientPackets) write(b Packet) {
	var err error
	if b.Addr != nil {
		_, err = p.x.WriteTo(b.Data, b.Addr)
	} else if w, ok := p.x.(io.Writer); ok {
		_, err = w.Write(b.Data)
	} else {
		_, err = p.x.WriteTo(b.Data, nil)
	}
	p.mu.Lock()
	p.out, p.outErr = nil, err
	left := p.left
	p.mu.Unlock()
	if !left {
		p.writable()
	}
}

func (p *patientPackets) written() (bool, int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.out == nil {
		return p.outErr != nil, 0
	}
	return true, len(p.out.Data)
}

func (p *patientPackets) failed() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	err := p.outErr
	p.outErr = nil
	return err
}

func (p *patientPackets) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.left = true
	p.may.Broadcast()
}
