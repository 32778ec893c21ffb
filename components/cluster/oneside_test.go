package cluster

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/usher-go/usher/components/cluster/wire"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel/filter"
)

// deaf makes a node lose another one that does not notice: it hears no answers.
func deaf(from *real, by string) {
	from.pipe.drop(func(p *wire.Packet) bool { return p.Pong != 0 && p.To == by })
	time.Sleep(6 * time.Second)
	from.pipe.drop(nil)
	time.Sleep(time.Second)
}

// spawnHeld is a session that its lease alone holds, and whether it has ended.
func spawnHeld(t *testing.T, n *real) (*kernel.Lease, *atomic.Bool) {
	var stopped atomic.Bool
	l, err := n.k.SpawnHeld(receiver(func(c *kernel.Context) error {
		if c.Event() == "_stop" {
			stopped.Store(true)
		}
		return nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	return l, &stopped
}

// A node that has lost another one has told its sessions that their monitors and holds
// are over. The other one, which did not notice, keeps none of them any longer.
func TestKeptForANodeThatWasLostToIt(t *testing.T) {
	bubble(t, func(t *testing.T, _ *pipes, a, b, _ *real) {
		held, stopped := spawnHeld(t, b)
		to := b.Address(held.Address())
		atA, la := a.hear(t, "", func(c *kernel.Context) error {
			if _, err := a.Hold(c, to, "let_go"); err != nil {
				return err
			}
			return c.Monitor(to, "gone")
		})
		time.Sleep(time.Second)
		held.Release()
		synctest.Wait()
		if n := b.Status().Nodes[0].Kept; n != 2 || stopped.Load() {
			t.Fatalf("b keeps %d; the session has ended: %v", n, stopped.Load())
		}
		deaf(b, "a")
		<-atA.c
		<-atA.c
		atA.none(t)
		if n := b.Status().Nodes[0].Kept; n != 0 || !stopped.Load() {
			t.Errorf("b keeps %d; the session has ended: %v", n, stopped.Load())
		}
		la.Release()
	})
}

// The same where the other one asks for a hold just before it hears that it was lost.
func TestKeptForANodeThatDoesNotKnowYetThatItWasLost(t *testing.T) {
	bubble(t, func(t *testing.T, _ *pipes, a, b, _ *real) {
		held, stopped := spawnHeld(t, b)
		time.Sleep(time.Second)
		// b loses a, and a's packets with events are late.
		a.pipe.drop(func(p *wire.Packet) bool { return p.To == "b" && (p.Pong != 0 || p.Count > 0) })
		time.Sleep(6 * time.Second)
		if s := b.Status().Nodes[0].State; s != Lost {
			t.Fatalf("a is %v", s)
		}
		atA, la := a.hear(t, "", func(c *kernel.Context) error {
			_, err := a.Hold(c, b.Address(held.Address()), "let_go")
			return err
		})
		a.pipe.drop(nil)
		time.Sleep(time.Second)
		held.Release()
		time.Sleep(time.Second)
		told := len(atA.c) > 0
		if kept := b.Status().Nodes[0].Kept; told != (kept == 0) || told != stopped.Load() {
			t.Errorf("a was told that its hold is over: %v; b keeps %d; the session has ended: %v", told, kept, stopped.Load())
		}
		la.Release()
	})
}

// A node may tell with one packet that it asks for a pause and takes no more of a link.
// The pause is over when it has ended, though nothing more is said of that link.
func TestPauseThatOutlivesALink(t *testing.T) {
	bubble(t, func(t *testing.T, _ *pipes, a, b, _ *real) {
		atB, lb := b.hear(t, "logger", nil)
		post(t, a, "logger@b", "line", 1)
		time.Sleep(time.Second)
		b.peer("a").closing.Store(true)
		p := a.peer("b")
		p.mu.Lock()
		if err := p.append(filter.Frame{Name: "line", To: "logger", Args: []any{2}}, waiting{}); err != nil {
			t.Error(err)
		}
		p.acknowledged(&wire.Packet{AckLink: p.out.number, Ack: p.out.acked, Closed: true, Pause: true}, p.n.k.Now())
		p.mu.Unlock()
		time.Sleep(2 * time.Second)
		atB.want(t, "line @a 1", "line @a 2")
		if s := a.Status().Nodes[0]; s.Paused || s.Outstanding != 0 {
			t.Errorf("a has %+v", s)
		}
		lb.Release()
	})
}
