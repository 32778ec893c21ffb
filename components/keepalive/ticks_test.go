package keepalive

import (
	"slices"
	"testing"
	"time"
)

// TestA5_A94_A96_EachReturnCounts: one timer serves all idle connections, and each
// leaves exactly KeepAlive after its own last return, which its peer hears 10 ms later.
func TestA5_A94_A96_EachReturnCounts(t *testing.T) {
	inBubbles(t, Config{KeepAlive: 3300 * time.Millisecond}, func(b *bubble) {
		one, two := b.get(), b.get() // at 30 and 60 ms
		b.release(one)
		b.after(500 * time.Millisecond)
		b.release(two)
		b.after(1500 * time.Millisecond)
		again := b.get()
		if !again.Reused() || again.NetConn().LocalAddr() != two.l.open.net.LocalAddr() {
			b.Error("not the one that was returned last")
		}
		b.release(again) // at 2070 ms: it begins anew
		if s := b.stats(); s.Idle != 2 {
			b.Errorf("%+v", s.Load)
		}
		b.after(10 * time.Second)
		want := []time.Duration{3370 * time.Millisecond, 5380 * time.Millisecond}
		if got := b.closed(); !slices.Equal(got, want) {
			b.Errorf("closed at %v, want %v", got, want)
		}
		if s := b.stats(); s.Load != (Load{}) {
			b.Errorf("%+v", s.Load)
		}
	})
}

// TestA94_LentConnectionsHaveNoIdleTime: what is lent when its idle time would have
// ended stays, also when the pool's timer comes.
func TestA94_A97_LentConnectionsHaveNoIdleTime(t *testing.T) {
	inBubbles(t, Config{KeepAlive: time.Second / 2}, func(b *bubble) {
		b.release(b.get())
		b.after(400 * time.Millisecond)
		c := b.get()
		b.after(5 * time.Second)
		if s := b.stats(); s.Load != (Load{Lent: 1}) || len(b.closed()) != 0 {
			b.Errorf("%+v, closed %v", s.Load, b.closed())
		}
		b.release(c)
	})
}

// TestA95_A98_R11_SweepFindsTheDead within a second, though nobody asks, and whatever the
// peer did: ended the connection, or said something.
func TestA95_A98_R11_SweepFindsTheDead(t *testing.T) {
	inBubbles(t, Config{KeepAlive: NoLimit}, func(b *bubble) {
		one, two, three := b.get(), b.get(), b.get()
		for _, c := range []*Conn{one, two, three} {
			b.release(c)
		}
		b.after(5 * time.Second) // the sweep goes on
		_ = b.peers[0].Close()
		if _, err := b.peers[1].Write([]byte("unasked")); err != nil {
			b.Fatal(err)
		}
		b.after(sweepEvery + 10*time.Millisecond)
		if s := b.stats(); s.Load != (Load{Idle: 1}) {
			b.Errorf("%+v", s.Load)
		}
		if c := b.get(); !c.Reused() || c.NetConn().LocalAddr() != three.l.open.net.LocalAddr() {
			b.Error("the one that stands was not lent")
		} else {
			b.release(c)
		}
	})
}

// TestA93_R4_DeadBeforeTheLoan: closed in the very moment between two loans, it is
// not lent, however short ago it was looked at.
func TestA93_R4_DeadBeforeTheLoan(t *testing.T) {
	inBubbles(t, Config{}, func(b *bubble) {
		for i := range 5 {
			c := b.get()
			if c.Reused() {
				b.Fatalf("loan %d has a dead connection", i)
			}
			b.release(c)
			_ = b.peers[i].Close()
			b.after(10 * time.Millisecond) // the end has come; the next sweep has not
			if s := b.stats(); s.Idle != 1 {
				b.Fatalf("%+v", s.Load)
			}
		}
	})
}
