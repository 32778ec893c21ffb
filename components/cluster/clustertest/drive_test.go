package clustertest_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/usher-go/usher/components/cluster"
	"github.com/usher-go/usher/components/cluster/clustertest"
	"github.com/usher-go/usher/components/cluster/wire"
	"github.com/usher-go/usher/kernel"
)

// caller is a toy whose machine answers calls: the packet's Link is the number of a
// call, and its Ack that of an answer. A session "calls" makes them.
type caller struct {
	*toy
	calls   uint64
	answers map[uint64]bool
}

func newCaller(t testing.TB, w *clustertest.World, name string) *caller {
	c := &caller{toy: join(t, w, w.Node(name)), answers: make(map[uint64]bool)}
	c.hear = func(p *wire.Packet) {
		switch {
		case p.Ack > 0:
			c.answers[p.Ack] = true
		case p.Link > 0:
			if err := c.m.Kernel().Post("calls", "called", p); err != nil {
				t.Error(err)
			}
		}
	}
	return c
}

// call calls a session on another machine, with a deadline.
func (c *caller) call(k *kernel.Context, to *caller, limit time.Duration) error {
	c.calls++
	n := c.calls
	c.tr.Send(to.m.Address(), &wire.Packet{Node: c.m.Name(), Link: n})
	end := k.Now().Add(limit)
	err := c.tr.(cluster.Driver).Drive(func() bool { return c.answers[n] || !k.Now().Before(end) })
	if err == nil && !c.answers[n] {
		err = kernel.ErrTimeout
	}
	return err
}

// answer is a handler of "called".
func (c *caller) answer(k *kernel.Context, work func() error) error {
	p := k.Arg(0).(*wire.Packet)
	if err := work(); err != nil {
		return err
	}
	c.tr.Send(p.Node+":7000", &wire.Packet{Node: c.m.Name(), Ack: p.Link})
	return nil
}

func atOnce() error { return nil }

// A handler waits for another machine's; meanwhile time goes on, others work, and
// nothing of its own kernel runs. Calls nest over machines.
func TestDrive(t *testing.T) {
	seeds(t, func(t *testing.T, seed uint64) {
		w := clustertest.New(t, seed)
		a, b, c := newCaller(t, w, "a"), newCaller(t, w, "b"), newCaller(t, w, "c")
		var waits, called bool
		var took time.Duration
		ticks := 0
		spawn(t, a.m, handlers{
			"_start": func(k *kernel.Context) error { k.Delay("go", sec); k.DelayAdd("other", sec+ms); return nil },
			"go": func(k *kernel.Context) error {
				begin := k.Now()
				waits = true
				err := a.call(k, b, time.Minute)
				waits = false
				took = k.Now().Sub(begin)
				return err
			},
			"other": func(*kernel.Context) error {
				if waits {
					t.Error("a handler of the waiting kernel runs")
				}
				return nil
			},
		})
		spawn(t, b.m, handlers{"called": func(k *kernel.Context) error {
			return b.answer(k, func() error { return b.call(k, c, time.Minute) })
		}}, kernel.Alias("calls"))
		spawn(t, c.m, handlers{
			"called": func(k *kernel.Context) error {
				called = waits
				return c.answer(k, atOnce)
			},
			"tick": func(k *kernel.Context) error {
				if ticks++; waits {
					k.Delay("tick", ms)
				}
				return nil
			},
			"_start": func(k *kernel.Context) error { k.Delay("tick", sec+ms); return nil },
		}, kernel.Alias("calls"))
		w.Run(10 * sec)
		if !called || waits || took < 12*ms || took > 24*ms || ticks < 10 {
			t.Errorf("called inside the wait: %v, still waiting: %v, took %v, %d ticks meanwhile; want true, false, 12 to 24 ms, 10 or more", called, waits, took, ticks)
		}
		expect(t, "the world's time", w.Elapsed(), 10*sec)
	})
}

// A call that is not answered ends at its deadline, which a timer of its kernel marks,
// though that does not run it, nor those that are due before.
func TestDrive_Deadline(t *testing.T) {
	seeds(t, func(t *testing.T, seed uint64) {
		w := clustertest.New(t, seed)
		a, b := newCaller(t, w, "a"), newCaller(t, w, "b")
		b.m.Pause()
		var err error
		var at time.Duration
		spawn(t, a.m, handlers{
			"_start": func(k *kernel.Context) error {
				k.DelayAdd("pass", sec)
				k.DelayAdd("pass", 3*sec)
				return k.Yield("go")
			},
			"go":   func(k *kernel.Context) error { err = a.call(k, b, 3*sec); at = w.Elapsed(); return nil },
			"pass": func(*kernel.Context) error { return nil },
		})
		w.Run(sec) // longer, because the call waits
		if !errors.Is(err, kernel.ErrTimeout) || at != 3*sec || w.Elapsed() != 3*sec {
			t.Errorf("%v at %v, and the world's time is %v; want a timeout at 3s", err, at, w.Elapsed())
		}
	})
}

// A call without a deadline that nobody can answer ends with ErrNothing, be it that
// nothing happens or that the wrong things do.
func TestDrive_Nothing(t *testing.T) {
	for _, ticks := range []bool{false, true} {
		w, a, b := pair(t, 5)
		b.m.Pause()
		if ticks {
			spawn(t, w.Node("c"), handlers{
				"_start": func(k *kernel.Context) error { return k.Yield("tick") },
				"tick":   func(k *kernel.Context) error { k.Delay("tick", time.Minute); return nil },
			})
		}
		var err error
		spawn(t, a.m, handlers{"go": func(*kernel.Context) error {
			a.send(b, 1)
			err = a.tr.(cluster.Driver).Drive(func() bool { return false })
			return nil
		}}, kernel.Alias("a"))
		if _, err := a.m.Kernel().Call(context.Background(), "a", "go"); err != nil { // from outside Run
			t.Error(err)
		}
		if !errors.Is(err, clustertest.ErrNothing) {
			t.Errorf("ticks %v: %v, want ErrNothing", ticks, err)
		}
		if took := w.Elapsed(); (took >= 59*time.Minute) != ticks || took > time.Hour {
			t.Errorf("ticks %v: it took %v", ticks, took)
		}
	}
}

// A machine that is paused while it waits goes on when it is resumed; one that crashes
// is told, and what its handler does then reaches nobody.
func TestDrive_PauseAndCrash(t *testing.T) {
	seeds(t, func(t *testing.T, seed uint64) {
		w := clustertest.New(t, seed)
		a, b := newCaller(t, w, "a"), newCaller(t, w, "b")
		spawn(t, b.m, handlers{"called": func(k *kernel.Context) error {
			return b.answer(k, atOnce)
		}}, kernel.Alias("calls"))
		var err error
		var at time.Duration
		spawn(t, a.m, handlers{"go": func(k *kernel.Context) error {
			err = a.call(k, b, time.Minute)
			at = w.Elapsed()
			a.send(b.toy, 7)
			return nil
		}}, kernel.Alias("a"))
		run := func(fault func()) {
			if err := a.m.Kernel().Post("a", "go"); err != nil {
				t.Fatal(err)
			}
			w.At(w.Elapsed()+ms, fault)
			w.Run(10 * sec)
		}
		run(func() { a.m.Pause(); w.At(5*sec, a.m.Resume) })
		if err != nil || at < 5*sec || at > 5*sec+10*ms {
			t.Errorf("paused until 5s: %v at %v, want the answer then or a little later", err, at)
		}
		run(a.m.Crash)
		if !errors.Is(err, clustertest.ErrCrashed) || at != w.Elapsed()-10*sec+ms {
			t.Errorf("crashed: %v at %v, want ErrCrashed at once", err, at)
		}
		expect(t, "packets from handlers", b.told(" 7 from a"), 1)
	})
}

// While a handler runs, and does not wait, the carrier hears nothing.
func TestDrive_CarrierIsOutside(t *testing.T) {
	seeds(t, func(t *testing.T, seed uint64) {
		w, a, b := pair(t, seed)
		n := uint64(0)
		busy := func(c *toy, to *toy) kernel.Handler {
			return func(k *kernel.Context) error {
				c.busy = true
				defer func() { c.busy = false }()
				n++
				c.send(to, n)
				c.send(c, n)
				if n < 100 {
					k.Delay("x", ms)
				}
				return nil
			}
		}
		spawn(t, a.m, handlers{"_start": busy(a, b), "x": busy(a, b)})
		spawn(t, b.m, handlers{"_start": busy(b, a), "x": busy(b, a)})
		w.Run(10 * sec)
		expect(t, "told in a handler", a.told("inside a handler:")+b.told("inside a handler:"), 0)
		expect(t, "packets", len(a.got["a"])+len(a.got["b"])+len(b.got["a"])+len(b.got["b"]), 2*int(n))
	})
}

// What a session does in its _stop, with which no event ends, is not overlooked.
func TestRun_Stop(t *testing.T) {
	seeds(t, func(t *testing.T, seed uint64) {
		w, a, b := pair(t, seed)
		spawn(t, a.m, handlers{"_stop": func(*kernel.Context) error { a.send(b, 1); return nil }})
		w.Run(sec)
		wantList(t, "sent in _stop", b.got["a"], 1)
	})
}
