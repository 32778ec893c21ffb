package cluster

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/usher-go/usher/kernel"
)

// drains counts what Watch tells of nodes that take events again.
func drains(t *testing.T, r *real) (told func() []string, end *kernel.Lease) {
	t.Helper()
	var mu sync.Mutex
	var list []string
	l, err := r.k.SpawnHeld(receiver(func(c *kernel.Context) error {
		switch c.Event() {
		case "_start":
			return r.Watch(c, "change")
		case "change":
			if x := c.Arg(0).(Change); x.Drained {
				mu.Lock()
				defer mu.Unlock()
				list = append(list, x.String())
			}
		}
		return nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	return func() []string {
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		return append([]string(nil), list...)
	}, l
}

// What is not acknowledged is bounded, by number and by bytes; Watch tells, once, when
// there is room again; and what was accepted arrives.
func TestG12_OutstandingIsBounded(t *testing.T) {
	for what, limit := range map[string]struct {
		change func(*Config)
		fit    int
	}{
		"number": {func(c *Config) { c.MaxOutstanding = 20 }, 20},
		"bytes":  {func(c *Config) { c.MaxEvent, c.MaxOutstandingBytes = 5_000, 20_000 }, 20}, // the last one begins below
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				net := new(pipes)
				a, b := start(t, net, kernel.Parallel, "a", limit.change), start(t, net, kernel.Parallel, "b", limit.change)
				a.go_()
				b.go_()
				told, watch := drains(t, a)
				atB, lease := b.hear(t, "logger", nil)
				time.Sleep(time.Second)
				b.pipe.cut(true)
				sent := 0
				text := strings.Repeat("x", 1_000)
				var err error
				for ; err == nil && sent < 100; sent++ {
					err = a.k.Post("logger@b", "line", text)
				}
				if sent--; !errors.Is(err, kernel.ErrQueueFull) || sent > limit.fit || sent < limit.fit-2 {
					t.Errorf("%d are accepted, want about %d: %v", sent, limit.fit, err)
				}
				if got := told(); len(got) != 0 {
					t.Errorf("told %q before", got)
				}
				b.pipe.cut(false)
				time.Sleep(2 * time.Second)
				if got := told(); len(got) != 1 || got[0] != "b takes events again" {
					t.Errorf("told %q", got)
				}
				if len(atB.c) != sent {
					t.Errorf("%d of %d arrive", len(atB.c), sent)
				}
				post(t, a, "logger@b", "line")
				for _, l := range []*kernel.Lease{lease, watch} {
					l.Release()
				}
				a.stop(t)
				b.stop(t)
			})
		})
	}
}

// A node whose sessions do not keep up asks for a pause: what waits, waits at the sender.
func TestG12_PauseWhenSessionsDoNotKeepUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := new(pipes)
		few := func(c *Config) { c.MaxPending = 100 }
		a, b := start(t, net, kernel.Parallel, "a", few), start(t, net, kernel.Parallel, "b", few)
		a.go_()
		b.go_()
		work, handled := make(chan bool), 0
		lease, err := b.k.SpawnHeld(receiver(func(c *kernel.Context) error {
			if c.Event() == "line" {
				<-work
				handled++
			}
			return nil
		}), kernel.Alias("logger"))
		if err != nil {
			t.Fatal(err)
		}
		const all = 50_000
		for range all {
			post(t, a, "logger@b", "line", "of some length, so that they do not share one packet")
		}
		time.Sleep(time.Second)
		at, from := a.Status().Nodes[0], b.Status().Nodes[0]
		if !at.Paused || at.Outstanding < all/2 || from.Pending > all/2 || from.Pauses != 1 {
			t.Errorf("a has %+v, b %+v", at, from)
		}
		close(work)
		time.Sleep(10 * time.Second)
		if at := a.Status().Nodes[0]; handled != all || at.Paused || at.Outstanding != 0 {
			t.Errorf("%d are handled, a has %+v", handled, at)
		}
		lease.Release()
		a.stop(t)
		b.stop(t)
	})
}

func TestG12_CallsOfOneNodeAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := new(pipes)
		few := func(c *Config) { c.MaxCalls = 3 }
		a, b := start(t, net, kernel.Parallel, "a", few), start(t, net, kernel.Parallel, "b", few)
		a.go_()
		b.go_()
		work := make(chan bool)
		lease, err := b.k.SpawnHeld(receiver(func(c *kernel.Context) error {
			if c.Event() == "get" {
				<-work
				c.Return("got")
			}
			return nil
		}), kernel.Alias("store"))
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				if v, err := a.k.Call(t.Context(), "store@b", "get"); v != "got" || err != nil {
					t.Errorf("%v, %v", v, err)
				}
			})
		}
		time.Sleep(time.Second)
		if _, err := a.k.Call(t.Context(), "store@b", "get"); !errors.Is(err, kernel.ErrQueueFull) {
			t.Errorf("one too many: %v", err)
		}
		close(work)
		all.Wait()
		if v, err := a.k.Call(t.Context(), "store@b", "get"); v != "got" || err != nil {
			t.Errorf("afterwards: %v, %v", v, err)
		}
		lease.Release()
		a.stop(t)
		b.stop(t)
	})
}

// What a QueueLimit keeps out is told, whoever was to get it; what is told once comes.
func TestG9_QueueLimitOfAReceiver(t *testing.T) {
	for _, here := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			net := new(pipes)
			var mu sync.Mutex
			lost := map[string]int{}
			observed := func(name string) *real {
				r := &real{pipe: net.pipe(name + ":1"), end: make(chan error, 1)}
				r.k = kernel.New(kernel.Config{Observer: &kernel.Observer{Dropped: func(e kernel.Record, why kernel.Reason) {
					if strings.Contains(string(why), kernel.ErrQueueFull.Error()) {
						mu.Lock()
						defer mu.Unlock()
						lost[name+" "+e.Event]++
					}
				}}})
				var err error
				if r.Node, err = Join(r.k, Config{Name: name, Transport: r.pipe, Directory: Static{"a": "a:1", "b": "b:1"}}); err != nil {
					t.Fatal(err)
				}
				r.go_()
				return r
			}
			a, b := observed("a"), observed("b")
			by := a
			if here {
				by = b
			}
			work := make(chan bool)
			heard := map[string]int{}
			lease, err := b.k.SpawnHeld(receiver(func(c *kernel.Context) error {
				heard[c.Event()]++
				switch c.Event() {
				case "_start":
					return errors.Join(b.Watch(c, "change"), b.Subscribe(c, "prices", "price"), c.Monitor("other@a", "gone"))
				case "change":
					heard[c.Arg(0).(Change).State.String()]++
				case "block":
					<-work
				}
				return nil
			}), kernel.Alias("busy"), kernel.QueueLimit(1))
			if err != nil {
				t.Fatal(err)
			}
			_, other := a.hear(t, "other", nil)
			time.Sleep(time.Second)
			post(t, b, "busy", "block")
			synctest.Wait()
			post(t, b, "busy", "line") // the queue is full
			if err := by.Publish("prices", 1); err != nil {
				t.Error(err)
			}
			if err := by.k.Post("busy@*", "line"); here != errors.Is(err, kernel.ErrQueueFull) {
				t.Errorf("a post to every node: %v", err)
			}
			end(t, other)
			time.Sleep(time.Second)
			a.pipe.cut(true)
			time.Sleep(time.Minute)
			close(work)
			synctest.Wait()
			if heard["gone"] != 1 || heard["lost"] != 1 || heard["line"] != 1 || heard["price"] != 0 {
				t.Errorf("it hears %v", heard)
			}
			want := map[bool]map[string]int{true: {"b price": 1}, false: {"b price": 1, "a line": 1}}[here]
			if len(lost) != len(want) || lost["b price"] != 1 || lost["a line"] != want["a line"] {
				t.Errorf("lost are %v, want %v", lost, want)
			}
			lease.Release()
			a.stop(t)
			b.stop(t)
		})
	}
}

// While nobody owns a key, what waits for its owner is bounded in bytes, over all keys.
// Watch tells when there is room again, and nothing is kept of it.
func TestG12_BytesThatWaitForOwners(t *testing.T) {
	worlds(t, func(t *testing.T, w *world, m kernel.Mode) {
		w.cfg = func(c *Config) { c.MaxEvent, c.MaxOutstandingBytes = 5_000, 20_000 }
		d := new(diary)
		c := w.join(m, "c")
		told, watch := drains(t, c)
		time.Sleep(time.Second)
		text := strings.Repeat("x", 1_000)
		sent, full := 0, 0
		for i := range 200 {
			switch err := c.k.Post(Place("user", i), "line", text); {
			case err == nil:
				sent++
			case errors.Is(err, kernel.ErrQueueFull):
				full++
			default:
				t.Fatal(err)
			}
		}
		if most := 20 + 8; sent > most || full == 0 { // one over for each of the 8 shards
			t.Errorf("%d are accepted, want at most %d; %d are not", sent, most, full)
		}
		if err := c.k.Post(Place("user", 1), "line", strings.Repeat(text, 6)); !errors.Is(err, ErrTooLarge) {
			t.Errorf("one that is too long: %v", err)
		}
		if got := told(); len(got) != 0 {
			t.Errorf("told %q before", got)
		}
		w.join(m, "a", user(d, "a"))
		time.Sleep(settled)
		if got := told(); len(got) != 1 || got[0] != "owner takes events again" {
			t.Errorf("told %q", got)
		}
		arrived := 0
		for _, l := range d.take() {
			if strings.HasPrefix(l, "a line ") {
				arrived++
			}
		}
		if n := c.keys.lanes.bytes.Load(); n != 0 || arrived != sent || w.losses() != 0 {
			t.Errorf("%d of %d arrive, %d are lost, and %d bytes are still counted", arrived, sent, w.losses(), n)
		}
		watch.Release()
	})
}

// Nodes that are new under a new name each time leave nothing behind.
func TestFormerNodesAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := new(pipes)
		a := start(t, net, kernel.Parallel, "a", func(c *Config) { c.Heartbeat = time.Minute })
		a.go_()
		self := Member{Name: "a", Address: "a:1"}
		h := host{a.Node}
		for _, name := range []string{"b1", "b2", "b3"} {
			h.Members([]Member{self, {Name: name, Address: name + ":1"}})
		}
		if len(a.former) != 4 || len(a.peers) != 1 { // with b and c, of the beginning
			t.Errorf("%d former nodes and %d", len(a.former), len(a.peers))
		}
		time.Sleep(formerFor / 2)
		h.Members([]Member{self})
		time.Sleep(formerFor/2 + time.Minute)
		h.Members([]Member{self})
		if len(a.former) != 1 || a.former["b3"] == nil {
			t.Errorf("%d former nodes are remembered", len(a.former))
		}
		a.stop(t)
	})
}

// What waits for an owner is as long as it is going to be when it is sent: an event that
// is accepted is never too large later.
func TestKeyEventsAtTheLimitOfTheirLength(t *testing.T) {
	worlds(t, func(t *testing.T, w *world, m kernel.Mode) {
		w.cfg = func(c *Config) { c.MaxEvent, c.MaxOutstandingBytes = minEvent, 1<<20 }
		d := new(diary)
		c := w.join(m, "c")
		time.Sleep(time.Second)
		sent, refused := 0, 0
		for n := range minEvent + 1 {
			switch err := c.k.Post(Place("user", 1), "line", strings.Repeat("x", n)); {
			case err == nil:
				sent++
			case errors.Is(err, ErrTooLarge):
				refused++
			default:
				t.Fatal(err)
			}
		}
		w.join(m, "a", user(d, "a"))
		time.Sleep(settled)
		if n := len(d.take()) - 1; n != sent || refused == 0 || w.losses() != 0 {
			t.Errorf("%d of %d arrive, %d are lost: %v; %d were refused", n, sent, w.losses(), w.why, refused)
		}
	})
}
