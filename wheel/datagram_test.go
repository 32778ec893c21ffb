package wheel_test

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
)

// Packets keep their bounds, the empty one too, and their sender; what is put to him
// reaches him.
func TestW52_PacketsComeAndGo(t *testing.T) {
	onPacketKinds(t, func(t *testing.T, k *kernel.Kernel, near, far net.PacketConn) {
		s := newPackets(t, near)
		var first net.Addr
		s.packet = func(_ *kernel.Context, p wheel.Packet) error {
			s.note("packet %s", p.Data)
			if p.Addr.String() != far.LocalAddr().String() {
				t.Errorf("sender %v, want %v", p.Addr, far.LocalAddr())
			}
			if first == nil {
				first = p.Addr
			}
			s.put(wheel.Packet{Data: append([]byte("re: "), p.Data...), Addr: p.Addr})
			if string(p.Data) == "bye" {
				s.d.CloseFlushed()
			}
			return nil
		}
		long := strings.Repeat("x", 9000)
		want := []string{"one", "", long, "bye"}
		beside(t, func() {
			for _, p := range want {
				send(t, far, near.LocalAddr(), p)
				if got, _ := receive(t, far); got != "re: "+p {
					t.Errorf("answer to %.10q is %.20q", p, got)
				}
			}
		})
		run(t, k, s.session())
		s.want("packet one", "packet ", "packet "+long, "packet bye", "closed nil")
		if err := s.d.Put(wheel.Packet{Addr: first}); !errors.Is(err, wheel.ErrClosed) {
			t.Errorf("Put after the end: %v", err)
		}
	})
}

// What the system has no room for at once is queued, sent in order, and told of
// once it is sent.
func TestW52_W22_OutputWaitsForTheReceiver(t *testing.T) {
	for _, name := range []string{"unixgram", "memory"} {
		t.Run(name, func(t *testing.T) {
			inModes(t, func(t *testing.T, k *kernel.Kernel) {
				const n = 2000
				near, far := packetKinds[name](t)
				s := newPackets(t, near)
				s.cfg.FlushedEvent = flushed
				put := make(chan struct{})
				s.begin = func(*kernel.Context) error {
					for i := range n {
						s.put(wheel.Packet{Data: fmt.Appendf(nil, "%4d", i), Addr: far.LocalAddr()})
					}
					if s.d.Buffered() == 0 {
						t.Error("nothing is queued: the test proves nothing")
					}
					close(put)
					return nil
				}
				s.onDone = func(*kernel.Context) {
					if b := s.d.Buffered(); b != 0 {
						t.Errorf("flushed with %d bytes", b)
					}
					s.d.CloseFlushed()
				}
				beside(t, func() {
					<-put
					for i := range n {
						if got, _ := receive(t, far); got != fmt.Sprintf("%4d", i) {
							t.Errorf("packet %d is %q", i, got)
							return
						}
					}
				})
				run(t, k, s.session())
				s.want("flushed", "closed nil")
			})
		})
	}
}

func TestG12_W52_MaxOutputInBytesAndPackets(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		near, far := packetsInMemory()
		s := newPackets(t, near)
		s.cfg.MaxOutput = 6400
		s.begin = func(*kernel.Context) error {
			p := wheel.Packet{Addr: far.LocalAddr()}
			taken := 0
			for s.d.Put(p) == nil {
				taken++
			}
			if taken != 8+100 {
				t.Errorf("%d empty packets were taken, want 8 that were sent and 100", taken)
			}
			p.Data = make([]byte, 6401)
			if err := s.d.Put(p); !errors.Is(err, wheel.ErrOutputFull) {
				t.Errorf("Put of more than MaxOutput: %v", err)
			}
			s.d.Close()
			return nil
		}
		run(t, k, s.session())
		s.want()
	})
}

// G11: nothing before the maker has returned, nothing after Close, wherever that is
// called.
func TestG11_T14_W2_W52_EventsBeginAndEnd(t *testing.T) {
	onPacketKinds(t, func(t *testing.T, k *kernel.Kernel, near, far net.PacketConn) {
		send(t, far, near.LocalAddr(), "early", "and more", "and more")
		s := newPackets(t, near)
		s.cfg.FlushedEvent = flushed
		s.begin = func(*kernel.Context) error {
			s.put(wheel.Packet{Data: []byte("x"), Addr: far.LocalAddr()})
			s.note("made")
			return nil
		}
		s.packet = func(*kernel.Context, wheel.Packet) error {
			s.note("packet")
			s.d.Close()
			s.d.CloseFlushed()
			s.d.ResumeInput()
			return nil
		}
		s.onDone = func(*kernel.Context) { s.d.PauseInput(); s.d.ResumeInput() }
		run(t, k, s.session())
		if s.log[0] != "made" || s.log[len(s.log)-1] != "packet" || len(s.log) > 3 {
			t.Errorf("events %q; want made, perhaps flushed, and one packet", s.log)
		}
		if _, err := near.WriteTo(nil, far.LocalAddr()); !errors.Is(err, net.ErrClosed) {
			t.Errorf("the socket after Close: %v", err)
		}
	})
}

// W11: a wheel without InputEvent holds its session for its output only, and for
// nothing else.
func TestW11_W52_OutputHoldsTheSession(t *testing.T) {
	onPacketKinds(t, func(t *testing.T, k *kernel.Kernel, near, far net.PacketConn) {
		const n = 100
		s := newPackets(t, near)
		s.cfg = wheel.DatagramConfig{}
		s.begin = func(*kernel.Context) error {
			for range n {
				s.put(wheel.Packet{Data: []byte("last words"), Addr: far.LocalAddr()})
			}
			return nil
		}
		beside(t, func() {
			for range n {
				receive(t, far)
			}
		})
		run(t, k, s.session())
	})
}

func TestW32_W52_PauseAndResume(t *testing.T) {
	onPacketKinds(t, func(t *testing.T, k *kernel.Kernel, near, far net.PacketConn) {
		send(t, far, near.LocalAddr(), "1", "2", "3")
		s := newPackets(t, near)
		s.packet = func(c *kernel.Context, p wheel.Packet) error {
			s.note("packet %s", p.Data)
			switch string(p.Data) {
			case "2":
				s.d.PauseInput()
				return carryOn.Yield(c, struct{}{})
			case "3":
				s.d.CloseFlushed()
			}
			return nil
		}
		s.more = []session.State{
			session.On(carryOn, func(c *kernel.Context, _ struct{}) error {
				s.note("paused")
				return tryAgain.Yield(c, struct{}{})
			}),
			session.On(tryAgain, func(*kernel.Context, struct{}) error { s.note("resumed"); s.d.ResumeInput(); return nil }),
		}
		run(t, k, s.session())
		s.want("packet 1", "packet 2", "paused", "resumed", "packet 3", "closed nil")
	})
}

// 64 packets are a turn's share.
func TestOtherEventsComeBetweenPackets(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		near, far := bindPackets(t, "udp"), bindPackets(t, "udp")
		const n = 200
		for range n {
			send(t, far, near.LocalAddr(), "x")
		}
		s := newPackets(t, near)
		got, seen := 0, 0
		s.packet = func(c *kernel.Context, _ wheel.Packet) error {
			switch got++; got {
			case 1:
				return carryOn.Yield(c, struct{}{})
			case n:
				s.d.Close()
			}
			return nil
		}
		s.more = []session.State{session.On(carryOn, func(*kernel.Context, struct{}) error { seen = got; return nil })}
		run(t, k, s.session())
		if seen != 64 {
			t.Errorf("the other event came after %d packets, want 64", seen)
		}
	})
}

// The same in every order that the kernel may choose, and without a goroutine.
func TestW52_Simulated(t *testing.T) {
	kerneltest.Seeds(t, 10, func(t *testing.T, seed uint64) {
		near, far := packetsInMemory()
		const n = 100
		client, server := newPackets(t, near), newPackets(t, far)
		server.packet = func(_ *kernel.Context, p wheel.Packet) error {
			server.put(p)
			if string(p.Data) == "99" {
				server.d.CloseFlushed()
			}
			return nil
		}
		client.begin = func(*kernel.Context) error {
			for i := range n {
				client.put(wheel.Packet{Data: fmt.Append(nil, i), Addr: far.LocalAddr()})
			}
			return nil
		}
		var got, want []string
		for i := range n {
			want = append(want, fmt.Sprint(i))
		}
		client.packet = func(_ *kernel.Context, p wheel.Packet) error {
			if got = append(got, string(p.Data)); len(got) == n {
				client.d.CloseFlushed()
			}
			return nil
		}
		k := kerneltest.New(t, kerneltest.Seed(seed))
		for _, s := range []*packets{client, server} {
			if _, err := k.Spawn(s.session()); err != nil {
				t.Fatal(err)
			}
		}
		kerneltest.Run(t, k)
		if !slices.Equal(got, want) {
			t.Errorf("got %q", got)
		}
		client.want("closed nil")
		server.want("closed nil")
	})
}

func TestDatagramConfigIsChecked(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		stream, _ := connect(t, "unix")
		run(t, k, session.New(session.Handle("_start", func(c *kernel.Context) error {
			for what, make := range map[string]func() (*wheel.Datagram, error){
				"MaxSize": func() (*wheel.Datagram, error) {
					return wheel.NewDatagram(c, bindPackets(t, "udp"), wheel.DatagramConfig{MaxSize: -1})
				},
				"MaxSize is 1073741825": func() (*wheel.Datagram, error) {
					return wheel.NewDatagram(c, bindPackets(t, "udp"), wheel.DatagramConfig{MaxSize: 1<<30 + 1})
				},
				"MaxOutput": func() (*wheel.Datagram, error) {
					return wheel.NewDatagram(c, bindPackets(t, "udp"), wheel.DatagramConfig{MaxOutput: -1})
				},
				"is nil": func() (*wheel.Datagram, error) { return wheel.NewDatagram(c, nil, wheel.DatagramConfig{}) },
				"use NewReadWrite": func() (*wheel.Datagram, error) {
					return wheel.NewDatagram(c, stream.(net.PacketConn), wheel.DatagramConfig{})
				},
			} {
				if _, err := make(); !errors.Is(err, wheel.ErrConfig) || !strings.Contains(err.Error(), what) {
					t.Errorf("%s: %v", what, err)
				}
			}
			return nil
		})))
	})
}

// An address where none belongs, and none where one does, are Put's errors, before
// anything is sent.
func TestW52_AddressesThatCannotBeMeant(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		far := bindPackets(t, "udp")
		dialled, err := net.Dial("udp", far.LocalAddr().String())
		if err != nil {
			t.Fatal(err)
		}
		right := map[net.PacketConn]net.Addr{bindPackets(t, "udp"): far.LocalAddr(), dialled.(net.PacketConn): nil}
		for conn, to := range right {
			s := newPackets(t, conn)
			s.begin = func(*kernel.Context) error {
				wrong := far.LocalAddr()
				if to != nil {
					wrong = nil
				}
				if err := s.d.Put(wheel.Packet{Addr: to}, wheel.Packet{Addr: wrong}); !errors.Is(err, kernel.ErrArgument) {
					t.Errorf("Put to %v: %v", wrong, err)
				}
				s.put(wheel.Packet{Data: []byte("right"), Addr: to})
				s.d.CloseFlushed()
				return nil
			}
			run(t, k, s.session())
			s.want("closed nil")
			if got, _ := receive(t, far); got != "right" {
				t.Errorf("the far end got %q", got)
			}
		}
	})
}
