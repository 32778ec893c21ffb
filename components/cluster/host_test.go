package cluster

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/usher-go/usher/kernel"
)

func TestKeySessionsThatEnd(t *testing.T) {
	worlds(t, func(t *testing.T, w *world, m kernel.Mode) {
		d := new(diary)
		a, b := w.join(m, "a", user(d, "a")), w.join(m, "b")
		time.Sleep(settled)
		k := Place("user", 1)
		for _, n := range []*real{a, b} {
			for _, how := range []string{"end", "fail", "panic"} {
				post(t, n, k, how)
				time.Sleep(time.Second)
				d.want(t, "a _start", "a "+how, "a _stop")
				if s := a.Status().Keys; len(s) != 0 {
					t.Errorf("%s: %v runs still", how, s)
				}
			}
			_, err := n.k.Call(t.Context(), k, "panic")
			if err == nil || !strings.Contains(err.Error(), "it panics") {
				t.Errorf("a call: %v", err)
			}
			time.Sleep(time.Second)
			d.want(t, "a _start", "a panic", "a _stop")
		}
		if n := len(w.reports()); n != 6 {
			t.Errorf("reported %q", w.reports())
		}
	})
}

func TestKeyStartThatFails(t *testing.T) {
	worlds(t, func(t *testing.T, w *world, m kernel.Mode) {
		d := new(diary)
		how := "fail"
		kind := user(d, "a")
		good := kind.New
		kind.New = func(k Key) kernel.Receiver {
			switch how {
			case "nil":
				return nil
			case "new":
				panic("New panics")
			}
			inner := good(k)
			return receiver(func(c *kernel.Context) error {
				if c.Event() == "_start" {
					switch how {
					case "fail":
						return errors.New("no start")
					case "panic":
						panic("no start")
					}
				}
				return inner.Receive(c)
			})
		}
		a, b := w.join(m, "a", kind), w.join(m, "b")
		time.Sleep(settled)
		k := Place("user", 1)
		for _, n := range []*real{a, b} {
			for _, how = range []string{"fail", "panic", "nil", "new"} {
				before := w.losses()
				post(t, n, k, "line")
				time.Sleep(time.Second)
				if n := w.losses() - before; n != 1 {
					t.Errorf("%s: %d events lost", how, n)
				}
				if _, err := n.k.Call(t.Context(), k, "get"); !errors.Is(err, kernel.ErrStopped) {
					t.Errorf("%s: the call: %v", how, err)
				}
				d.want(t)
			}
			how = ""
			post(t, n, k, "line")
			post(t, n, k, "end")
			time.Sleep(time.Second)
			d.want(t, "a _start", "a line", "a end", "a _stop")
		}
		if len(w.reports()) != 16 {
			t.Errorf("reported %q", w.reports())
		}
	})
}

func TestKeySupervised(t *testing.T) {
	worlds(t, func(t *testing.T, w *world, m kernel.Mode) {
		d := new(diary)
		a := w.join(m, "a", user(d, "a", func(k *Kind) {
			k.Supervise = actor.NewOneForOneStrategy(10, time.Minute, actor.DefaultDecider)
		}))
		time.Sleep(settled)
		k := Place("user", 1)
		for _, e := range []string{"line", "fail", "line", "panic", "line", "end"} {
			post(t, a, k, e)
		}
		time.Sleep(time.Second)
		d.want(t, "a _start", "a line", "a fail", "a _start", "a line", "a panic", "a _start", "a line", "a end", "a _stop")
		post(t, a, k, "line")
		time.Sleep(time.Second)
		d.want(t, "a _start", "a line")
	})
}

func TestKeyIdle(t *testing.T) {
	worlds(t, func(t *testing.T, w *world, m kernel.Mode) {
		d := new(diary)
		a := w.join(m, "a", user(d, "a", func(k *Kind) { k.Idle = 3 * time.Second }))
		b := w.join(m, "b")
		time.Sleep(settled)
		k := Place("user", 1)
		for _, n := range []*real{a, b} {
			post(t, n, k, "line")
			time.Sleep(2 * time.Second)
			post(t, n, k, "line")
			time.Sleep(2 * time.Second)
			d.want(t, "a _start", "a line", "a line")
			time.Sleep(2 * time.Second)
			d.want(t, "a _stop")
			post(t, n, k, "timer", 7*time.Second)
			time.Sleep(6 * time.Second) // it has idled, and the timer holds it
			d.want(t, "a _start", "a timer 7s")
			post(t, n, k, "line")
			if v, err := n.k.Call(t.Context(), k, "get"); v != "a" || err != nil {
				t.Errorf("called: %v, %v", v, err)
			}
			time.Sleep(2 * time.Second)
			d.want(t, "a line", "a rings")
			time.Sleep(time.Second)
			d.want(t)
			time.Sleep(2 * time.Second)
			d.want(t, "a _stop")
			post(t, n, k, "timer", time.Minute)
			time.Sleep(5 * time.Second)
			if v, err := n.k.Call(t.Context(), k, "get"); v != "a" || err != nil {
				t.Errorf("called while it dozes: %v, %v", v, err)
			}
			d.want(t, "a _start", "a timer 1m0s")
			post(t, n, k, "end")
			time.Sleep(time.Second)
			d.want(t, "a end", "a _stop")
		}
		if w.losses() != 0 {
			t.Errorf("lost %v", w.lost)
		}
	})
}

func TestKeyQueueLimit(t *testing.T) {
	worlds(t, func(t *testing.T, w *world, m kernel.Mode) {
		d := new(diary)
		a := w.join(m, "a", user(d, "a", func(k *Kind) { k.Options = []kernel.SpawnOption{kernel.QueueLimit(2)} }))
		b := w.join(m, "b")
		time.Sleep(settled)
		k := Place("user", 1)
		for i, n := range []*real{a, b} {
			post(t, n, k, "sleep", time.Second)
			time.Sleep(500 * time.Millisecond)
			var errs []error
			for range 5 {
				errs = append(errs, n.k.Post(k, "line"))
			}
			time.Sleep(5 * time.Second)
			lines := strings.Join(d.take(), ",")
			if want := "a sleep 1s,a line,a line"; !strings.HasSuffix(lines, want) {
				t.Errorf("handled %s", lines)
			}
			if i == 0 && (!errors.Is(errs[2], kernel.ErrQueueFull) || !errors.Is(errs[4], kernel.ErrQueueFull) || errs[1] != nil || w.losses() != 0) {
				t.Errorf("here: %v, lost %v", errs, w.lost)
			}
			if i == 1 && (errors.Join(errs...) != nil || w.losses() != 3 || !strings.Contains(string(w.why[0]), "queue")) {
				t.Errorf("elsewhere: %v, lost %v", errs, w.why)
			}
		}
	})
}

// What a session does to itself by its key, and in its last moments, harms nobody else.
func TestKeySessionsOwnWays(t *testing.T) {
	worlds(t, func(t *testing.T, w *world, m kernel.Mode) {
		d := new(diary)
		a := w.join(m, "a", Kind{Name: "user", New: func(k Key) kernel.Receiver {
			self := Place(k.Kind, k.Key)
			return receiver(func(c *kernel.Context) error {
				switch c.Event() {
				case "_start":
					_, err := c.Call(self, "get")
					d.note("_start: %v", err == nil || errors.Is(err, kernel.ErrDeadlock))
				case "get":
					c.Return(1)
				case "line":
					d.note("line %v", c.Arg(0))
				case "yield":
					d.note("yield %v %v", c.Post(self, "line", 1), c.Yield("line", 2))
				case "end":
					c.Stop()
					_, err := c.Call(Place(k.Kind, k.Key+"'"), "get")
					d.note("end: %v", err)
				case "_stop":
					d.note("_stop: %v", c.Post(self, "line", 3))
					panic("last words")
				}
				return nil
			})
		}})
		time.Sleep(settled)
		k := Place("user", 1)
		began := time.Now()
		post(t, a, k, "yield")
		time.Sleep(100 * time.Millisecond)
		d.want(t, "_start: true", "yield <nil> <nil>", "line 1", "line 2")
		post(t, a, k, "end")
		time.Sleep(time.Second)
		d.want(t, "_start: true", "end: <nil>", "_stop: <nil>")
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("it took %v", took)
		}
		if said := w.reports(); len(said) != 1 || !strings.Contains(said[0], "last words") {
			t.Errorf("reported %q", said)
		}
		if w.losses() != 1 || w.why[0] != kernel.ReasonSenderStopped {
			t.Errorf("lost %v, %v", w.lost, w.why)
		}
		post(t, a, k, "line", 4)
		time.Sleep(time.Second)
		d.want(t, "_start: true", "line 4")
	})
}
