package clustertest_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/usher-go/usher/components/cluster/clustertest"
	"github.com/usher-go/usher/components/cluster/wire"
	"github.com/usher-go/usher/wheel/wheeltest"
)

// Packets arrive once and in the order sent, small and large, over a bad network, too.
func TestTransport_Order(t *testing.T) {
	seeds(t, func(t *testing.T, seed uint64) {
		w, a, b := pair(t, seed, clustertest.Config{Network: wheeltest.Config{
			Link: wheeltest.Link{Delay: ms, Jitter: 20 * ms, Loss: 0.05},
		}})
		large := bytes.Repeat([]byte{7}, 300<<10)
		sizes := 0
		b.hear = func(p *wire.Packet) { sizes += len(p.Frames) }
		const most = 50
		for n := uint64(1); n <= most; n++ {
			w.At(time.Duration(n/5)*10*ms, func() {
				p := &wire.Packet{Node: "a", First: n}
				if n%20 == 0 {
					p.Frames = large
				}
				a.tr.Send(b.m.Address(), p)
				b.send(a, n)
				b.send(b, n) // to itself
			})
		}
		w.Run(5 * time.Minute)
		for _, got := range [][]uint64{b.got["a"], a.got["b"], b.got["b"]} {
			if len(got) != most {
				t.Fatalf("got %v, want 1 to %d", got, most)
			}
			for i, n := range got {
				expect(t, "number", n, uint64(i+1))
			}
		}
		expect(t, "bytes of large packets", sizes, 2*len(large))
		expect(t, "connected", a.told("connected b:7000"), 1)
		expect(t, "broken", a.told("broken b:7000"), 0)
	})
}

// Nobody is there: Broken comes once per try, the back-off throws away what is sent
// meanwhile, and Connected comes when somebody is there.
func TestTransport_NobodyThere(t *testing.T) {
	seeds(t, func(t *testing.T, seed uint64) {
		w := clustertest.New(t, seed)
		a, late := join(t, w, w.Node("a")), w.Node("late")
		b := &toy{m: late}
		for i := range 300 {
			w.At(time.Duration(i)*100*ms, func() { a.send(b, uint64(i)) })
		}
		w.Run(20 * sec)
		if n := a.told("broken late:7000"); n < 20/2 || n > 30 {
			t.Errorf("broken %d times in 20 s; want about one in 1 to 2 s, after the first", n)
		}
		expect(t, "connected", a.told("connected late:7000"), 0)
		b = join(t, w, late)
		w.Run(10 * sec)
		expect(t, "connected", a.told("connected late:7000"), 1)
		got := b.got["a"]
		if len(got) < 70 || got[len(got)-1] != 299 {
			t.Fatalf("got %v; want most of the last 100 of 300", got)
		}
		for i := range got {
			expect(t, "number", got[i], got[0]+uint64(i))
		}
	})
}

// A name that nobody has, and an address that is none, are Broken.
func TestTransport_BadAddress(t *testing.T) {
	w := clustertest.New(t, 0)
	a := join(t, w, w.Node("a"))
	for _, to := range []string{"nobody:7000", "rubbish", "a:1"} {
		a.tr.Send(to, &wire.Packet{Node: "a"})
		w.Run(sec)
		expect(t, "broken "+to, a.told("broken "+to), 1)
	}
}

// Drop closes; what is sent then needs a new connection. Nobody is told that it broke.
func TestTransport_Drop(t *testing.T) {
	seeds(t, func(t *testing.T, seed uint64) {
		w, a, b := pair(t, seed)
		a.tr.Drop(b.m.Address()) // nothing is there
		a.send(b, 1)
		a.tr.Drop(b.m.Address()) // while it dials
		w.Run(sec)
		wantList(t, "before the drop", b.got["a"])
		a.send(b, 2)
		w.Run(sec)
		a.tr.Drop(b.m.Address())
		expect(t, "connections after the drop", len(w.Network().Conns()), 1)
		w.Run(sec)
		expect(t, "connections when it was noticed", len(w.Network().Conns()), 0)
		a.send(b, 3)
		w.Run(sec)
		wantList(t, "after the drop", b.got["a"], 2, 3)
		expect(t, "connected", a.told("connected b:7000"), 2)
		expect(t, "broken", a.told("broken b:7000"), 0)
	})
}

// Drop in the carrier's own methods is fine.
func TestTransport_DropInside(t *testing.T) {
	seeds(t, func(t *testing.T, seed uint64) {
		w, a, b := pair(t, seed)
		b.hear = func(p *wire.Packet) {
			b.send(a, p.First)
			b.tr.Drop(a.m.Address())
			b.tr.Drop(a.m.Address())
		}
		a.send(b, 1)
		w.Run(sec)
		a.hear = func(*wire.Packet) { _ = a.tr.Close() }
		b.hear = func(p *wire.Packet) { b.send(a, p.First); b.send(a, p.First+1) }
		a.send(b, 2)
		w.Run(sec)
		wantList(t, "until it closed in Receive", a.got["b"], 2)
	})
}

// Close sends what was sent before it; after it the carrier hears nothing, and the
// machine's next transport can start.
func TestTransport_Close(t *testing.T) {
	seeds(t, func(t *testing.T, seed uint64) {
		w, a, b := pair(t, seed)
		a.send(b, 1)
		b.send(a, 1)
		w.Run(sec)
		a.send(b, 2)
		if err := errors.Join(a.tr.Close(), a.tr.Close()); err != nil {
			t.Error(err)
		}
		a.send(b, 3)
		b.send(a, 2)
		heard := len(a.lines)
		w.Run(10 * sec)
		expect(t, "told after Close", len(a.lines)-heard, 0)
		wantList(t, "sent before Close", b.got["a"], 1, 2)
		expect(t, "broken", b.told("broken a:7000"), 1)
		if _, err := a.tr.Start(context.Background(), a); !errors.Is(err, clustertest.ErrStarted) {
			t.Errorf("start after Close: %v, want ErrStarted", err)
		}
		again := join(t, w, a.m)
		b.send(again, 3)
		w.Run(sec)
		wantList(t, "the next transport", again.got["b"], 3)
		if _, err := again.tr.Start(context.Background(), a); !errors.Is(err, clustertest.ErrStarted) {
			t.Errorf("second start: %v, want ErrStarted", err)
		}
	})
}

// Strangers, and machines that send what is no packet, are refused, and do no harm.
func TestTransport_Strangers(t *testing.T) {
	seeds(t, func(t *testing.T, seed uint64) {
		w, a, b := pair(t, seed)
		say := func(host, what string) {
			w.Network().On(host).DialAsync(context.Background(), "tcp", b.m.Address(), func(c net.Conn, err error) {
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = c.(*wheeltest.Conn).TryWrite([]byte(what))
				w.At(w.Elapsed()+sec, func() { _ = c.Close() })
			})
			w.Run(2 * sec)
		}
		say("203.0.113.9", "\x00\x00\x00\x00")
		expect(t, "strangers", b.told("not a machine of this world"), 1)
		say("a", "GET / HTTP/1.1\r\n\r\n")
		expect(t, "lengths", b.told("not a packet: it begins with a length of 1195725856"), 1)
		say("a", "\x00\x00\x00\x02\xff\xff")
		expect(t, "refused", len(b.lines), 3)
		say("a", "\x00\x00\x00\x09half")
		expect(t, "refused", len(b.lines), 3)
		a.send(b, 1)
		w.Run(sec)
		wantList(t, "a node", b.got["a"], 1)
	})
}
