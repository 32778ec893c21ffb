package wheel_test

import (
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
)

const gotPacket kernel.Event[wheel.Packet] = "got_packet"

// packets is a session with a Datagram, which notes what the wheel tells it.
type packets struct {
	t    *testing.T
	conn net.PacketConn
	cfg  wheel.DatagramConfig
	d    *wheel.Datagram
	log  []string

	begin  func(c *kernel.Context) error
	packet func(c *kernel.Context, p wheel.Packet) error // instead of noting it
	onFail func(c *kernel.Context, e *wheel.Error)       // beside noting it
	onDone func(c *kernel.Context)                       // likewise, of FlushedEvent
	more   []session.State
}

func newPackets(t *testing.T, conn net.PacketConn) *packets {
	return &packets{t: t, conn: conn, cfg: wheel.DatagramConfig{
		InputEvent: gotPacket, ErrorEvent: failed, CloseEvent: closed,
	}}
}

func (s *packets) note(format string, args ...any) {
	s.log = append(s.log, fmt.Sprintf(format, args...))
}

func (s *packets) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Error(err)
	}
}

func (s *packets) put(p ...wheel.Packet) { s.t.Helper(); s.must(s.d.Put(p...)) }

func (s *packets) want(log ...string) {
	s.t.Helper()
	if !slices.Equal(s.log, log) {
		s.t.Errorf("events:\n %q\nwant:\n %q", s.log, log)
	}
}

func (s *packets) session() *session.Session {
	return session.New(append(s.more,
		session.Handle("_start", func(c *kernel.Context) (err error) {
			if s.d, err = wheel.NewDatagram(c, s.conn, s.cfg); err != nil || s.begin == nil {
				return err
			}
			return s.begin(c)
		}),
		session.On(gotPacket, func(c *kernel.Context, p wheel.Packet) error {
			if c.Wheel() != s.d.ID() {
				s.t.Errorf("packet from wheel %v, want %v", c.Wheel(), s.d.ID())
			}
			if s.packet != nil {
				return s.packet(c, p)
			}
			s.note("packet %s", p.Data)
			return nil
		}),
		session.On(failed, func(c *kernel.Context, e *wheel.Error) error {
			s.note("%s %s", e.Op, cause(e))
			if s.onFail != nil {
				s.onFail(c, e)
			}
			return nil
		}),
		session.On(flushed, func(c *kernel.Context, _ struct{}) error {
			s.note("flushed")
			if s.onDone != nil {
				s.onDone(c)
			}
			return nil
		}),
		session.On(closed, func(_ *kernel.Context, err error) error { s.note("closed %s", cause(err)); return nil }),
	)...)
}

// packetKinds are the ways in which a Datagram uses a socket: a descriptor under the
// poller, goroutines, or a PollablePacketConn. near is the wheel's; far, which a test
// uses the blocking way, can be reached at its LocalAddr and reaches near at its own.
var packetKinds = map[string]func(*testing.T) (near, far net.PacketConn){
	"udp": func(t *testing.T) (near, far net.PacketConn) { return bindPackets(t, "udp"), bindPackets(t, "udp") },
	"unixgram": func(t *testing.T) (near, far net.PacketConn) {
		return bindPackets(t, "unixgram"), bindPackets(t, "unixgram")
	},
	"goroutines": func(t *testing.T) (near, far net.PacketConn) {
		return packetsOnly{bindPackets(t, "udp")}, bindPackets(t, "udp")
	},
	"memory": func(t *testing.T) (near, far net.PacketConn) { return packetsInMemory() },
}

func onPacketKinds(t *testing.T, f func(t *testing.T, k *kernel.Kernel, near, far net.PacketConn)) {
	for name, pair := range packetKinds {
		t.Run(name, func(t *testing.T) {
			inModes(t, func(t *testing.T, k *kernel.Kernel) {
				near, far := pair(t)
				f(t, k, near, far)
			})
		})
	}
}

// packetsOnly hides what else a socket is.
type packetsOnly struct{ net.PacketConn }

func bindPackets(t *testing.T, network string) net.PacketConn {
	t.Helper()
	address := "127.0.0.1:0"
	if network == "unixgram" {
		address = filepath.Join(t.TempDir(), "gram")
	}
	conn, err := net.ListenPacket(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	return conn
}

// receive waits for a packet.
func receive(t *testing.T, conn net.PacketConn) (string, net.Addr) {
	t.Helper()
	b := make([]byte, 100_000)
	n, from, err := conn.ReadFrom(b)
	if err != nil {
		t.Errorf("far end reads: %v", err)
	}
	return string(b[:n]), from
}

func send(t *testing.T, conn net.PacketConn, to net.Addr, packets ...string) {
	t.Helper()
	for _, p := range packets {
		if _, err := conn.WriteTo([]byte(p), to); err != nil {
			t.Errorf("far end writes: %v", err)
		}
	}
}

// memoryPackets is one of two sockets in memory that reach each other. It has room
// for 8 packets, and its sender waits.
type memoryPackets struct {
	net.PacketConn // nil
	name           string
	other          *memoryPackets

	mu                 *sync.Mutex // of both
	changed            *sync.Cond
	in                 []string
	closed             bool
	readable, writable func()
}

var _ wheel.PollablePacketConn = (*memoryPackets)(nil)

func packetsInMemory() (near, far *memoryPackets) {
	mu := new(sync.Mutex)
	near = &memoryPackets{name: "near", mu: mu, changed: sync.NewCond(mu)}
	far = &memoryPackets{name: "far", mu: mu, changed: near.changed, other: near}
	near.other = far
	return near, far
}

func (m *memoryPackets) LocalAddr() net.Addr { return &net.UnixAddr{Name: m.name, Net: "memory"} }

func (m *memoryPackets) Notify(readable, writable func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.readable, m.writable = readable, writable
}

func (m *memoryPackets) tryRead(p []byte) (int, net.Addr, error) {
	switch {
	case m.closed:
		return 0, nil, net.ErrClosed
	case len(m.in) == 0:
		return 0, nil, wheel.ErrAgain
	}
	n := copy(p, m.in[0])
	m.in = m.in[1:]
	m.changed.Broadcast()
	if m.other.writable != nil {
		m.other.writable()
	}
	return n, m.other.LocalAddr(), nil
}

func (m *memoryPackets) tryWrite(p []byte) (int, error) {
	switch {
	case m.closed:
		return 0, net.ErrClosed
	case len(m.other.in) == 8:
		return 0, wheel.ErrAgain
	case !m.other.closed:
		m.other.in = append(m.other.in, string(p))
		m.changed.Broadcast()
		if m.other.readable != nil {
			m.other.readable()
		}
	}
	return len(p), nil
}

func (m *memoryPackets) TryReadFrom(p []byte) (int, net.Addr, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.tryRead(p)
}

func (m *memoryPackets) TryWriteTo(p []byte, to net.Addr) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if to.String() != m.other.name {
		return 0, &net.AddrError{Err: "is nobody's", Addr: to.String()}
	}
	return m.tryWrite(p)
}

func (m *memoryPackets) ReadFrom(p []byte) (n int, from net.Addr, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for {
		if n, from, err = m.tryRead(p); err != wheel.ErrAgain {
			return n, from, err
		}
		m.changed.Wait()
	}
}

func (m *memoryPackets) WriteTo(p []byte, _ net.Addr) (n int, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for {
		if n, err = m.tryWrite(p); err != wheel.ErrAgain {
			return n, err
		}
		m.changed.Wait()
	}
}

func (m *memoryPackets) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	m.changed.Broadcast()
	return nil
}
