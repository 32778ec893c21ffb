package cluster

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel/filter"
)

// A node that is started anew numbers its calls from the beginning: what its earlier
// start had asked for is no answer to them.
func TestAnswersForAnEarlierStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := new(pipes)
		b := start(t, net, kernel.Parallel, "b")
		b.go_()
		var answer [2]chan string
		var leases [2]*kernel.Lease
		for i, alias := range []string{"first", "second"} {
			answer[i] = make(chan string)
			var err error
			leases[i], err = b.k.SpawnHeld(receiver(func(c *kernel.Context) error {
				if c.Event() == "ask" {
					c.Return(<-answer[i])
				}
				return nil
			}), kernel.Alias(alias))
			if err != nil {
				t.Fatal(err)
			}
		}
		got := make(chan any, 1)
		begin := func(to kernel.Address) *real {
			a := start(t, net, kernel.Parallel, "a")
			a.go_()
			go func() {
				v, err := a.k.Call(context.Background(), to, "ask")
				if err != nil {
					v = err
				}
				got <- v
			}()
			time.Sleep(time.Second)
			return a
		}
		a := begin("first@b")
		a.pipe.cut(true) // it ends without a word
		a.stop(t)
		<-got
		a = begin("second@b")
		answer[0] <- "of the first"
		time.Sleep(time.Second)
		answer[1] <- "of the second"
		if v := <-got; v != "of the second" {
			t.Errorf("the second start has got %v", v)
		}
		for _, l := range leases {
			l.Release()
		}
		a.stop(t)
		b.stop(t)
	})
}

// A directory may tell of a new start while events of the earlier one are being
// delivered: what those ask for is not kept for the new one.
func TestKeptForAnEarlierStart(t *testing.T) {
	bubble(t, func(t *testing.T, net *pipes, a, b, _ *real) {
		held, l := b.hear(t, "held", nil)
		time.Sleep(time.Second)
		p := b.peer("a")
		p.recv.Lock()
		p.restarted(p.epoch + 1)
		if err := p.keep(filter.Frame{Name: msgHold, Args: []any{uint64(1), "held"}}); err != nil {
			t.Error(err)
		}
		p.recv.Unlock()
		p = a.peer("b")
		p.mu.Lock()
		packet := p.packet()
		p.mu.Unlock()
		packet.Epoch++
		b.Receive(packet, nil)
		synctest.Wait()
		if n := b.peer("a").kept.len(); n != 0 {
			t.Errorf("%d are kept", n)
		}
		held.none(t)
		l.Release()
	})
}
