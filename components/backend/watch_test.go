package backend

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

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
	until(t, "all changes are told", func() bool {
		st, err := s.Status()
		return err == nil && len(st) == 2 && st[0].Name != "" && st[1].Name != ""
	})
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

// TestFullQueueOfWhoAsks: an answer and a change that find no room are reported, and
// who watches hears the next all the same.
func TestFullQueueOfWhoAsks(t *testing.T) {
	reported := make(chan string, 20)
	k := kernel.New(kernel.Config{Observer: &kernel.Observer{Reported: func(_, cause string, _ error) {
		reported <- cause
	}}})
	kerneltest.Start(t, k)
	s := doubler(t, k, ServerConfig{})
	conn := connect(t, k, Config{Port: port(s), PingTimeout: -1, MinBackoff: time.Minute, MaxBackoff: time.Minute})
	heard, replies := make(chan Change, 20), make(chan Reply, 20)
	asker, err := k.SpawnHeld(session.New(
		session.On(evRun, func(c *kernel.Context, f func(*kernel.Context) error) error { return f(c) }),
		session.On(evReplied, func(_ *kernel.Context, r Reply) error { replies <- r; return nil }),
		session.On(evChanged, func(_ *kernel.Context, ch Change) error { heard <- ch; return nil }),
	), kernel.QueueLimit(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(asker.Release)
	await := func(want string) error {
		for {
			select {
			case cause := <-reported:
				if strings.HasPrefix(cause, want) {
					return nil
				}
			case <-deadline(t).Done():
				return fmt.Errorf("nobody reports %q", want)
			}
		}
	}
	busy := func(f func(*kernel.Context) error) {
		t.Helper()
		if _, err := k.Call(background, asker.Address(), evRun.Name(), f); err != nil {
			t.Fatal(err)
		}
	}
	busy(func(c *kernel.Context) error {
		for range 2 {
			if err := conn.Ask(c, Message{Name: "double", Args: []any{1}}, evReplied); err != nil {
				return err
			}
		}
		return await("answer dropped")
	})
	<-replies
	busy(func(c *kernel.Context) error {
		if err := conn.Watch(c, evChanged); err != nil { // which tells the state at once
			return err
		}
		s.Drain() // to draining and, for a minute, reconnecting
		return errors.Join(await("change not told"), await("change not told"))
	})
	if ch := <-heard; ch.To != Ready {
		t.Errorf("heard %+v", ch)
	}
	conn.Close()
	if ch := <-heard; ch.To != Closed {
		t.Errorf("at last heard %+v", ch)
	}
}
