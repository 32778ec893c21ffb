package cluster

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/usher-go/usher/kernel"
)

// Ownership moves from node to node while sessions of three nodes post to keys all the
// time. Each event is handled at most once, those of a sender in their order, and each
// is handled or reported as lost, exactly once; epochs grow.
func TestG13_KeysThatMoveUnderLoad(t *testing.T) {
	for _, m := range []kernel.Mode{kernel.Parallel, kernel.Serial} {
		for seed := range uint64(3) {
			t.Run(fmt.Sprint(m, seed), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := &world{t: t, net: new(pipes), realm: newRealm()}
					defer w.stop()
					(&movers{world: w, m: m, Rand: rand.New(rand.NewPCG(seed, 7)), pause: time.Sleep}).run(25)
				})
			})
		}
		t.Run(m.String()+" in real time", func(t *testing.T) {
			w := &world{t: t, net: new(pipes), realm: newRealm()}
			defer w.stop()
			pause := func(d time.Duration) { <-time.After(d / 4) }
			(&movers{world: w, m: m, Rand: rand.New(rand.NewPCG(1, 7)), pause: pause}).run(25)
		})
	}
}

type movers struct {
	*world
	*rand.Rand
	m     kernel.Mode
	pause func(time.Duration)

	mu       sync.Mutex
	handled  []handled
	accepted map[string]bool
}

type handled struct {
	key, event string
	sender, n  int
	epoch      uint64
}

const (
	moveShards  = 2
	moveSenders = 9
	moveKeys    = 4
)

func (w *movers) run(moves int) {
	w.accepted = map[string]bool{}
	w.world.cfg = func(c *Config) { c.Shards, c.CallTimeout, c.LostAfter = moveShards, time.Minute, time.Minute }
	names := []string{"a", "b", "c"}
	for _, name := range names {
		r := w.join(w.m, name, Kind{Name: "user", New: w.receiver})
		r.keys.mu.Lock()
		r.keys.table.settle = time.Hour // what moves is for the test to say
		for i := range r.keys.table.list {
			r.keys.table.list[i].claimed = true
		}
		r.keys.mu.Unlock()
	}
	over := make(chan struct{})
	var all sync.WaitGroup
	for i := range moveSenders {
		w.send(i, over, &all)
	}
	for range moves {
		shard := w.IntN(moveShards)
		switch to := names[w.IntN(3)]; w.IntN(3) {
		case 0:
			w.realm.give(shard, "") // nobody's for a while
			w.pause(time.Duration(w.IntN(100)) * time.Millisecond)
			w.realm.give(shard, to)
		default:
			w.realm.give(shard, to)
		}
		w.pause(time.Duration(w.IntN(60)) * time.Millisecond)
	}
	close(over)
	all.Wait()
	for i := range moveShards {
		w.realm.give(i, names[w.IntN(3)])
	}
	w.settle()
	w.check()
}

// receiver is a session of a key.
func (w *movers) receiver(k Key) kernel.Receiver {
	return receiver(func(c *kernel.Context) error {
		if c.Event() == "line" {
			sender, n := c.Arg(0).(int), c.Arg(1).(int)
			w.mu.Lock()
			w.handled = append(w.handled, handled{k.Key, fmt.Sprint(k.Key, " ", sender, " ", n), sender, n, k.Epoch})
			slow := len(w.handled)%50 == 0
			w.mu.Unlock()
			if slow {
				w.pause(8 * time.Millisecond)
			}
		}
		return nil
	})
}

// send has a session post until over.
func (w *movers) send(i int, over chan struct{}, all *sync.WaitGroup) {
	node := w.nodes[i%3]
	n := 0
	lease, err := node.k.SpawnHeld(receiver(func(c *kernel.Context) error {
		if c.Event() != "go" {
			return nil
		}
		for range 3 {
			key := fmt.Sprint(n % moveKeys)
			n++
			if c.Post(Place("user", key), "line", i, n) == nil {
				w.mu.Lock()
				w.accepted[fmt.Sprint(key, " ", i, " ", n)] = true
				w.mu.Unlock()
			}
		}
		return nil
	}))
	if err != nil {
		w.t.Fatal(err)
	}
	all.Go(func() {
		defer lease.Release()
		for {
			select {
			case <-over:
				return
			default:
			}
			_ = lease.Post("go")
			w.pause(5 * time.Millisecond)
		}
	})
}

// settle waits until there is an account of all events.
func (w *movers) settle() {
	for range 2000 {
		w.mu.Lock()
		done := len(w.handled)+w.losses() >= len(w.accepted)
		w.mu.Unlock()
		if done {
			break
		}
		w.pause(40 * time.Millisecond)
	}
	w.pause(400 * time.Millisecond) // what would be too much has time to come
}

func (w *movers) check() {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := w.t
	count := map[string]int{}
	for _, h := range w.handled {
		count[h.event]++
	}
	lost, why := map[string]int{}, map[string]kernel.Reason{}
	w.world.mu.Lock()
	for i, r := range w.lost {
		path, _ := split(r.To)
		_, key, err := keyOf(path)
		if err != nil { // it stood in the queue of a session that has ended, by whose ID it goes
			key = fmt.Sprint((r.Args[1].(int) - 1) % moveKeys)
		}
		e := fmt.Sprint(key, " ", r.Args[0], " ", r.Args[1])
		lost[e]++
		why[e] = w.why[i]
	}
	w.world.mu.Unlock()
	bad := 0
	for e := range w.accepted {
		if count[e]+lost[e] != 1 {
			if bad++; bad < 5 {
				t.Errorf("event %s was handled %d times, and lost %d times: %s", e, count[e], lost[e], why[e])
			}
		}
	}
	if bad > 0 {
		t.Errorf("%d such events", bad)
	}
	t.Logf("%d accepted, %d handled, %d lost", len(w.accepted), len(w.handled), len(lost))
	if len(w.handled) < len(w.accepted)/8 { // in real time a busy machine loses most to owners that move
		t.Errorf("only %d of %d were handled", len(w.handled), len(w.accepted))
	}
	// Handlers of two owners may overlap; storage tells them apart by epoch.
	slices.SortStableFunc(w.handled, func(a, b handled) int { return cmp.Compare(a.epoch, b.epoch) })
	last := map[string]int{}
	for _, h := range w.handled {
		pair := fmt.Sprint(h.key, h.sender)
		if h.n <= last[pair] {
			t.Errorf("key %s handled event %d of sender %d after %d", h.key, h.n, h.sender, last[pair])
			return
		}
		last[pair] = h.n
	}
}

// A node is lost that owns keys: what was under way to it has an unknown outcome, and
// what follows is handled elsewhere.
func TestG13_KeysOfANodeThatIsLost(t *testing.T) {
	worlds(t, func(t *testing.T, w *world, m kernel.Mode) {
		d := new(diary)
		a, b := w.join(m, "a", user(d, "a")), w.join(m, "b", user(d, "b"))
		time.Sleep(settled)
		k := keyOn("b", "a")
		post(t, a, k, "line", 1)
		time.Sleep(time.Second)
		d.want(t, "b _start", "b line 1")
		b.pipe.cut(true)
		w.realm.silence("b", true)
		post(t, a, k, "line", 2)
		time.Sleep(settled)
		post(t, a, k, "line", 3)
		time.Sleep(time.Second)
		d.want(t, "b _stop", "a _start", "a line 3")
		if w.losses() != 1 || w.why[0] != kernel.Reason(ErrUnknownOutcome.Error()) {
			t.Errorf("lost %v, %v", w.lost, w.why)
		}
		if v, err := a.k.Call(t.Context(), k, "get"); v != "a" || err != nil {
			t.Errorf("called: %v, %v", v, err)
		}
		if _, err := b.k.Call(t.Context(), k, "get"); !errorsAre(err, kernel.ErrTimeout, ErrNotOwner) {
			t.Errorf("called on the one that is alone: %v", err)
		}
		b.pipe.cut(false)
		w.realm.silence("b", false)
		time.Sleep(settled)
		post(t, a, k, "line", 4)
		time.Sleep(time.Second)
		d.want(t, "a _stop", "b _start", "b line 4")
		d.mu.Lock()
		defer d.mu.Unlock()
		for i := 1; i < len(d.keys); i++ {
			if d.keys[i].Epoch <= d.keys[i-1].Epoch {
				t.Errorf("epochs %v", d.keys)
			}
		}
	})
}

// The directory renews no more while events wait: they are not begun.
func TestKeyNoEventAfterTheDeadline(t *testing.T) {
	worlds(t, func(t *testing.T, w *world, m kernel.Mode) {
		d := new(diary)
		a := w.join(m, "a", user(d, "a"))
		time.Sleep(settled)
		k := Place("user", 1)
		w.realm.silence("a", true)
		post(t, a, k, "sleep", 5*time.Second)
		post(t, a, k, "line")
		called := make(chan error, 1)
		go func() {
			time.Sleep(time.Second)
			_, err := a.k.Call(t.Context(), k, "line")
			called <- err
		}()
		time.Sleep(6 * time.Second)
		d.want(t, "a _start", "a sleep 5s", "a _stop")
		// The call stood ahead of the queue; what follows it has lost its session.
		if err := <-called; !errors.Is(err, ErrNotOwner) && !errors.Is(err, kernel.ErrStopped) {
			t.Errorf("the call: %v", err)
		}
		if w.losses() != 1 || w.lost[0].Event != "line" {
			t.Errorf("lost %v, %v", w.lost, w.why)
		}
		w.realm.silence("a", false)
		time.Sleep(settled)
		post(t, a, k, "line")
		time.Sleep(time.Second)
		d.want(t, "a _start", "a line")
	})
}

// Without any event, too, a session ends with its owner's time.
func TestKeySessionEndsWithTheDeadline(t *testing.T) {
	worlds(t, func(t *testing.T, w *world, m kernel.Mode) {
		d := new(diary)
		a := w.join(m, "a", user(d, "a"))
		time.Sleep(settled)
		post(t, a, Place("user", 1), "timer", 5*time.Second)
		time.Sleep(time.Second)
		w.realm.silence("a", true)
		time.Sleep(settled)
		d.want(t, "a _start", "a timer 5s", "a _stop")
	})
}

// A handler that outlasts the deadline and then fails does not take the kernel with it.
func TestKeyFailsAfterTheDeadline(t *testing.T) {
	worlds(t, func(t *testing.T, w *world, m kernel.Mode) {
		d := new(diary)
		a := w.join(m, "a", Kind{Name: "user", New: func(Key) kernel.Receiver {
			return receiver(func(c *kernel.Context) error {
				d.note("%s", c.Event())
				if c.Event() == "line" {
					time.Sleep(5 * time.Second)
					panic("late")
				}
				return nil
			})
		}})
		time.Sleep(settled)
		w.realm.silence("a", true)
		post(t, a, Place("user", 1), "line")
		time.Sleep(settled)
		d.want(t, "_start", "line", "_stop")
		w.realm.silence("a", false)
		time.Sleep(settled)
		post(t, a, Place("user", 1), "hello")
		time.Sleep(time.Second)
		d.want(t, "_start", "hello")
	})
}
