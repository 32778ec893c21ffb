package backend

import (
	"strings"
	"sync/atomic"
	"testing"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/session"
)

// TestWatchWithAFullQueue: who watches and is slow misses what he has no room for,
// which is reported, and not what comes when he has.
func TestWatchWithAFullQueue(t *testing.T) {
	var missed atomic.Int64
	k := kernel.New(kernel.Config{Observer: &kernel.Observer{Reported: func(_, cause string, _ error) {
		if strings.HasPrefix(cause, "change not told") {
			missed.Add(1)
		}
	}}})
	kerneltest.Start(t, k)
	s := doubler(t, k, ServerConfig{})
	heard, again := make(chan ServerChange, 20), make(chan bool)
	watcher, err := k.SpawnHeld(session.New(
		session.On(evRun, func(c *kernel.Context, f func(*kernel.Context) error) error { return f(c) }),
		session.On(evServed, func(_ *kernel.Context, ch ServerChange) error {
			<-again
			heard <- ch
			return nil
		}),
	), kernel.QueueLimit(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(watcher.Release)
	if _, err := k.Call(background, watcher.Address(), evRun.Name(), func(c *kernel.Context) error { return s.Watch(c, evServed) }); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b"} { // two changes each: one may be in hand, one wait
		connect(t, k, Config{Port: port(s), Alias: name, Name: name})
	}
	n := missed.Load()
	if n < 2 {
		t.Errorf("%d of 4 changes were too much, want 2 or more", n)
	}
	close(again)
	next := func() (ch ServerChange) {
		select {
		case ch = <-heard:
		case <-deadline(t).Done():
			t.Fatal("nothing is heard")
		}
		return ch
	}
	for range 4 - n {
		if ch := next(); ch.Conn.ID > 2 {
			t.Errorf("heard %+v", ch)
		}
	}
	connect(t, k, Config{Port: port(s), Alias: "c", Name: "c"})
	if ch := next(); ch.What != Came || ch.Conn.ID != 3 {
		t.Errorf("at last heard %+v, want that the third came", ch)
	}
}
