package cluster

import (
	"errors"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/usher-go/usher/kernel"
)

// What comes by a topic is an event of another node, too, about which Accept decides.
func TestTopicsRefusedByAccept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := new(pipes)
		a := start(t, net, kernel.Parallel, "a")
		dropped := make(chan string, 10)
		b := &real{pipe: net.pipe("b:1"), end: make(chan error, 1), k: kernel.New(kernel.Config{Observer: &kernel.Observer{
			Dropped: func(r kernel.Record, why kernel.Reason) { dropped <- r.Event + ": " + string(why) },
		}})}
		var err error
		b.Node, err = Join(b.k, Config{
			Name: "b", Transport: b.pipe, Directory: Static{"a": "a:1", "b": "b:1", "c": "c:1"},
			Accept: func(x Arrival) error {
				if x.Node == "a" && x.Event == "delete" {
					return errors.New("only the office deletes")
				}
				return nil
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		a.go_()
		b.go_()
		atB, lease := b.hear(t, "", func(c *kernel.Context) error {
			return errors.Join(b.Subscribe(c, "news", "got_news"), b.Subscribe(c, "old", "delete"))
		})
		time.Sleep(time.Second)
		for _, topic := range []string{"old", "news"} {
			if err := a.Publish(topic, 1); err != nil {
				t.Error(err)
			}
		}
		atB.want(t, "got_news @a 1")
		if err := b.Publish("old", 2); err != nil { // its own is not another node's
			t.Error(err)
		}
		atB.want(t, "delete @ 2")
		if got := len(dropped); got != 1 || <-dropped != "delete: refused: only the office deletes" {
			t.Errorf("%d events are dropped", got)
		}
		lease.Release()
		a.stop(t)
		b.stop(t)
	})
}

// Sessions that subscribe while others end do not cross each other on the way.
func TestTopicThatManySubscribeTo(t *testing.T) {
	bubble(t, func(t *testing.T, _ *pipes, a, b, _ *real) {
		time.Sleep(time.Second)
		for round := range 100 {
			var all sync.WaitGroup
			for i := range 4 {
				who := kernel.Address(strconv.Itoa(i))
				all.Go(func() {
					for range 3 {
						_, _ = a.topics.set(&subscription{"prices", who, "got_price"})
						a.sayTopic("prices")
						a.unsubscribe("prices", who)
					}
					if i == 0 {
						if _, first := a.topics.set(&subscription{"prices", who, "got_price"}); first {
							a.sayTopic("prices")
						}
					}
				})
			}
			all.Wait()
			synctest.Wait()
			if !b.peer("a").wants("prices") {
				t.Fatalf("round %d: b believes that nobody subscribes", round)
			}
			a.unsubscribe("prices", "0")
			synctest.Wait()
			if b.peer("a").wants("prices") {
				t.Fatalf("round %d: b believes that somebody subscribes", round)
			}
		}
	})
}
