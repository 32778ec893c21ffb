package kernel_test

import (
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

// relative notes what it hears of its family under names that it is given.
func (k *fixture) relative(name string, more table) table {
	t := table{
		"_start": func(c *kernel.Context) error { must(c.AliasSet(name)); return nil },
		"_child": func(c *kernel.Context) error {
			k.note("%s: %v %v %v", name, c.Arg(0), k.called(c.Arg(1)), c.Arg(2))
			expect(k.t, "arguments of _child", len(c.Args()), 3)
			return nil
		},
		"_parent": func(c *kernel.Context) error {
			k.note("%s: from %v to %v", name, k.called(c.Arg(0)), k.called(c.Arg(1)))
			return nil
		},
		"_stop": func(c *kernel.Context) error { k.note("%s stops", name); c.Return("end of " + name); return nil },
		"spawn": func(c *kernel.Context) error { _, err := c.Spawn(c.Arg(0).(table)); return err },
		"end":   func(c *kernel.Context) error { c.Stop(); return nil },
	}
	for e, h := range more {
		t[e] = h
	}
	return t
}

// called is the name of relative behind an ID.
func (k *fixture) called(id any) any {
	for _, name := range []kernel.Address{"gran", "ma", "kid 1", "kid 2"} {
		if a, ok := k.Resolve(name); ok && a == id {
			return name
		}
	}
	return id
}

// K29: for each child "gain" to the new parent and _parent to the child, then
// _stop, then "lose" with _stop's value.
func TestK29_StopWithTwoChildren(t *testing.T) {
	inOrders(t, modes, func(k *fixture, _ kernel.Mode) {
		k.spawn(k.relative("gran", nil))
		must(k.Post("gran", "spawn", k.relative("ma", nil)))
		k.spawn(table{
			"_start": func(c *kernel.Context) error { return c.Yield("wait") },
			"wait": func(c *kernel.Context) error {
				if _, ok := k.Resolve("ma"); !ok {
					return c.Yield("wait")
				}
				for _, kid := range []string{"kid 1", "kid 2"} {
					must(c.Post("ma", "spawn", k.relative(kid, nil)))
				}
				return c.Post("ma", "end")
			},
		})
		k.run()
		got := k.journal()
		k.notes = got[:min(9, len(got))]
		k.wantNotes(
			"gran: create ma <nil>", "ma: create kid 1 <nil>", "ma: create kid 2 <nil>",
			"gran: gain kid 1 <nil>", "kid 1: from ma to gran",
			"gran: gain kid 2 <nil>", "kid 2: from ma to gran",
			"ma stops", "gran: lose ma end of ma")
	})
}

// K31 differs in the order, which shows nowhere: whoever is told of a session's
// end finds nothing left of it.
func TestK31_NothingIsLeftOfAStoppedSession(t *testing.T) {
	inOrders(t, modes, func(k *fixture, _ kernel.Mode) {
		release := k.Hold("no IDLE")
		var lease *kernel.Lease
		a := k.spawn(table{
			"_start": func(c *kernel.Context) error {
				must(c.AliasSet("alias"))
				c.Sig("NEWS", "late")
				c.DelayAdd("late", time.Hour)
				lease = c.Lease("lease")
				c.NewSource("test", nil, func() { k.note("wheel ends") }).Watch(true)
				return c.Yield("end")
			},
			"end": func(c *kernel.Context) error { must(c.Yield("late")); c.Stop(); return nil },
			// It stays in place until after _stop.
			"_stop": func(*kernel.Context) error { _, ok := k.Resolve("alias"); k.note("stop %v", ok); return nil },
			"late":  k.noting("must not come"),
		})
		k.service(table{
			"_start": func(c *kernel.Context) error { return c.Monitor(a, "ended") },
			"ended": func(c *kernel.Context) error {
				for _, to := range []kernel.Address{a, "alias"} {
					_, found := k.Resolve(to)
					expect(k.t, "resolves", found, false)
					expect(k.t, "post", errors.Is(c.Post(to, "late"), kernel.ErrNoSession), true)
				}
				expect(k.t, "lease", errors.Is(lease.Post("late"), kernel.ErrStopped), true)
				lease.Release()
				must(c.AliasSet("alias"))
				must(c.Signal("", "NEWS"))
				release()
				return nil
			},
		})
		k.run()
		k.wantNotes("stop true", "wheel ends")
		k.wantDrops(map[string]int{"late: receiver stopped": 1})
	})
}

// K35: a session made in _stop is its child first, and then without a word its
// parent's, who hears of its end.
func TestK35_SpawnedInStop(t *testing.T) {
	inOrders(t, modes, func(k *fixture, _ kernel.Mode) {
		kid := k.relative("kid 1", table{"_start": nop.none})
		ma := k.relative("ma", table{"_start": nop.none, "_stop": func(c *kernel.Context) error {
			k.note("ma stops")
			_, err := c.Spawn(kid)
			c.Return("end of ma")
			return err
		}})
		k.spawn(k.relative("gran", table{
			"_start": func(c *kernel.Context) error { must(c.Yield("spawn", ma)); return c.Yield("busy") },
			"busy": func(*kernel.Context) error { // in parallel mode it is told later
				for range 100 {
					runtime.Gosched()
				}
				return nil
			},
		}))
		k.run()
		k.wantNotes(
			"gran: create #2 <nil>", "ma stops", "ma: create #3 <nil>", "gran: lose #2 end of ma",
			"kid 1 stops", "gran: lose #3 end of kid 1", "gran stops")
	})
}

// K36: a stop that is under way does not begin again, whoever asks for one.
func TestK36_StopIsNotReentered(t *testing.T) {
	inOrders(t, modes, func(k *fixture, _ kernel.Mode) {
		stop := func(c *kernel.Context) error { c.Stop(); return nil }
		k.spawn(table{
			"_start": func(c *kernel.Context) error { return c.Yield("stop") },
			"stop":   stop,
			"_stop": func(c *kernel.Context) error {
				k.note("stop")
				c.Stop()
				_, err := c.Call(c.Self(), "stop")
				must(err)
				for _, sig := range []string{"KILL", "ZOMBIE"} {
					must(c.Signal(c.Self(), sig))
				}
				k.Stop()
				return errBoom
			},
			"_child": func(*kernel.Context) error { return nil },
		})
		if err := k.Run(k.t.Context()); !errors.Is(err, errBoom) {
			k.t.Errorf("Run: %v", err)
		}
		k.clean()
		k.wantNotes("stop")
	})
}

// Parallel: nor does it when the stop waits for a busy parent, and the session is
// called and killed meanwhile (K36).
func TestK36_StopIsNotReenteredWhileItWaits(t *testing.T) {
	k := boot(t, kernel.Parallel, workers(2))
	stopped, killed := make(chan int), make(chan int)
	k.service(table{
		"_start": func(c *kernel.Context) error { return c.Yield("go") },
		"go": func(c *kernel.Context) error {
			a, err := c.Spawn(table{
				"_start": func(c *kernel.Context) error { return c.Yield("stop") },
				"stop":   func(c *kernel.Context) error { c.Stop(); return nil },
				"_stop":  func(*kernel.Context) error { k.note("stop"); close(stopped); return nil },
			})
			must(err)
			<-stopped
			_, err = c.Call(a, "stop")
			must(err)
			must(c.Signal(a, "KILL"))
			l, err := k.SpawnHeld(table{ // hears of it when KILL is through
				"_start": func(c *kernel.Context) error { c.Sig("NEWS", "news"); return nil },
				"news":   func(c *kernel.Context) error { k.note("killed"); close(killed); return nil },
			})
			must(err)
			defer l.Release()
			must(c.Signal(l.Address(), "NEWS"))
			<-killed
			return nil
		},
		"_child": func(c *kernel.Context) error { k.note("%v", c.Arg(0)); return nil },
	})
	k.run()
	k.wantNotes("create", "stop", "killed", "lose")
}

// K37 differs: _stop comes from the kernel, whoever caused it.
func TestK37_StopComesFromTheKernel(t *testing.T) {
	for name, end := range map[string]func(c *kernel.Context, victim kernel.Address){
		"collected": func(c *kernel.Context, victim kernel.Address) { must(c.Post(victim, "let go")) },
		"asked":     func(c *kernel.Context, victim kernel.Address) { _, err := c.Call(victim, "stop"); must(err) },
		"killed":    func(c *kernel.Context, victim kernel.Address) { must(c.Signal(victim, "KILL")) },
	} {
		t.Run(name, func(t *testing.T) {
			eachMode(t, func(t *testing.T, m kernel.Mode) {
				k := boot(t, m)
				release := k.Hold("no IDLE")
				victim := k.spawn(table{
					"let go": func(c *kernel.Context) error { return c.AliasRemove("victim") },
					"stop":   func(c *kernel.Context) error { c.Stop(); return nil },
					"_stop":  func(c *kernel.Context) error { k.note("from %v", c.Sender()); release(); return nil },
				}, kernel.Alias("victim"))
				k.spawn(table{
					"_start": func(c *kernel.Context) error { return c.Yield("go") },
					"go":     func(c *kernel.Context) error { end(c, victim); return nil },
				})
				k.run()
				k.wantNotes("from kernel")
			})
		})
	}
}

// K38: a parent can die before its child also when the child was made in the
// handler of the very signal that kills the parent.
func TestK38_SpawnedInTheHandlerOfTheKillingSignal(t *testing.T) {
	inOrders(t, modes, func(k *fixture, _ kernel.Mode) {
		release := k.Hold("no IDLE")
		kid := k.relative("kid 1", table{
			"_parent": func(c *kernel.Context) error { k.note("kid 1: to %v", k.called(c.Arg(1))); release(); return nil },
		})
		ma := k.relative("ma", table{
			"_start": func(c *kernel.Context) error { c.Sig("TERM", "spawn"); return c.AliasSet("ma") },
			"spawn":  func(c *kernel.Context) error { _, err := c.Spawn(kid); return err },
		})
		k.spawn(k.relative("gran", table{
			"_start": func(c *kernel.Context) error { must(c.AliasSet("gran")); return c.Yield("spawn", ma) },
			"spawn": func(c *kernel.Context) error {
				a, err := c.Spawn(ma)
				must(err)
				return c.Signal(a, "TERM")
			},
		}))
		k.run()
		k.wantNotes(
			"gran: create ma <nil>", "ma: create kid 1 <nil>", "gran: gain kid 1 <nil>", "kid 1: to gran",
			"ma stops", "gran: lose ma end of ma", "kid 1 stops", "gran: lose kid 1 end of kid 1", "gran stops")
	})
}
