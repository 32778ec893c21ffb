package clustertest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/components/cluster/clustertest"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/wheel/wheeltest"
)

// A cut lets nothing through and breaks nothing; after Heal all of it comes, in order.
func TestCut(t *testing.T) {
	seeds(t, func(t *testing.T, seed uint64) {
		w, a, b := pair(t, seed)
		c := join(t, w, w.Node("c"))
		a.send(b, 1)
		w.Run(sec)
		w.Cut("a", "b")
		a.send(b, 2)
		b.send(a, 1) // would have to dial
		c.send(b, 1)
		w.Run(3 * sec)
		wantList(t, "through the cut", b.got["a"], 1)
		wantList(t, "beside it", b.got["c"], 1)
		w.Heal("b", "a")
		w.Run(sec)
		wantList(t, "after it", b.got["a"], 1, 2)
		wantList(t, "the other way", a.got["b"], 1)
		expect(t, "broken", a.told("broken b:7000")+b.told("broken a:7000"), 0)

		w.Cut("c", "a")
		c.send(a, 1)
		w.Run(6 * sec)
		expect(t, "broken, as nobody has answered the dial", c.told("broken a:7000"), 1)
		w.Heal("c", "a")
		w.Run(sec)
		wantList(t, "lost with the dial", a.got["c"])
	})
}

// A cut one way lets the other way through, where there is a connection.
func TestCutOneWay(t *testing.T) {
	seeds(t, func(t *testing.T, seed uint64) {
		w, a, b := pair(t, seed)
		a.send(b, 1)
		b.send(a, 1)
		w.Run(sec)
		w.CutOneWay("a", "b")
		a.send(b, 2)
		b.send(a, 2)
		w.Run(sec)
		wantList(t, "the way that is cut", b.got["a"], 1)
		wantList(t, "the other way", a.got["b"], 1, 2)
		w.Heal("a", "b")
		w.Run(sec)
		wantList(t, "after it", b.got["a"], 1, 2)
	})
}

// Reset breaks what is between two machines: both senders are told, and what was on
// its way is lost; what is sent when the rest is over arrives.
func TestReset(t *testing.T) {
	seeds(t, func(t *testing.T, seed uint64) {
		w, a, b := pair(t, seed)
		c := join(t, w, w.Node("c"))
		a.send(b, 1)
		b.send(a, 1)
		c.send(b, 1)
		w.Run(sec)
		a.send(b, 2)
		w.Reset("a", "b")
		w.Run(sec)
		expect(t, "a is told", a.told("broken b:7000"), 1)
		expect(t, "b is told", b.told("broken a:7000"), 1)
		expect(t, "c is told", c.told("broken b:7000"), 0)
		a.send(b, 3)
		w.Run(sec)
		wantList(t, "arrived", b.got["a"], 1, 3)
	})
}

// Wake ends the rest after a failure.
func TestWake(t *testing.T) {
	seeds(t, func(t *testing.T, seed uint64) {
		w, a, b := pair(t, seed)
		b.m.Crash()
		for range 5 {
			w.Run(2 * sec)
			a.send(b, 1)
		}
		w.Run(20 * ms)
		b.m.Restart()
		b = join(t, w, b.m)
		a.send(b, 2)
		w.Run(20 * ms)
		a.tr.(interface{ Wake(string) }).Wake(b.m.Address())
		a.send(b, 3)
		w.Run(20 * ms)
		wantList(t, "arrived", b.got["a"], 3)
	})
}

// Between changes what lies between two machines.
func TestBetween(t *testing.T) {
	w, a, b := pair(t, 1)
	w.Between("a", "b", wheeltest.Link{Delay: 100 * ms})
	a.send(b, 1)
	w.Run(300*ms - 1) // there, back, and there again
	wantList(t, "too early", b.got["a"])
	w.Run(1)
	wantList(t, "in time", b.got["a"], 1)
}

// Nothing of a paused machine runs, neither its kernel nor its transport; its clock
// goes on, and on Resume all that was due comes at once, at the time that it is then.
func TestPause(t *testing.T) {
	seeds(t, func(t *testing.T, seed uint64) {
		w, a, b := pair(t, seed)
		var ticks []time.Duration
		spawn(t, b.m, handlers{
			"_start": func(c *kernel.Context) error { c.Delay("tick", sec); return nil },
			"tick": func(c *kernel.Context) error {
				ticks = append(ticks, c.Now().Sub(kerneltest.Epoch))
				if len(ticks) < 20 {
					c.DelayAdd("tick", sec)
				}
				if len(ticks) == 1 {
					c.DelayAdd("tick", 3*sec)
					c.DelayAdd("tick", 4*sec)
				}
				return nil
			},
		})
		w.At(1500*ms, b.m.Pause)
		w.At(2*sec, func() { a.send(b, 1) })
		w.At(11500*ms, func() {
			expect(t, "ticks while paused", len(ticks), 1)
			expect(t, "told while paused", len(b.lines), 0)
			if now := b.m.Kernel().Now().Sub(kerneltest.Epoch); now != w.Elapsed() {
				t.Errorf("the clock of the paused machine says %v, want %v", now, w.Elapsed())
			}
			b.m.Resume()
		})
		w.Run(12 * sec)
		wantList(t, "what had arrived", b.got["a"], 1)
		want := fmt.Sprint([]time.Duration{sec, 11500 * ms, 11500 * ms, 11500 * ms})
		if got := fmt.Sprint(ticks); got != want {
			t.Errorf("ticks at %v, want %v", got, want)
		}
	})
}

// Restart throws the old kernel away without a word: no handler of it runs any more,
// peers find their connections reset, and the new one has the same address.
func TestRestart(t *testing.T) {
	seeds(t, func(t *testing.T, seed uint64) {
		w, a, b := pair(t, seed)
		old := b.m.Kernel()
		life := handlers{
			"_start": func(c *kernel.Context) error { c.Delay("tick", 2*sec); c.Lease("never released"); return nil },
			"tick":   func(*kernel.Context) error { t.Error("a handler of the old kernel runs"); return nil },
			"_stop":  func(*kernel.Context) error { t.Error("the old kernel ends with _stop"); return nil },
		}
		spawn(t, b.m, life)
		a.send(b, 1)
		b.send(a, 1)
		w.Run(sec)
		heard := len(b.lines)
		b.m.Pause() // is over with the restart
		a.send(b, 2)
		w.Run(100 * ms)
		b.m.Restart()
		b.send(a, 2) // by what is left of the old one
		again := join(t, w, b.m)
		if b.m.Kernel() == old {
			t.Error("the kernel is the old one")
		}
		w.Run(sec)
		expect(t, "a is told", a.told("broken b:7000"), 1)
		a.send(again, 3)
		again.send(a, 3)
		w.Run(5 * sec)
		expect(t, "the old one is told", len(b.lines)-heard, 0)
		wantList(t, "the new one", again.got["a"], 3)
		wantList(t, "a", a.got["b"], 1, 3)
		if got := b.m.Kernel().Now().Sub(kerneltest.Epoch); got != w.Elapsed() {
			t.Errorf("the new kernel's clock says %v, want %v", got, w.Elapsed())
		}
	})
}

// A machine that has crashed is down until its Restart.
func TestCrash(t *testing.T) {
	seeds(t, func(t *testing.T, seed uint64) {
		w, a, b := pair(t, seed)
		a.send(b, 1)
		w.Run(sec)
		b.m.Crash()
		b.m.Crash()
		for i := range 5 {
			w.Run(3 * sec)
			a.send(b, uint64(i))
			expect(t, "broken", a.told("broken b:7000"), i+1)
		}
		b.m.Restart()
		again := join(t, w, b.m)
		w.Run(3 * sec)
		a.send(b, 9)
		w.Run(sec)
		if got := again.got["a"]; len(got) == 0 || got[len(got)-1] != 9 {
			t.Errorf("the new one got %v, want the last to be 9", got)
		}
	})
}

// A crash during a cut is not noticed: the reset is lost.
func TestCrash_BehindACut(t *testing.T) {
	w, a, b := pair(t, 3)
	a.send(b, 1)
	w.Run(sec)
	w.Cut("a", "b")
	b.m.Restart()
	again := join(t, w, b.m)
	w.Run(sec)
	w.Heal("a", "b")
	w.Run(sec)
	expect(t, "broken before anything was sent", a.told("broken b:7000"), 0)
	a.send(b, 2)
	w.Run(sec)
	expect(t, "broken when the new one has answered", a.told("broken b:7000"), 1)
	wantList(t, "the new one", again.got["a"])
}

// Skewed and drifting clocks show it, fire timers by it, and still stand for one order.
func TestSkewAndDrift(t *testing.T) {
	seeds(t, func(t *testing.T, seed uint64) {
		w := clustertest.New(t, seed)
		right, ahead, behind, fast, slow := w.Node("right"), w.Node("ahead"), w.Node("behind"), w.Node("fast"), w.Node("slow")
		ahead.Skew(5 * sec)
		fast.Drift(10_000)
		slow.Drift(-10_000)
		fired := make(map[string]time.Duration)
		for _, m := range []*clustertest.Machine{right, ahead, behind, fast, slow} {
			spawn(t, m, handlers{
				"_start": func(c *kernel.Context) error { c.Delay("tick", 100*sec); return nil },
				"tick":   func(*kernel.Context) error { fired[m.Name()] = w.Elapsed(); return nil },
			})
		}
		w.Run(50 * sec)
		behind.Skew(-2 * sec) // stands still from now on, and is 2 s behind then
		w.Run(60 * sec)
		fast.Drift(0)
		w.Run(10 * sec)
		for m, want := range map[*clustertest.Machine]struct{ fired, now time.Duration }{
			right:  {100 * sec, 120 * sec},
			ahead:  {100 * sec, 125 * sec},
			behind: {102 * sec, 118 * sec},
			fast:   {99_009_900_991, 121*sec + 100*ms}, // 100 s / 1.01, rounded up
			slow:   {101_010_101_011, 118*sec + 800*ms},
		} {
			expect(t, m.Name()+" fired", fired[m.Name()], want.fired)
			expect(t, m.Name()+" says", m.Kernel().Now().Sub(kerneltest.Epoch), want.now)
		}
	})
}

// A step forward makes all come late that is due in it.
func TestSkew_Forward(t *testing.T) {
	w := clustertest.New(t, 1)
	m := w.Node("m")
	var fired []string
	spawn(t, m, handlers{
		"_start": func(c *kernel.Context) error {
			c.DelayAdd("x", 2*sec)
			c.DelayAdd("x", sec)
			c.DelayAdd("x", 10*sec)
			return nil
		},
		"x": func(c *kernel.Context) error {
			fired = append(fired, fmt.Sprint(w.Elapsed(), c.Now().Sub(kerneltest.Epoch)))
			return nil
		},
	})
	w.At(500*ms, func() { m.Skew(3 * sec) })
	w.Run(20 * sec)
	expect(t, "fired", strings.Join(fired, ", "), "500ms 3.5s, 500ms 3.5s, 7s 10s")
}
