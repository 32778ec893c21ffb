package cluster

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

// The old owner handles what it has in its queue, stops its session, and only then the
// new one begins, with what came meanwhile.
func TestKeyHandedOverToANodeThatJoins(t *testing.T) {
	worlds(t, func(t *testing.T, w *world, m kernel.Mode) {
		d := new(diary)
		a, c := w.join(m, "a", user(d, "a")), w.join(m, "c")
		time.Sleep(settled)
		k := keyOn("b", "a")
		post(t, c, k, "line", 0)
		time.Sleep(time.Second)
		w.join(m, "b", user(d, "b"))
		stop := make(chan struct{})
		go func() { // the queue is never empty
			defer close(stop)
			for i := 1; i < 200; i++ {
				if err := c.k.Post(k, "sleep", 50*time.Millisecond, i); err != nil {
					t.Error(err)
				}
				time.Sleep(20 * time.Millisecond)
			}
		}()
		<-stop
		time.Sleep(2 * settled)
		lines := d.take()
		last, moved := 0, 0
		for i, l := range lines {
			var n int
			if f := strings.Fields(l); f[1] == "sleep" {
				_, _ = fmt.Sscan(f[3], &n)
				if n != last+1 {
					t.Errorf("event %d after %d", n, last)
				}
				last = n
			} else if f[1] == "_stop" {
				moved++
				if f[0] != "a" || i+1 == len(lines) || lines[i+1] != "b _start" || lines[i-1][:7] != "a sleep" {
					t.Errorf("handed over as %q", lines[i-1:i+2])
				}
			}
		}
		if last != 199 || moved != 1 || w.losses() != 0 {
			t.Errorf("%d events handled, moved %d times; lost %v", last, moved, w.why)
		}
		if s := a.Status().Keys; len(s) != 0 {
			t.Errorf("the old owner has %v", s)
		}
	})
}

func TestKeyHandedOverWhenAHandlerHangs(t *testing.T) {
	worlds(t, func(t *testing.T, w *world, m kernel.Mode) {
		d := new(diary)
		w.join(m, "a", user(d, "a"))
		c := w.join(m, "c")
		time.Sleep(settled)
		k := keyOn("b", "a")
		post(t, c, k, "sleep", 20*time.Second)
		post(t, c, k, "line", 1)
		time.Sleep(time.Second)
		w.join(m, "b", user(d, "b"))
		time.Sleep(time.Second) // b is to have the shard
		post(t, c, k, "line", 2)
		time.Sleep(drainLimit + time.Second)
		d.want(t, "a _start", "a sleep 20s", "b _start", "b line 2")
		time.Sleep(20 * time.Second)
		d.want(t, "a _stop")
		if w.losses() != 1 || fmt.Sprint(w.lost[0].Args) != "[1]" {
			t.Errorf("lost %v: %v", w.lost, w.why)
		}
	})
}

func TestKeysOfANodeThatLeaves(t *testing.T) {
	worlds(t, func(t *testing.T, w *world, m kernel.Mode) {
		d := new(diary)
		a, b := w.join(m, "a", user(d, "a")), w.join(m, "b", user(d, "b"))
		time.Sleep(settled)
		k := keyOn("a", "b")
		for range 5 {
			post(t, b, k, "sleep", 100*time.Millisecond)
		}
		time.Sleep(50 * time.Millisecond)
		left := make(chan error)
		go func() { left <- a.Leave(t.Context()) }()
		time.Sleep(50 * time.Millisecond)
		post(t, a, k, "line", "a") // it is not the owner any more
		post(t, b, k, "line", "b")
		before := time.Now()
		if err := <-left; err != nil || time.Since(before) > 3*time.Second {
			t.Errorf("Leave: %v after %v", err, time.Since(before))
		}
		time.Sleep(time.Second)
		got := d.take()
		slices.Sort(got[min(8, len(got)):])
		want := []string{"a _start", "a sleep 100ms", "a sleep 100ms", "a sleep 100ms", "a sleep 100ms", "a sleep 100ms", "a _stop", "b _start", "b line a", "b line b"}
		if !slices.Equal(got, want) || w.losses() > 0 {
			t.Errorf("got %q, lost %v", got, w.why)
		}
	})
}

// A node that leaves in no order has begun nothing when others own its keys.
func TestKeysOfAKernelThatStops(t *testing.T) {
	worlds(t, func(t *testing.T, w *world, m kernel.Mode) {
		d := new(diary)
		a, b := w.join(m, "a", user(d, "a")), w.join(m, "b", user(d, "b"))
		time.Sleep(settled)
		k := keyOn("a", "b")
		post(t, b, k, "line", 1)
		time.Sleep(time.Second)
		a.k.Stop()
		time.Sleep(time.Second)
		post(t, b, k, "line", 2)
		time.Sleep(settled)
		d.want(t, "a _start", "a line 1", "a _stop", "b _start", "b line 2")
	})
}

// What waits in lanes is reported when its node leaves, and does not keep it.
func TestKeysPostedByANodeThatLeaves(t *testing.T) {
	worlds(t, func(t *testing.T, w *world, m kernel.Mode) {
		c := w.join(m, "c")
		time.Sleep(time.Second)
		for i := range 20 {
			post(t, c, Place("user", i), "line")
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := c.Leave(ctx); err != nil {
			t.Errorf("Leave: %v", err)
		}
		if w.losses() != 20 {
			t.Errorf("%d events were reported", w.losses())
		}
	})
}

// The word that a session is to end gets in however full its queue is.
func TestKeyHandedOverWithAFullQueue(t *testing.T) {
	worlds(t, func(t *testing.T, w *world, m kernel.Mode) {
		d := new(diary)
		limit := func(k *Kind) { k.Options = []kernel.SpawnOption{kernel.QueueLimit(1)} }
		w.join(m, "a", user(d, "a", limit))
		c := w.join(m, "c")
		time.Sleep(settled)
		k := keyOn("b", "a")
		w.join(m, "b", user(d, "b", limit))
		for i := range 15 {
			post(t, c, k, "sleep", 300*time.Millisecond, i)
			time.Sleep(100 * time.Millisecond)
		}
		if got := d.take(); !slices.Contains(got, "a _start") || !slices.Contains(got, "b _start") {
			t.Errorf("after 1.5 s: %q", got)
		}
		time.Sleep(settled)
	})
}
