package wheeltest_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/wheeltest"
)

func (l *lab) packets(network, address string) *wheeltest.PacketConn {
	l.t.Helper()
	c, err := l.ListenPacket(context.Background(), network, address)
	if err != nil {
		l.t.Fatal(err)
	}
	return c.(*wheeltest.PacketConn)
}

// dialPackets is a dial of datagrams.
func (l *lab) dialPackets(ctx context.Context, network, address string) (conn wheel.Pollable) {
	l.t.Helper()
	l.DialAsync(ctx, network, address, func(c net.Conn, err error) {
		if err != nil {
			l.t.Errorf("dial %s %s: %v", network, address, err)
			return
		}
		conn = c.(wheel.Pollable)
	})
	l.settle()
	return conn
}

// all takes every datagram that has come.
func all(t *testing.T, c *wheeltest.PacketConn) (list []string) {
	t.Helper()
	for {
		p := make([]byte, 100)
		n, _, err := c.TryReadFrom(p)
		if err != nil {
			wantError(t, "read", err, wheel.ErrAgain)
			return list
		}
		list = append(list, string(p[:n]))
	}
}

func TestUDP(t *testing.T) {
	for _, family := range []struct{ network, at string }{{"udp4", "10.0.0.1"}, {"udp6", "fd00::1"}, {"udp", "10.0.0.1"}} {
		t.Run(family.network, func(t *testing.T) {
			l := newLab(t, wheeltest.Config{Link: wheeltest.Link{Delay: ms}})
			server := l.packets(family.network, net.JoinHostPort(family.at, "53"))
			client := l.packets(family.network, ":0")
			told := 0
			server.Notify(func() { told++ }, nil)
			for _, s := range []string{"hello", "", "world"} {
				if n, err := client.TryWriteTo([]byte(s), server.LocalAddr()); n != len(s) || err != nil {
					t.Fatalf("write: %d, %v", n, err)
				}
			}
			_, _, err := server.TryReadFrom(nil)
			wantError(t, "read", err, wheel.ErrAgain)
			l.advance(ms)
			expect(t, "told", told, 3)
			p := make([]byte, 3)
			n, from, err := server.TryReadFrom(p)
			if string(p[:n]) != "hel" || err != nil {
				t.Errorf("read %q, %v; want what fits", p[:n], err)
			}
			expect(t, "the others", fmt.Sprintf("%q", all(t, server)), `["" "world"]`)
			if _, err := server.TryWriteTo([]byte("answer"), from); err != nil {
				t.Error(err)
			}
			l.advance(ms)
			expect(t, "answers", fmt.Sprintf("%q", all(t, client)), `["answer"]`)
			_, err = client.TryWriteTo(make([]byte, 65508), server.LocalAddr())
			wantError(t, "a write of too much", err, syscall.EMSGSIZE)
			_ = client.Close()
			_ = server.Close()
			l.Check(t)
		})
	}
}

// A connected socket hears of a closed port, and hears nobody but its peer.
func TestConnectedUDP(t *testing.T) {
	l := newLab(t, wheeltest.Config{})
	server := l.packets("udp", "10.0.0.1:53")
	c := l.dialPackets(kernel.WithLocalAddress(context.Background(), "10.0.0.7:9"), "udp", "10.0.0.1:53")
	expect(t, "local address", c.LocalAddr().String(), "10.0.0.7:9")
	expect(t, "remote address", c.RemoteAddr().String(), "10.0.0.1:53")
	put(t, c, "question")
	stranger := l.packets("udp", "10.0.0.1:54")
	_, _ = stranger.TryWriteTo([]byte("forged"), c.LocalAddr())
	l.settle()
	wantReadError(t, c, wheel.ErrAgain)
	expect(t, "questions", fmt.Sprint(all(t, server)), "[question]")
	_, _ = server.TryWriteTo([]byte("answer"), c.LocalAddr())
	l.settle()
	wantRead(t, c, "answer")
	_, err := c.(net.PacketConn).WriteTo([]byte("x"), server.LocalAddr())
	wantError(t, "write to somebody", err, net.ErrWriteToConnected)
	_ = server.Close()
	put(t, c, "still there?")
	l.settle()
	wantReadError(t, c, syscall.ECONNREFUSED)
	wantReadError(t, c, wheel.ErrAgain)
	put(t, c, "really?")
	l.settle()
	wantWriteError(t, c, syscall.ECONNREFUSED)
	_ = c.Close()
	wantReadError(t, c, net.ErrClosed)
}

// Loss, duplicates and late ones are what the link says, and are counted.
func TestUDPFaults(t *testing.T) {
	const sent = 500
	for name, link := range map[string]wheeltest.Link{
		"loss": {Loss: 0.2}, "duplicates": {Duplicate: 0.2}, "reorder": {Delay: 2 * ms, Reorder: 0.2}, "jitter": {Jitter: 50 * ms}, "none": {Delay: ms},
	} {
		t.Run(name, func(t *testing.T) {
			kerneltest.Seeds(t, 5, func(t *testing.T, seed uint64) {
				l := newLab(t, wheeltest.Config{Seed: seed, Link: link})
				a, b := l.packets("udp", "10.0.0.1:1"), l.packets("udp", "10.0.0.2:2")
				for i := range sent {
					_, _ = a.TryWriteTo(fmt.Appendf(nil, "%03d", i), b.LocalAddr())
					l.advance(ms)
				}
				l.advance(100 * ms)
				got := all(t, b)
				once := slices.Compact(slices.Sorted(slices.Values(got)))
				stats := l.Stats()
				expect(t, "datagrams sent", stats.Datagrams, sent)
				expect(t, "missing", sent-len(once), stats.Lost)
				expect(t, "twice", len(got)-len(once), stats.Duplicated)
				expect(t, "some lost", stats.Lost > sent/10 && stats.Lost < sent/3, link.Loss > 0)
				expect(t, "some twice", stats.Duplicated > sent/10, link.Duplicate > 0)
				expect(t, "in order", slices.IsSorted(got), link.Reorder == 0 && link.Jitter == 0)
			})
		})
	}
}

// A receiver that does not read loses what comes; memory does not grow.
func TestUDPBuffer(t *testing.T) {
	l := newLab(t, wheeltest.Config{Buffer: 1000})
	a, b := l.packets("udp", "10.0.0.1:1"), l.packets("udp", "10.0.0.2:2")
	for range 100 {
		_, _ = a.TryWriteTo(make([]byte, 72), b.LocalAddr())
	}
	l.settle()
	expect(t, "kept", len(all(t, b)), 10)
	expect(t, "lost", l.Stats().Lost, 90)
}

// Sockets that share a port share what comes, and each gets some.
func TestReusePort(t *testing.T) {
	l := newLab(t, wheeltest.Config{})
	share := kernel.WithReusePort(context.Background())
	var conns [3]*wheeltest.PacketConn
	for i := range conns {
		c, err := l.ListenPacket(share, "udp", "10.0.0.1:53")
		if err != nil {
			t.Fatal(err)
		}
		conns[i] = c.(*wheeltest.PacketConn)
	}
	_, err := l.ListenPacket(context.Background(), "udp", "10.0.0.1:53")
	wantError(t, "one who does not share", err, syscall.EADDRINUSE)
	a := l.packets("udp", ":0")
	for range 100 {
		_, _ = a.TryWriteTo([]byte("x"), conns[0].LocalAddr())
	}
	l.settle()
	total := 0
	for i, c := range conns {
		n := len(all(t, c))
		if total += n; n == 0 {
			t.Errorf("socket %d got nothing", i)
		}
	}
	expect(t, "in all", total, 100)
}

// Datagrams of unix sockets arrive, in order; who finds no room waits for it.
func TestUnixgram(t *testing.T) {
	kerneltest.Seeds(t, 5, func(t *testing.T, seed uint64) {
		l := newLab(t, wheeltest.Config{Seed: seed, Buffer: 1000, Link: wheeltest.Link{Jitter: 10 * ms, Loss: 0.5, Duplicate: 0.5}})
		b := l.packets("unixgram", "/run/log")
		a := l.dialPackets(context.Background(), "unixgram", "/run/log")
		told := 0
		a.Notify(nil, func() { told++ })
		var want []string
		for i := 0; ; i++ {
			s := fmt.Sprintf("%03d", i)
			if _, err := a.TryWrite([]byte(s)); err != nil {
				wantError(t, "write", err, wheel.ErrAgain)
				break
			}
			want = append(want, s)
		}
		l.advance(ms * 10)
		expect(t, "told before anybody read", told, 0)
		got := all(t, b)
		expect(t, "told", told, 1)
		expect(t, "arrived", strings.Join(got, " "), strings.Join(want, " "))
		put(t, a, "more")
		_, err := a.TryWrite(make([]byte, 1000))
		wantError(t, "more than ever fits", err, syscall.EMSGSIZE)
		_ = b.Close()
		wantWriteError(t, a, syscall.ECONNREFUSED)
		l.Unlink("/run/log")
		wantWriteError(t, a, syscall.ENOENT)
		_ = a.Close()
		l.Check(t)
	})
}

// One who waits for room hears of the receiver's end.
func TestUnixgramReceiverCloses(t *testing.T) {
	n := wheeltest.New(wheeltest.Config{Buffer: 100})
	b, err := n.ListenPacket(context.Background(), "unixgram", "/run/log")
	if err != nil {
		t.Fatal(err)
	}
	a, err := n.Dial(context.Background(), "unixgram", "/run/log")
	if err != nil {
		t.Fatal(err)
	}
	begun, done := make(chan struct{}), make(chan error)
	go func() {
		close(begun)
		for {
			if _, err := a.Write(make([]byte, 50)); err != nil {
				done <- err
				return
			}
		}
	}()
	<-begun
	_ = b.Close()
	wantError(t, "write", <-done, syscall.ECONNREFUSED)
	_ = a.Close()
	n.Check(t)
}

// The face that waits.
func TestUDP_Blocking(t *testing.T) {
	n := wheeltest.New(wheeltest.Config{})
	server, err := n.ListenPacket(context.Background(), "udp", "10.0.0.1:53")
	if err != nil {
		t.Fatal(err)
	}
	c, err := n.Dial(context.Background(), "udp", "10.0.0.1:53")
	if err != nil {
		t.Fatal(err)
	}
	echoed := make(chan error)
	go func() {
		p := make([]byte, 10)
		n, from, err := server.ReadFrom(p)
		if err == nil {
			_, err = server.WriteTo(p[:n], from)
		}
		echoed <- err
	}()
	_, err = c.Write([]byte("hello"))
	expect(t, "error", err, nil)
	p := make([]byte, 10)
	got, err := c.Read(p)
	if string(p[:got]) != "hello" || err != nil {
		t.Errorf("read %q, %v", p[:got], err)
	}
	expect(t, "error", <-echoed, nil)
	_ = c.SetReadDeadline(time.Unix(1, 0))
	_, err = c.Read(p)
	wantError(t, "read", err, os.ErrDeadlineExceeded)
	for _, bad := range []net.Addr{nil, &net.UnixAddr{Name: "x"}} {
		if _, err := server.WriteTo(p, bad); !strings.Contains(fmt.Sprint(err), "no address for udp") {
			t.Errorf("write to %v: %v", bad, err)
		}
	}
	_, _ = c.Close(), server.Close()
	n.Check(t)
}
