package kernel_test

import (
	"fmt"
	"maps"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/usher-go/usher/kernel"
)

// causes notes which event brought about which. Names are unique in a test that
// uses it, or get "of" their session's.
type causes struct {
	mu    sync.Mutex
	names map[uint64]string
	of    map[string]uint64
}

func (c *causes) observer() *kernel.Observer {
	c.names, c.of = make(map[uint64]string), make(map[string]uint64)
	return &kernel.Observer{Began: func(r kernel.Record) {
		c.mu.Lock()
		defer c.mu.Unlock()
		name := r.Event
		if strings.HasPrefix(name, "_") {
			name += " of " + string(r.To)
		}
		if name == "_child of "+string(r.To) || name == "_parent of "+string(r.To) {
			name = fmt.Sprint(name, " ", c.count(name)+1)
		}
		c.names[r.Seq], c.of[name] = name, r.Cause
	}}
}

func (c *causes) count(prefix string) (n int) {
	for name := range c.of {
		if strings.HasPrefix(name, prefix) {
			n++
		}
	}
	return n
}

func (c *causes) want(t *testing.T, event, cause string) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	seq, ran := c.of[event]
	if got := c.names[seq]; !ran || got != cause || (cause == "") != (seq == 0) {
		t.Errorf("the cause of %q (which ran: %v) is %q (event %d); want %q", event, ran, got, seq, cause)
	}
}

// The handler of a signal is caused by the event whose handler sent it, of DIE by
// the event that failed; both also when the signal waits for a busy session, and
// when it stops the sender. Signals from outside have no cause.
func TestObserver_CausesOfSignals(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		var cs causes
		k := boot(t, m, also(cs.observer()))
		k.spawn(table{
			"_start": func(c *kernel.Context) error {
				c.Sig("NEWS", "on news")
				c.Sig("DIE", "on die")
				c.Sig("IDLE", "on idle")
				c.Sig("TERM", "on term")
				return c.Yield("send")
			},
			"send":    func(c *kernel.Context) error { must(c.Signal(c.Self(), "NEWS")); return c.Yield("fail") },
			"on news": nop.none,
			"fail":    func(*kernel.Context) error { return errBoom },
			"on die":  func(c *kernel.Context) error { c.SigHandled(); return nil },
			"on idle": func(c *kernel.Context) error { c.SigHandled(); return c.Signal("", "TERM") },
			"on term": nop.none,
		}, kernel.Alias("a"))
		k.run()
		cs.want(t, "on news", "send")
		cs.want(t, "on die", "fail")
		cs.want(t, "on idle", "")
		cs.want(t, "on term", "on idle")
		cs.want(t, "_stop of #1", "on idle")
	})
}

// _start is caused by the handler that spawned; _stop by what led to it; _child
// and _parent by what moved the child.
func TestObserver_CausesOfTheKernelsOwnEvents(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		var cs causes
		k := boot(t, m, also(cs.observer()))
		grandchild := table{"_start": func(c *kernel.Context) error { c.Lease("kept"); return nil }}
		child := table{
			"_start": func(c *kernel.Context) error { _, err := c.Spawn(grandchild); return err },
			"end":    func(c *kernel.Context) error { c.Stop(); return nil },
		}
		k.spawn(table{ // #1
			"_start": func(c *kernel.Context) error { return c.Yield("make") },
			"make": func(c *kernel.Context) error { // #2, whose child is #3
				a, err := c.Spawn(child)
				must(err)
				return c.Post(a, "end")
			},
			"_child": func(c *kernel.Context) error {
				if c.Arg(0) == "lose" && c.Arg(1) == kernel.Address("#2") {
					return c.Yield("detach")
				}
				return nil
			},
			"detach": func(c *kernel.Context) error { return c.DetachChild("#3") },
			"_stop":  func(c *kernel.Context) error { return c.Kernel().Signal("#3", "KILL") },
		})
		k.run()
		cs.want(t, "_start of #1", "")
		cs.want(t, "_start of #2", "make")
		cs.want(t, "_start of #3", "_start of #2")
		cs.want(t, "_child of #2 1", "_start of #2") // create
		cs.want(t, "_child of #1 1", "make")         // create
		cs.want(t, "_child of #1 2", "end")          // gain
		cs.want(t, "_parent of #3 1", "end")
		cs.want(t, "_stop of #2", "end")
		cs.want(t, "_child of #1 3", "_stop of #2") // lose
		cs.want(t, "detach", "_child of #1 3")
		cs.want(t, "_child of #1 4", "detach") // lose
		cs.want(t, "_parent of #3 2", "detach")
		cs.want(t, "_stop of #1", "_child of #1 4")
		cs.want(t, "_stop of #3", "")
	})
}

// What comes from outside through something that a handler made is caused by
// that handler; what comes through the Kernel's own methods by nothing.
func TestObserver_CausesFromOutside(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		var cs causes
		k := boot(t, m, also(cs.observer()))
		process := exec.Command("true")
		launch(t, process)
		mortal := k.spawn(table{"last": func(c *kernel.Context) error { c.Stop(); return nil }}, kernel.Alias("mortal"))
		k.spawn(table{
			"_start": func(c *kernel.Context) error { return c.Yield("make") },
			"make": func(c *kernel.Context) error {
				l, p := c.Lease("l"), c.Postback("from postback")
				must(l.Post("from lease"))
				must(p.Call())
				l.Release()
				p.Release()
				c.SigChild(process.Process.Pid, "from process")
				must(c.Monitor(mortal, "from monitor"))
				must(c.Post(mortal, "last"))
				return nil
			},
			"from lease": nop.none, "from postback": nop.none, "from process": nop.none, "from monitor": nop.none,
			"from kernel": nop.none, "from kernel's call": nop.none,
		}, kernel.Alias("maker"))
		must(k.Post("maker", "from kernel"))
		_, err := k.Call(t.Context(), "maker", "from kernel's call")
		must(err)
		k.run()
		cs.want(t, "from lease", "make")
		cs.want(t, "from postback", "make")
		cs.want(t, "from process", "make")
		cs.want(t, "from monitor", "_stop of #1")
		cs.want(t, "_stop of #1", "last")
		cs.want(t, "from kernel", "")
		cs.want(t, "from kernel's call", "")
	})
}

// A wheel's events are caused by the event whose handler made the wheel.
func TestObserver_CauseOfAWheelsEvents(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		var cs causes
		var mu sync.Mutex
		var via []kernel.Via
		k := boot(t, m, also(cs.observer()), also(&kernel.Observer{Began: func(r kernel.Record) {
			if r.Event == "record" {
				mu.Lock()
				via = append(via, r.Via)
				mu.Unlock()
			}
		}}))
		k.spawn(table{
			"_start": func(c *kernel.Context) error { return c.Yield("make") },
			"make": func(c *kernel.Context) error {
				var src *kernel.Source
				src = c.NewSource("test", func(c *kernel.Context) {
					must(c.Yield("from turn"))
					src.Deliver(c, "record")
					src.Close()
				}, nil)
				src.Wake()
				return c.Yield("other")
			},
			"other": nop.none, "from turn": nop.none,
			"record": func(c *kernel.Context) error { return c.Yield("from record") }, "from record": nop.none,
		})
		k.run()
		cs.want(t, "record", "make")
		cs.want(t, "from turn", "make")
		cs.want(t, "from record", "record")
		expect(t, "via", fmt.Sprint(via), "[wheel]")
	})
}

// A restart's _start is caused by the event that failed.
func TestObserver_CauseOfARestart(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		var cs causes
		k := boot(t, m, also(cs.observer()))
		starts := 0
		make := func() kernel.Receiver {
			return table{
				"_start": func(c *kernel.Context) error {
					if starts++; starts == 1 {
						return c.Yield("fail")
					}
					return nil
				},
				"fail": func(*kernel.Context) error { return errBoom },
			}
		}
		k.spawn(make(), kernel.Supervise(actor.DefaultSupervisorStrategy(), make))
		k.run()
		expect(t, "starts", starts, 2)
		cs.want(t, "_start of #1", "fail")
		cs.want(t, "_stop of #1", "_start of #1")
	})
}

// Each way of Record.Via.
func TestObserver_Via(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		var mu sync.Mutex
		got := map[string]string{}
		k := boot(t, m, inSystem, also(&kernel.Observer{Ended: func(r kernel.Record) {
			mu.Lock()
			got[r.Event] = r.Via.String()
			mu.Unlock()
		}}))
		k.spawn(table{
			"_start": func(c *kernel.Context) error { return c.Yield("post") },
			"post": func(c *kernel.Context) error {
				c.Sig("NEWS", "signal")
				c.Delay("timer", time.Millisecond)
				must(c.Signal(c.Self(), "NEWS"))
				_, err := c.Call(c.Self(), "call")
				pid, _ := k.PID(c.Self())
				neighbours.Root.Send(pid, "raw")
				return err
			},
			"timer": func(c *kernel.Context) error { return c.Yield("after a timer") },
			"call":  nop.none, "signal": nop.none, "after a timer": nop.none, "_message": nop.none,
		})
		k.run()
		want := map[string]string{
			"_start": "kernel", "_stop": "kernel", "post": "post", "timer": "timer", "call": "call", "signal": "signal",
			"after a timer": "post", "_message": "actor",
		}
		if !maps.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}
