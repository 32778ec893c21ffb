package wheel_test

import (
	"errors"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

// A connected socket hears that nobody is at its peer's port. It goes on, and when
// somebody is, he gets what is sent.
func TestW52_NobodyThereIsAnErrorEvent(t *testing.T) {
	for name, wrap := range map[string]func(net.Conn) net.PacketConn{
		"descriptor": func(c net.Conn) net.PacketConn { return c.(net.PacketConn) },
		"goroutines": func(c net.Conn) net.PacketConn { return connectedOnly{packetsOnly{c.(net.PacketConn)}, c} },
	} {
		t.Run(name, func(t *testing.T) {
			inModes(t, func(t *testing.T, k *kernel.Kernel) {
				gone := bindPackets(t, "udp")
				conn, err := net.Dial("udp", gone.LocalAddr().String())
				if err != nil {
					t.Fatal(err)
				}
				_ = gone.Close()
				s := newPackets(t, wrap(conn))
				s.begin = func(*kernel.Context) error { s.put(wheel.Packet{Data: []byte("to nobody")}); return nil }
				s.onFail = func(_ *kernel.Context, e *wheel.Error) {
					if !errors.Is(e, syscall.ECONNREFUSED) || e.Wheel != s.d.ID() {
						t.Errorf("failure %v", e)
					}
					back, err := net.ListenPacket("udp", gone.LocalAddr().String())
					if err != nil {
						t.Error(err)
						return
					}
					_ = back.SetDeadline(time.Now().Add(patience))
					s.put(wheel.Packet{Data: []byte("to somebody")})
					s.d.CloseFlushed()
					beside(t, func() {
						if got, _ := receive(t, back); got != "to somebody" {
							t.Errorf("the peer got %q", got)
						}
						_ = back.Close()
					})
				}
				run(t, k, s.session())
				s.log[0] = strings.TrimPrefix(strings.TrimPrefix(s.log[0], "read "), "write ")
				s.want("connection refused", "closed nil")
			})
		})
	}
}

// connectedOnly is a connected socket that is used through its methods.
type connectedOnly struct {
	packetsOnly
	conn net.Conn
}

func (c connectedOnly) RemoteAddr() net.Addr        { return c.conn.RemoteAddr() }
func (c connectedOnly) Write(p []byte) (int, error) { return c.conn.Write(p) }

// What cannot be sent is one ErrorEvent each, however many; the rest arrives.
func TestW52_PacketsThatCannotBeSent(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		far := bindPackets(t, "udp")
		to := far.LocalAddr()
		const n = 300 // more than a turn tells of
		s := newPackets(t, bindPackets(t, "udp"))
		s.cfg.InputEvent, s.cfg.FlushedEvent = "", flushed
		s.begin = func(*kernel.Context) error {
			for range n {
				s.put(wheel.Packet{Data: make([]byte, 70_000), Addr: to})
			}
			return nil
		}
		s.cfg.MaxOutput = n * 70_000
		bad := 0
		s.onFail = func(_ *kernel.Context, e *wheel.Error) {
			if bad++; !errors.Is(e, syscall.EMSGSIZE) || e.Op != "write" {
				t.Errorf("failure %v", e)
			}
			s.log = nil
		}
		s.onDone = func(*kernel.Context) {
			s.put(wheel.Packet{Data: []byte("good"), Addr: to},
				wheel.Packet{Addr: &net.UnixAddr{Name: "x"}},
				wheel.Packet{Addr: &net.UDPAddr{IP: net.IPv6loopback, Port: 1}},
				wheel.Packet{Data: []byte("good, too"), Addr: to})
			s.onFail, s.onDone = nil, func(*kernel.Context) { s.d.CloseFlushed() }
		}
		run(t, k, s.session())
		if bad != n {
			t.Errorf("%d errors, want %d", bad, n)
		}
		s.want("flushed", "write address x: is no address for this socket",
			"write address [::1]:1: is no address for this socket", "flushed", "closed nil")
		for _, want := range []string{"good", "good, too"} {
			if got, _ := receive(t, far); got != want {
				t.Errorf("the far end got %q, want %q", got, want)
			}
		}
	})
}

// A packet over MaxSize is not cut in silence, one of MaxSize is fine.
func TestW52_PacketOverMaxSize(t *testing.T) {
	onPacketKinds(t, func(t *testing.T, k *kernel.Kernel, near, far net.PacketConn) {
		send(t, far, near.LocalAddr(), "0123456789", "0123456789x", string(make([]byte, 5000)), "end")
		s := newPackets(t, near)
		s.cfg.MaxSize = 10
		s.packet = func(_ *kernel.Context, p wheel.Packet) error {
			if s.note("packet %s", p.Data); string(p.Data) == "end" {
				s.d.CloseFlushed()
			}
			return nil
		}
		s.onFail = func(_ *kernel.Context, e *wheel.Error) {
			if !errors.Is(e, filter.ErrTooLong) {
				t.Errorf("failure %v", e)
			}
		}
		run(t, k, s.session())
		s.want("packet 0123456789", "read too long", "read too long", "packet end", "closed nil")
	})
}

// A socket that is of no use any more is the wheel's end.
func TestG11_W52_SocketClosedElsewhere(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		for _, wrap := range []func(net.PacketConn) net.PacketConn{
			func(c net.PacketConn) net.PacketConn { return c },
			func(c net.PacketConn) net.PacketConn { return packetsOnly{c} },
		} {
			conn := bindPackets(t, "udp")
			s := newPackets(t, wrap(conn))
			s.cfg.InputEvent = ""
			s.begin = func(*kernel.Context) error {
				_ = conn.Close()
				s.put(wheel.Packet{Data: []byte("x"), Addr: conn.LocalAddr()}, wheel.Packet{Addr: conn.LocalAddr()})
				return nil
			}
			run(t, k, s.session())
			s.want("write use of closed network connection", "closed use of closed network connection")

			conn = bindPackets(t, "udp")
			s = newPackets(t, wrap(conn))
			s.begin = func(*kernel.Context) error { return conn.Close() }
			run(t, k, s.session())
			s.want("read use of closed network connection", "closed use of closed network connection")
		}
	})
}

// The queue of a unixgram socket is full of others' packets: the system does not say
// when there is room.
func TestW52_UnixgramReceiverThatOthersFilled(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		far := bindPackets(t, "unixgram")
		stuffed, put := 0, make(chan struct{})
		for n := 1; n > 0; stuffed += n { // a sender's own limit may come first
			n = fillWithPackets(t, bindPackets(t, "unixgram"), far)
		}
		s := newPackets(t, bindPackets(t, "unixgram"))
		s.begin = func(*kernel.Context) error {
			s.put(wheel.Packet{Data: []byte("at last"), Addr: far.LocalAddr()})
			if s.d.Buffered() == 0 {
				t.Error("the receiver had room: the test proves nothing")
			}
			s.d.CloseFlushed()
			close(put)
			return nil
		}
		beside(t, func() {
			<-put
			var got []string
			for range stuffed + 1 {
				p, _ := receive(t, far)
				got = append(got, p)
			}
			if !slices.Contains(got, "at last") {
				t.Error("the packet did not arrive")
			}
		})
		run(t, k, s.session())
		s.want("closed nil")
	})
}

func fillWithPackets(t *testing.T, from, to net.PacketConn) (n int) {
	raw, err := from.(syscall.Conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	_ = raw.Write(func(fd uintptr) bool {
		for syscall.Sendto(int(fd), []byte("stuff"), 0, &syscall.SockaddrUnix{Name: to.LocalAddr().String()}) == nil {
			n++
		}
		return true
	})
	return n
}

// A path without a socket, and one whose socket is gone.
func TestW52_W53_UnixgramPathsWithoutASocket(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		stale := bindPackets(t, "unixgram")
		_ = stale.Close()
		s := newPackets(t, bindPackets(t, "unixgram"))
		s.cfg.FlushedEvent = flushed
		s.begin = func(*kernel.Context) error {
			s.put(wheel.Packet{Addr: stale.LocalAddr()},
				wheel.Packet{Addr: &net.UnixAddr{Name: filepath.Join(t.TempDir(), "nothing"), Net: "unixgram"}})
			return nil
		}
		s.onDone = func(*kernel.Context) { s.d.CloseFlushed() }
		run(t, k, s.session())
		s.want("write connection refused", "write no such file or directory", "flushed", "closed nil")
	})
}

// A sender without an address has none.
func TestW52_W53_UnboundUnixgramSender(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		near := bindPackets(t, "unixgram")
		from, err := net.Dial("unixgram", near.LocalAddr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer from.Close()
		if _, err := from.Write([]byte("who am I")); err != nil {
			t.Fatal(err)
		}
		s := newPackets(t, near)
		s.packet = func(_ *kernel.Context, p wheel.Packet) error {
			s.note("%s from %v", p.Data, p.Addr)
			s.d.Close()
			return nil
		}
		run(t, k, s.session())
		s.want("who am I from <nil>")
	})
}
