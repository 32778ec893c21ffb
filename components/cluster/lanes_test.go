package cluster

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usher-go/usher/components/cluster/wire"
	"github.com/usher-go/usher/kernel"
)

// passive has the test say who owns what.
func (w *world) passive() {
	for _, r := range w.nodes {
		r.keys.mu.Lock()
		r.keys.table.settle = time.Hour
		for i := range r.keys.table.list {
			r.keys.table.list[i].claimed = true
		}
		r.keys.mu.Unlock()
	}
}

// An event that was under way to the last owner, and comes back, is not overtaken by one
// that could be delivered here at once.
func TestG13_KeyHereDoesNotOvertakeLanes(t *testing.T) {
	worlds(t, func(t *testing.T, w *world, m kernel.Mode) {
		w.cfg = func(c *Config) { c.LostAfter, c.CallTimeout = time.Minute, time.Minute }
		d := new(diary)
		a, b, c := w.join(m, "a", user(d, "a")), w.join(m, "b", user(d, "b")), w.join(m, "c")
		w.passive()
		time.Sleep(time.Second)
		k := Place("user", 1)
		shard := on(k, 8)
		w.realm.give(shard, "b")
		b.pipe.cut(true)
		for i := range 3 {
			post(t, a, k, "line", i)
		}
		w.realm.give(shard, "a")
		post(t, c, k, "hello")
		time.Sleep(time.Second)
		d.want(t, "a _start", "a hello")
		for i := 3; i < 6; i++ {
			post(t, a, k, "line", i)
		}
		d.want(t) // they wait for those that went to b
		if v, err := a.k.Call(t.Context(), k, "get"); v != "a" || err != nil {
			t.Errorf("called: %v, %v", v, err)
		}
		b.pipe.cut(false)
		time.Sleep(time.Second)
		d.want(t, "a line 0", "a line 1", "a line 2", "a line 3", "a line 4", "a line 5")
		if _, here := a.Local(k); !here {
			t.Error("the short way is not taken again")
		}
		if w.losses() != 0 {
			t.Errorf("lost %v", w.why)
		}
	})
}

func TestKeyLanesAreBounded(t *testing.T) {
	worlds(t, func(t *testing.T, w *world, m kernel.Mode) {
		w.cfg = func(c *Config) { c.MaxOutstanding = 10 }
		d := new(diary)
		c := w.join(m, "c")
		time.Sleep(time.Second)
		k := Place("user", 1)
		for range 10 {
			post(t, c, k, "line")
		}
		if err := c.k.Post(k, "line"); !errors.Is(err, kernel.ErrQueueFull) {
			t.Errorf("one too many: %v", err)
		}
		time.Sleep(settled)
		if w.losses() != 10 {
			t.Errorf("%d are lost after Config.CallTimeout", w.losses())
		}
		// More than the link takes at a time waits for it, all keys in order.
		want := map[string]int{}
		for i := range 200 {
			if k := Place("user", i); c.keys.lanes.list[on(k, 8)].outstanding() < 10 {
				post(t, c, k, "line", i)
				want[fmt.Sprintf("a line %d", i)]++
			}
		}
		w.join(m, "a", user(d, "a"))
		time.Sleep(settled)
		got := map[string]int{}
		for _, l := range d.take() {
			if l != "a _start" {
				got[l]++
			}
		}
		if len(want) != 80 || fmt.Sprint(got) != fmt.Sprint(want) || w.losses() != 10 {
			t.Errorf("%d of %d arrived, lost %d", len(got), len(want), w.losses())
		}
		for i := range c.keys.lanes.list {
			if n := &c.keys.lanes.list[i]; n.count() != 0 || n.waits != nil || n.refused != nil || n.armed {
				t.Errorf("lane %d keeps %d events", i, n.count())
			}
		}
	})
}

// What waits for an owner does not travel to a node that is none, but for one event at a
// time, and all of it does when there is one.
func TestKeyLanesDoNotFlood(t *testing.T) {
	worlds(t, func(t *testing.T, w *world, m kernel.Mode) {
		d := new(diary)
		w.join(m, "a", user(d, "a"))
		c := w.join(m, "c")
		w.passive()
		time.Sleep(time.Second)
		k := Place("user", 1)
		var want []string
		for i := range 1000 {
			post(t, c, k, "line", i)
			want = append(want, fmt.Sprint("a line ", i))
		}
		time.Sleep(3 * time.Second)
		if s := c.Status().Nodes[0]; s.Name != "a" || s.Counts.Refused == 0 || s.Counts.Refused > 30 {
			t.Errorf("%d events were refused in 3 s; want one for each try", s.Counts.Refused)
		}
		w.realm.give(on(k, 8), "a")
		time.Sleep(time.Second)
		d.want(t, append([]string{"a _start"}, want...)...)
		if w.losses() != 0 {
			t.Errorf("lost %v", w.why)
		}
	})
}

// Of events that are refused, there may be more than a node remembers: the rest is sent
// again at once, not with the next heartbeat, and no more often than needed.
func TestManyRefusals(t *testing.T) {
	worlds(t, func(t *testing.T, w *world, m kernel.Mode) {
		w.cfg = func(c *Config) {
			c.Heartbeat, c.LostAfter = time.Minute, time.Hour
			c.Accept = func(Arrival) error { return errors.New("no") }
		}
		w.join(m, "a")
		c := w.join(m, "c")
		time.Sleep(2 * time.Minute)
		for i := range 10 * maxRefusals {
			post(t, c, "x@a", "line", i)
		}
		time.Sleep(time.Second)
		if n := w.losses(); n != 10*maxRefusals {
			t.Errorf("%d of %d were refused within a second", n, 10*maxRefusals)
		}
		if n := c.Status().Nodes[0].Counts.Again; n > 11*maxFlight {
			t.Errorf("%d packets were sent again", n)
		}
	})
}

func TestKeyStartIsWaitedForByAFew(t *testing.T) {
	worlds(t, func(t *testing.T, w *world, m kernel.Mode) {
		w.cfg = func(c *Config) { c.MaxOutstanding = 3 * maxWaits }
		var n atomic.Int64
		a := w.join(m, "a", Kind{Name: "user", New: func(Key) kernel.Receiver {
			return receiver(func(c *kernel.Context) error {
				switch c.Event() {
				case "_start":
					time.Sleep(time.Second)
				case "line":
					n.Add(1)
				}
				return nil
			})
		}})
		time.Sleep(settled)
		full := 0
		for range maxWaits + 5 {
			if err := a.k.Post(Place("user", 1), "line"); errors.Is(err, kernel.ErrQueueFull) {
				full++
			} else if err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(settled)
		if full != 5 || n.Load() != maxWaits || w.losses() != 0 {
			t.Errorf("%d were refused, %d handled, %d lost", full, n.Load(), w.losses())
		}
	})
}

// A lane with much under way, all of which comes back.
func TestKeyLaneOfManyThatAreRefused(t *testing.T) {
	worlds(t, func(t *testing.T, w *world, m kernel.Mode) {
		d := new(diary)
		w.join(m, "a", user(d, "a"))
		w.join(m, "b", user(d, "b"))
		c := w.join(m, "c")
		w.passive()
		time.Sleep(time.Second)
		k := Place("user", 1)
		const many = 5000
		for i := range many {
			post(t, c, k, "line", i)
		}
		time.Sleep(time.Second) // all of it is refused, again and again
		w.realm.give(on(k, 8), "b")
		time.Sleep(time.Second)
		got := d.take()
		if len(got) != many+1 || w.losses() != 0 {
			t.Fatalf("%d handled, %d lost", len(got)-1, w.losses())
		}
		for i, l := range got[1:] {
			if l != fmt.Sprint("b line ", i) {
				t.Fatalf("%d is %q", i, l)
			}
		}
	})
}

// What both nodes have refused, and told of, is no reason for them to go on talking.
func TestRefusalsComeToRest(t *testing.T) {
	bubble(t, func(t *testing.T, _ *pipes, a, b, _ *real) {
		time.Sleep(time.Second)
		for range 3 {
			_ = a.k.Post("nobody@b", "line")
			_ = b.k.Post("nobody@a", "line")
		}
		time.Sleep(time.Second)
		var n atomic.Int64
		a.pipe.drop(func(*wire.Packet) bool { return n.Add(1) > 10_000 })
		time.Sleep(10 * time.Second)
		a.pipe.drop(nil)
		if n.Load() > 1000 {
			t.Errorf("%d packets in 10 s of silence", n.Load())
		}
		if a.Status().Nodes[0].Refused == 0 {
			t.Error("nothing was refused")
		}
	})
}
