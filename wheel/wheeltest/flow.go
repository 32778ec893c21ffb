package wheeltest

// flow is one direction of a connection: what is on its way, and what has arrived
// and was not read. Both together are bounded by the window.
type flow struct {
	n    *Network
	wire *wire
	path *path
	back *path // on which the sender hears that there is room again
	from *Conn
	to   *Conn

	window, used int
	sent         uint64             // segments
	next         uint64             // the segment that is due
	early        map[uint64]segment // arrived before it was due
	doom         *uint64            // a reset has arrived, sent after so many segments
	buf          []byte             // arrived, in order, not read
	fin          bool               // the end has arrived
}

// segment is what arrives at one time.
type segment struct {
	data  []byte
	begin bool // the dialling side knows that it is connected
	fin   bool
	gone  bool // with fin: nobody is there to read, either; unix sockets know
}

func (f *flow) room() int { return f.window - f.used }

// write sends as much of p as the window lets.
func (f *flow) write(p []byte) int {
	p = p[:min(len(p), f.room())]
	f.used += len(p)
	f.n.stats.Written += int64(len(p))
	for rest := p; len(rest) > 0; {
		n := min(len(rest), f.n.cfg.Segment)
		f.send(segment{data: append([]byte(nil), rest[:n]...)})
		rest = rest[n:]
	}
	return len(p)
}

func (f *flow) send(s segment) {
	seq := f.sent
	f.sent++
	f.path.send(packet{wire: f.wire, size: len(s.data), sure: true, do: func() { f.arrive(seq, s) }})
}

// sendReset ends the connection for the other side, after what was sent before. It
// is not sent again when it is lost, but where it answers something that is.
func (f *flow) sendReset(sure bool) {
	seq := f.sent
	f.path.send(packet{wire: f.wire, sure: sure, do: func() { f.doom = &seq; f.deliver() }})
}

func (f *flow) arrive(seq uint64, s segment) {
	if f.early == nil {
		f.early = make(map[uint64]segment)
	}
	f.early[seq] = s
	f.deliver()
}

// deliver hands on what is due: segments may overtake each other.
func (f *flow) deliver() {
	for {
		s, ok := f.early[f.next]
		if !ok {
			break
		}
		delete(f.early, f.next)
		f.next++
		f.to.receive(s)
	}
	if f.doom != nil && f.next >= *f.doom {
		f.doom = nil
		f.to.reset()
	}
}

// read takes what has arrived, and lets the sender know.
func (f *flow) read(p []byte) int {
	n := copy(p, f.buf)
	if f.buf = f.buf[n:]; len(f.buf) == 0 {
		f.buf = nil
	}
	f.n.stats.Read += int64(n)
	f.back.send(packet{wire: f.wire, sure: true, do: func() { f.opened(n) }})
	return n
}

func (f *flow) opened(n int) {
	full := f.room() == 0
	f.used -= n
	if full {
		f.from.wakeWriter()
	}
}
