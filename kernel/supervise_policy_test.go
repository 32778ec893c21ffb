package kernel_test

import (
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/usher-go/usher/kernel"
)

func decider(d actor.Directive) actor.DeciderFunc { return func(any) actor.Directive { return d } }

// frail notes its lives, and fails when it is told to.
func frail(k *fixture) func(n int) table {
	return func(n int) table {
		return table{
			"_start": func(*kernel.Context) error { k.note("%d: _start", n); return nil },
			"fail":   boom,
			"note":   func(c *kernel.Context) error { k.note("%d: %v", n, c.Arg(0)); return nil },
			"_stop":  func(*kernel.Context) error { k.note("%d: _stop", n); return nil },
		}
	}
}

// The policy's limit stops the session; failures farther apart than its window
// do not count together. _start counts as any other handler.
func TestSupervise_Limit(t *testing.T) {
	fails := func(n int) []string { return slices.Repeat([]string{"fail"}, n) }
	lives := func(n int) []string {
		var list []string
		for i := range n {
			list = append(list, string(rune('1'+i))+": _start")
		}
		return append(list, string(rune('0'+n))+": _stop")
	}
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		a := k.lives(upTo(2), frail(k))
		for _, e := range append(fails(3), "note") {
			must(k.Post(a, e))
		}
		k.run()
		k.wantNotes(lives(3)...)
		k.wantDrops(map[string]int{"note: receiver stopped": 1})
		expect(t, "failures seen", k.failed.Load(), 3)

		k = boot(t, m)
		a = k.lives(actor.NewOneForOneStrategy(1, time.Nanosecond, actor.DefaultDecider), frail(k))
		for _, e := range fails(6) {
			must(k.Post(a, e))
		}
		k.run()
		k.wantNotes(lives(7)...)

		k = boot(t, m)
		a = k.lives(upTo(2), func(n int) table {
			r := frail(k)(n)
			if n > 1 {
				r["_start"] = func(*kernel.Context) error { k.note("%d: _start", n); return errBoom }
			}
			return r
		})
		must(k.Post(a, "fail"))
		k.run()
		k.wantNotes(lives(3)...)
	})
}

// Resumed, a session loses nothing but the event that failed.
func TestSupervise_Resume(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		a := k.lives(actor.NewOneForOneStrategy(0, 0, decider(actor.ResumeDirective)), func(n int) table {
			r := frail(k)(n)
			r["_start"] = func(c *kernel.Context) error {
				c.Delay("note", 50*time.Millisecond, "timer") // after the posts from outside
				c.Sig("NEWS", "note", "own")
				return nil
			}
			return r
		})
		must(k.Post(a, "fail"))
		must(k.Post(a, "note", "queued"))
		k.run()
		k.wantNotes("1: queued", "1: timer", "1: _stop")
		expect(t, "failures seen", k.failed.Load(), 1)
	})
}

// Stopped by its policy, a session ends as by force: its children move, its queue
// is reported, its parent is told.
func TestSupervise_Stop(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		stop := actor.NewOneForOneStrategy(0, 0, decider(actor.StopDirective))
		child := table{"_start": func(c *kernel.Context) error { return c.AliasSet("child") }, "_parent": k.noting("child moves")}
		k.service(table{
			"_start": func(c *kernel.Context) error { return c.Yield("go") },
			"go": func(c *kernel.Context) error {
				r := frail(k)(1)
				r["_start"] = func(c *kernel.Context) error { _, err := c.Spawn(child); return err }
				a, err := c.Spawn(r, kernel.Supervise(stop, func() kernel.Receiver { return nop }))
				must(err)
				must(c.Post(a, "fail"))
				return c.Post(a, "note")
			},
			"_child": func(c *kernel.Context) error { k.note("parent: %v", c.Arg(0)); return nil },
		})
		k.run()
		k.wantNotes("parent: create", "parent: gain", "child moves", "1: _stop", "parent: lose", "parent: lose")
		k.wantDrops(map[string]int{"note: receiver stopped": 1})
		expect(t, "failures seen", k.failed.Load(), 1)
	})
}

// What a policy does not decide is DIE: it escalates, looks for siblings, panics;
// or the fresh receiver cannot be made.
func TestSupervise_LeftToDIE(t *testing.T) {
	one := func(d actor.DeciderFunc) actor.SupervisorStrategy {
		return actor.NewOneForOneStrategy(5, time.Minute, d)
	}
	fine := func() kernel.Receiver { return nop }
	for name, c := range map[string]struct {
		policy actor.SupervisorStrategy
		fresh  func() kernel.Receiver
		cause  error
	}{
		"escalates":       {one(decider(actor.EscalateDirective)), fine, errBoom},
		"all for one":     {actor.NewAllForOneStrategy(5, time.Minute, actor.DefaultDecider), fine, errBoom},
		"policy panics":   {one(func(any) actor.Directive { panic("undecided") }), fine, errBoom},
		"fresh panics":    {one(actor.DefaultDecider), func() kernel.Receiver { panic(errBoom) }, nil},
		"fresh makes nil": {one(actor.DefaultDecider), func() kernel.Receiver { return nil }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			eachMode(t, func(t *testing.T, m kernel.Mode) {
				k := boot(t, m)
				r := frail(k)(1)
				r["_start"] = func(c *kernel.Context) error { c.Sig("DIE", "die"); return nil }
				r["die"] = func(c *kernel.Context) error {
					x := c.Arg(1).(*kernel.Exception)
					k.note("DIE of %s, the handler's error: %v", x.Event, x.Err == errBoom)
					return nil
				}
				a := k.spawn(r, kernel.Supervise(c.policy, c.fresh))
				must(k.Post(a, "fail"))
				var x *kernel.Exception
				if err := k.Run(t.Context()); !errors.As(err, &x) || c.cause != nil && x.Err != c.cause {
					t.Errorf("Run: %v", err)
				}
				k.clean()
				if c.cause == nil { // its watches went with the restart that failed
					k.wantNotes("1: _stop")
					expect(t, "failures seen", k.failed.Load(), 2)
					return
				}
				k.wantNotes("DIE of fail, the handler's error: true", "1: _stop")
				expect(t, "failures seen", k.failed.Load(), 1)
			})
		})
	}
}

// undecided is a policy that leaves each decision to the test.
type undecided chan func(actor.Directive)

func (u undecided) HandleFailure(_ *actor.ActorSystem, by actor.Supervisor, who *actor.PID, _ *actor.RestartStatistics, _, _ any) {
	u <- func(d actor.Directive) {
		switch d {
		case actor.RestartDirective:
			by.RestartChildren(who)
		case actor.ResumeDirective:
			by.ResumeChildren(who)
		}
	}
}

// onlooker makes the session "frail" fail, and runs then when its policy is asked.
func onlooker(u undecided, then func(c *kernel.Context, decide func(actor.Directive)) error) table {
	return table{
		"_start": func(c *kernel.Context) error { must(c.Post("frail", "fail")); return c.Yield("look") },
		"look": func(c *kernel.Context) error {
			select {
			case decide := <-u:
				return then(c, decide)
			default:
				runtime.Gosched()
				return c.Yield("look")
			}
		},
	}
}

// Between failure and decision: names hold, posts are kept within the limit, calls
// are refused, nothing is handled; a signal reaches the old receiver. Then the
// decision, late as with exponential back-off.
func TestG12_SuperviseWhileDown(t *testing.T) {
	for d, life := range map[actor.Directive]string{actor.RestartDirective: "2", actor.ResumeDirective: "1"} {
		t.Run(d.String(), func(t *testing.T) {
			eachMode(t, func(t *testing.T, m kernel.Mode) {
				k, u := boot(t, m), make(undecided, 1)
				a := k.lives(u, func(n int) table {
					r := frail(k)(n)
					r["_start"] = func(c *kernel.Context) error { c.Sig("NEWS", "news"); return nil }
					r["news"] = func(c *kernel.Context) error { k.note("%d: news", n); return c.Post("onlooker", "decide") }
					return r
				}, kernel.Alias("frail"), kernel.QueueLimit(3))
				var decide func(actor.Directive)
				full := func(c *kernel.Context) { expect(t, "full", errors.Is(c.Post(a, "note"), kernel.ErrQueueFull), true) }
				o := onlooker(u, func(c *kernel.Context, f func(actor.Directive)) error {
					decide = f
					if _, err := c.Call("frail", "note"); !errors.Is(err, kernel.ErrStopped) {
						t.Errorf("call: %v", err)
					}
					for i := range 3 {
						must(c.Post(a, "note", i))
					}
					full(c)
					if got := k.Explain("frail"); !strings.Contains(got, "its supervisor") || !strings.Contains(got, "boom") {
						t.Errorf("no word of the failure in:\n%s", got)
					}
					return c.Yield("wait", 20)
				})
				o["wait"] = func(c *kernel.Context) error {
					if n := c.Arg(0).(int); n > 0 {
						return c.Yield("wait", n-1)
					}
					full(c)
					return c.Signal("frail", "NEWS")
				}
				o["decide"] = func(c *kernel.Context) error { full(c); decide(d); return nil }
				k.spawn(o, kernel.Alias("onlooker"))
				k.run()
				k.wantNotes("1: news", life+": 0", life+": 1", life+": 2", life+": _stop")
			})
		})
	}
}

// A kernel that waits for a decision is not idle.
func TestSupervise_NoIDLEWhileDown(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k, u := boot(t, m), make(undecided, 1)
		k.service(table{
			"_start": func(c *kernel.Context) error { c.Sig("IDLE", "idle"); return nil },
			"idle":   k.noting("IDLE"),
		})
		a := k.lives(u, frail(k), kernel.Alias("frail"))
		must(k.Post(a, "fail"))
		go func() {
			decide := <-u
			for range 1000 {
				runtime.Gosched()
			}
			k.note("decided")
			decide(actor.RestartDirective)
		}()
		k.run()
		k.wantNotes("1: _start", "decided", "2: _start", "IDLE", "2: _stop")
	})
}

// The kernel's end does not wait for a decision; one that comes late does no harm.
func TestSupervise_StopWhileDown(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k, u := boot(t, m), make(undecided, 1)
		k.lives(u, frail(k), kernel.Alias("frail"))
		var late func(actor.Directive)
		k.spawn(onlooker(u, func(c *kernel.Context, decide func(actor.Directive)) error {
			late = decide
			must(c.Post("frail", "note"))
			k.Stop()
			return nil
		}))
		k.run()
		k.wantNotes("1: _start", "1: _stop")
		if n := k.reasons["note: receiver stopped"] + k.reasons["note: sender stopped"]; n != 1 {
			t.Errorf("dropped %v", k.reasons)
		}
		late(actor.RestartDirective)
		k.run()
		k.wantNotes("1: _start", "1: _stop")
	})
}

// Parallel: the decision to restart comes while the session's stop waits for its
// parent. It comes too late: _stop was the last event.
func TestG5_SuperviseRestartDuringTheStop(t *testing.T) {
	k, u := boot(t, kernel.Parallel, workers(3)), make(undecided, 1)
	stopped, gate := make(chan int), make(chan int)
	k.service(table{
		"_start": func(c *kernel.Context) error { return c.Yield("go") },
		"go": func(c *kernel.Context) error {
			r := frail(k)(1)
			r["_stop"] = func(*kernel.Context) error { k.note("1: _stop"); close(stopped); return nil }
			a, err := c.Spawn(r, kernel.Alias("frail"), kernel.Supervise(u, func() kernel.Receiver { return frail(k)(2) }))
			must(err)
			must(c.Post(a, "fail"))
			<-gate
			return nil
		},
	})
	go func() {
		decide := <-u
		must(k.Signal("frail", "TERM"))
		<-stopped
		decide(actor.RestartDirective)
		for range 10_000 { // a restart, if there were one, would be over
			runtime.Gosched()
		}
		close(gate)
	}()
	k.run()
	k.wantNotes("1: _start", "1: _stop")
}

// Proto.Actor's own back-off, in real time.
func TestSupervise_ExponentialBackoff(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		a := k.lives(actor.NewExponentialBackoffStrategy(time.Minute, 100*time.Microsecond), frail(k))
		for i, e := range []string{"fail", "note", "fail", "note", "fail", "note"} {
			must(k.Post(a, e, i))
		}
		k.run()
		k.wantNotes("1: _start", "2: _start", "2: 1", "3: _start", "3: 3", "4: _start", "4: 5", "4: _stop")
	})
}

// Supervised sessions fail, end and are stopped in a tree that is stopped as well:
// every session ends once, with its _stop, and the kernel always ends.
func TestG5_G6_RestartsAndStopsOverlap(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		for round := range uint64(20) {
			k := boot(t, m, seed(round))
			policies := []actor.SupervisorStrategy{upTo(3), actor.NewExponentialBackoffStrategy(time.Second, 20*time.Microsecond)}
			var node func(depth int) table
			node = func(depth int) table {
				start := func(c *kernel.Context) error {
					for i := range 2 {
						if depth > 0 {
							_, err := c.Spawn(node(depth-1), kernel.Supervise(policies[i], func() kernel.Receiver { return node(depth - 1) }))
							must(err)
						}
					}
					c.DelayAdd("fail", time.Duration(1+depth)*30*time.Microsecond)
					c.DelayAdd("end", time.Duration(round*uint64(1+depth))*20*time.Microsecond)
					return nil
				}
				return table{
					"_start": start, "fail": boom,
					"end":   func(c *kernel.Context) error { c.Stop(); return nil },
					"_stop": k.noting("stop"),
				}
			}
			k.spawn(node(3), kernel.Supervise(policies[0], func() kernel.Receiver { return node(2) }))
			k.spawn(table{
				"_start": func(c *kernel.Context) error { c.Delay("term", time.Duration(round)*15*time.Microsecond); return nil },
				"term":   func(c *kernel.Context) error { return c.Signal("", "TERM") },
			})
			k.run()
			expect(t, "stopped", k.stopped.Load(), k.spawned.Load())
			expect(t, "_stops", int64(len(k.journal())), k.spawned.Load()-1)
		}
	})
}

// counting is a policy that looks how many failures are remembered.
type counting struct{ most int }

func (p *counting) HandleFailure(_ *actor.ActorSystem, by actor.Supervisor, who *actor.PID, rs *actor.RestartStatistics, _, _ any) {
	rs.Fail()
	p.most = max(p.most, rs.FailureCount())
	by.ResumeChildren(who)
}

// A session that fails again and again, at a peer's will, does not grow for it.
func TestG12_SuperviseForgetsOldFailures(t *testing.T) {
	k, p := boot(t, kernel.Serial), new(counting)
	left := 20_100
	k.spawn(table{
		"_start": func(c *kernel.Context) error { return c.Yield("fail") },
		"fail": func(c *kernel.Context) error {
			if left--; left > 0 {
				must(c.Yield("fail"))
			}
			return errBoom
		},
	}, kernel.Supervise(p, func() kernel.Receiver { return nop }))
	k.run()
	expect(t, "failures", k.failed.Load(), 20_100)
	expect(t, "remembered at most", p.most, 10_000)
}
