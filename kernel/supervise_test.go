package kernel_test

import (
	"errors"
	"math/rand/v2"
	"os/exec"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/usher-go/usher/kernel"
)

// lives spawns a supervised session; life makes the receiver of its first life,
// of its second, and so on.
func (k *fixture) lives(policy actor.SupervisorStrategy, life func(n int) table, opts ...kernel.SpawnOption) kernel.Address {
	k.t.Helper()
	n := 1
	fresh := func() kernel.Receiver { n++; return life(n) }
	return k.spawn(life(1), append(opts, kernel.Supervise(policy, fresh))...)
}

// upTo is a policy that allows n restarts.
func upTo(n int) actor.SupervisorStrategy {
	return actor.NewOneForOneStrategy(n, time.Minute, actor.DefaultDecider)
}

// What a restart keeps: ID, alias, lease, postback, parent, monitors, and the
// queue but for what failed.
func TestSupervise_RestartKeeps(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		var id kernel.Address
		var lease *kernel.Lease
		var back *kernel.Postback
		n := 0
		life := func() kernel.Receiver {
			n++
			n := n
			return table{
				"_start": func(c *kernel.Context) error {
					if k.note("%d: _start %v", n, c.Args()); n == 1 {
						id, lease, back = c.Self(), c.Lease("test"), c.Postback("note", "back")
					}
					expect(t, "ID", c.Self(), id)
					return nil
				},
				"note":  func(c *kernel.Context) error { k.note("%d: %v", n, c.Args()); return nil },
				"fail":  boom,
				"panic": func(*kernel.Context) error { panic(errBoom) },
				"last": func(*kernel.Context) error {
					must(k.Post("frail", "note", "alias"))
					must(lease.Post("note", "lease"))
					must(back.Call())
					return lease.Post("end")
				},
				"end":   func(c *kernel.Context) error { lease.Release(); back.Release(); return c.AliasRemove("frail") },
				"_stop": func(*kernel.Context) error { k.note("%d: _stop", n); return nil },
			}
		}
		k.service(table{
			"_start": func(c *kernel.Context) error { return c.Yield("go") },
			"go": func(c *kernel.Context) error {
				a, err := c.Spawn(life(), kernel.Alias("frail"), kernel.Args("a", 1), kernel.Supervise(upTo(10), life))
				must(err)
				must(c.Monitor(a, "gone"))
				for _, e := range []string{"note", "fail", "note", "panic", "note", "last"} {
					must(c.Post(a, e, "queued"))
				}
				return nil
			},
			"_child": func(c *kernel.Context) error { k.note("parent: %v", c.Arg(0)); return nil },
			"gone":   k.noting("monitor"),
		})
		k.run()
		k.wantNotes("1: _start [a 1]", "parent: create", "1: [queued]", "2: _start [a 1]", "2: [queued]",
			"3: _start [a 1]", "3: [queued]", "3: [alias]", "3: [lease]", "3: [[back] []]", "3: _stop", "parent: lose", "monitor")
		expect(t, "failures seen", k.failed.Load(), 2)
	})
}

// What goes with the old receiver: timers, wheels, watches, added handlers, all
// that is below it. The fresh one has no hold, and ends although the kernel is kept.
func TestSupervise_RestartDrops(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		cmd := exec.Command("sleep", "3600")
		launch(t, cmd)
		defer func() { must(cmd.Process.Kill()) }()
		k := boot(t, m)
		release := k.Hold("no IDLE")
		first := table{
			"_start": func(c *kernel.Context) error {
				c.DelayAdd("old", time.Millisecond)
				c.DelayAdd("old", time.Hour)
				c.Sig("NEWS", "old")
				c.State("added", k.noting("added"))
				c.SigChild(cmd.Process.Pid, "old")
				src := c.NewSource("test", func(*kernel.Context) { k.note("a turn of the old wheel") }, k.noting1("wheel ends"))
				src.Watch(true)
				_, err := c.Spawn(kinOf(k, "child", kinOf(k, "grandchild")), kernel.Alias("child"))
				must(err)
				src.Wake()
				return errors.Join(c.Signal(c.Self(), "NEWS"), c.Yield("fail"))
			},
			"fail":   func(c *kernel.Context) error { c.DelayAdd("old", 0); return errBoom },
			"old":    k.noting("old"),
			"_child": func(c *kernel.Context) error { k.note("1: %v", c.Arg(0)); return nil },
			"_stop":  k.noting("1: _stop"),
		}
		second := table{
			"_start": func(c *kernel.Context) error { k.note("2: _start"); c.Delay("look", 5*time.Millisecond); return nil },
			"look": func(c *kernel.Context) error {
				must(c.Signal(c.Self(), "NEWS"))
				return c.Yield("added")
			},
			"old":   k.noting("old"),
			"_stop": func(*kernel.Context) error { k.note("2: _stop"); release(); return nil },
		}
		k.spawn(first, kernel.Supervise(upTo(1), func() kernel.Receiver { return second }))
		k.run()
		got := k.journal()
		for len(got) > 0 && (got[0] == "old" || got[0] == "a turn of the old wheel" || got[0] == "1: create") {
			got = got[1:] // what came before the failure
		}
		k.notes = got
		k.wantNotes("grandchild stops", "child stops", "1: lose", "wheel ends", "2: _start", "2: _stop")
		expect(t, "unhandled", k.unhandled.Load(), 1)
	})
}

// kinOf is a session with children that notes its end.
func kinOf(k *fixture, name string, kids ...table) table {
	return table{
		"_start": func(c *kernel.Context) error {
			must(c.AliasSet(name))
			for _, kid := range kids {
				_, err := c.Spawn(kid)
				must(err)
			}
			return nil
		},
		"_stop": k.noting(name + " stops"),
	}
}

// A child that waits for Context.Done is told before its turn comes to stop, and
// those born in a _stop on the way are stopped, too.
func TestSupervise_RestartStopsAllBelow(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		heir := table{
			"_start": func(c *kernel.Context) error { return c.AliasSet("heir") },
			"_stop":  k.noting("heir stops"),
		}
		child := table{
			"_start": func(c *kernel.Context) error { return c.Yield("wait") },
			"wait": func(c *kernel.Context) error {
				if must(c.Post("frail", "fail")); m == kernel.Parallel {
					<-c.Done()
				}
				return nil
			},
			"_stop": func(c *kernel.Context) error { k.note("child stops"); _, err := c.Spawn(heir); return err },
		}
		k.lives(upTo(1), func(n int) table {
			return table{
				"_start": func(c *kernel.Context) error {
					if k.note("%d: _start", n); n > 1 {
						return nil
					}
					must(c.AliasSet("frail"))
					_, err := c.Spawn(child, kernel.Alias("child"))
					return err
				},
				"fail":  boom,
				"_stop": func(*kernel.Context) error { k.note("%d: _stop", n); return nil },
			}
		})
		k.run()
		k.wantNotes("1: _start", "child stops", "heir stops", "2: _start", "2: _stop")
	})
}

// Many senders, a session that fails at random, and fails in its _start, too:
// every event is handled once, in its sender's order (G2, G9).
func TestG2_G9_RestartsKeepTheOrder(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		for s := range uint64(10) {
			const senders, each = 4, 40
			k := boot(t, m, seed(s))
			rng := rand.New(rand.NewPCG(s, 5))
			last, total := map[kernel.Address]int{}, 0
			fate := func() error {
				switch rng.IntN(6) {
				case 0:
					return errBoom
				case 1:
					panic(errBoom)
				}
				return nil
			}
			to := k.lives(actor.RestartingSupervisorStrategy(), func(n int) table {
				return table{
					"_start": func(c *kernel.Context) error {
						if n == 1 {
							return c.AliasSet("frail")
						}
						return fate()
					},
					"n": func(c *kernel.Context) error {
						who, n := c.Sender(), c.Arg(0).(int)
						if total++; last[who]+1 != n {
							t.Errorf("from %v: %d after %d", who, n, last[who])
						}
						last[who] = n
						if who == "" && n < each { // it sends to itself by way of nobody
							must(k.Post(c.Self(), "n", n+1))
						}
						return fate()
					},
				}
			}, kernel.QueueLimit(senders*each+1))
			for range senders {
				k.spawn(table{
					"_start": func(c *kernel.Context) error { return c.Yield("go", 1) },
					"go": func(c *kernel.Context) error {
						n := c.Arg(0).(int)
						for end := n + rng2(n, s); n <= min(end, each); n++ {
							must(c.Post(to, "n", n))
						}
						if n > each {
							return nil
						}
						return c.Yield("go", n)
					},
				})
			}
			must(k.Post(to, "n", 1))
			k.run()
			expect(t, "events handled", total, (senders+1)*each)
		}
	})
}

// rng2 is a small number that depends on both of its arguments.
func rng2(n int, s uint64) int { return int(uint64(n)*7+s*3) % 4 }

// Where a call fails: a returned error is the caller's alone; a panic restarts.
func TestSupervise_FailuresOfCalls(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		to := k.lives(upTo(1), func(n int) table {
			return table{
				"_start": func(c *kernel.Context) error { k.note("%d: _start", n); return nil },
				"fail":   boom,
				"panic":  func(*kernel.Context) error { panic(errBoom) },
				"note":   func(*kernel.Context) error { k.note("%d: note", n); return nil },
			}
		}, kernel.Alias("frail"))
		k.spawn(table{
			"_start": func(c *kernel.Context) error { return c.Yield("go") },
			"go": func(c *kernel.Context) error {
				for _, e := range []string{"fail", "panic"} {
					if _, err := c.Call(to, e); !errors.Is(err, errBoom) {
						t.Errorf("call of %s: %v", e, err)
					}
				}
				return c.Post(to, "note")
			},
		})
		k.run()
		k.wantNotes("1: _start", "2: _start", "2: note")
		expect(t, "failures seen", k.failed.Load(), 1)
		_, err := k.Spawn(table{"_start": boom}, kernel.Supervise(upTo(1), func() kernel.Receiver { return nop }))
		expect(t, "the first _start's error is Spawn's", errors.Is(err, errBoom), true)
		k.run()
		expect(t, "restarts for it", k.failed.Load(), 1)
	})
}

func TestSupervise_Arguments(t *testing.T) {
	k := boot(t, kernel.Parallel)
	for _, o := range []kernel.SpawnOption{
		kernel.Supervise(nil, func() kernel.Receiver { return nil }),
		kernel.Supervise(actor.DefaultSupervisorStrategy(), nil),
	} {
		if _, err := k.Spawn(nop, o); !errors.Is(err, kernel.ErrArgument) {
			t.Errorf("got %v", err)
		}
	}
}
