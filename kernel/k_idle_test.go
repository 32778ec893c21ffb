package kernel_test

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/usher-go/usher/kernel"
)

// K40, K45: a lease, a postback, a watched handle, also a paused one, a watching
// wheel, a watched process, a Hold: while there is one anywhere, IDLE comes to nobody,
// however often the kernel runs dry; when it goes, once.
func TestK40_K45_WhatKeepsIDLEAway(t *testing.T) {
	for name := range keepers(nil) {
		t.Run(name, func(t *testing.T) {
			eachMode(t, func(t *testing.T, m kernel.Mode) {
				k := boot(t, m)
				h := keepers(k)[name]
				looks := make(chan int)
				keeper := k.service(table{
					"take": func(c *kernel.Context) error { h.take(t, c); return c.Post("service 2", "look") },
					"drop": func(c *kernel.Context) error { k.note("drop"); h.drop(c); return nil },
					"x":    nop.none,
				})
				k.service(table{
					"_start": func(c *kernel.Context) error { c.Sig("IDLE", "idle"); return nil },
					"idle":   k.noting("IDLE"),
					"look":   func(*kernel.Context) error { looks <- 1; return nil },
					"_stop":  k.noting("stop"),
				})
				must(k.Post(keeper, "take"))
				go func() {
					for range 50 { // each time the kernel has run dry, or is about to
						<-looks
						must(k.Post("service 2", "look"))
					}
					<-looks
					if h.free != nil {
						k.note("drop")
						h.free()
					} else {
						must(k.Post(keeper, "drop"))
					}
				}()
				k.run()
				k.wantNotes("drop", "IDLE", "stop")
			})
		})
	}
}

// keepers are the holders that keep the whole kernel, too, and two more.
func keepers(k *fixture) map[string]*holder {
	all := holders()
	for _, name := range []string{"alias", "child", "timer"} { // a virtual clock jumps to a timer
		delete(all, name)
	}
	paused := holders()["watched handle"]
	take := paused.take
	paused.take = func(t *testing.T, c *kernel.Context) { take(t, c); paused.pause(c) }
	all["paused handle"] = paused
	var release func()
	all["Hold"] = &holder{
		take: func(*testing.T, *kernel.Context) { release = k.Hold("test") },
		free: func() { release() },
	}
	return all
}

// K42, K43: what a handler of IDLE may do, and whether the kernel takes that for
// new work: then IDLE comes again when that is over, else ZOMBIE.
func TestK42_K43_WhatCountsAsNewWork(t *testing.T) {
	for name, do := range map[string]struct {
		f    func(k *fixture, c *kernel.Context)
		work bool
	}{
		"post":             {func(_ *fixture, c *kernel.Context) { must(c.Yield("x")) }, true},
		"post from out":    {func(k *fixture, c *kernel.Context) { must(k.Post(c.Self(), "x")) }, true},
		"timer":            {func(_ *fixture, c *kernel.Context) { c.Delay("x", time.Microsecond) }, true},
		"signal":           {func(_ *fixture, c *kernel.Context) { must(c.Signal(c.Self(), "NEWS")) }, true},
		"unwatched signal": {func(_ *fixture, c *kernel.Context) { must(c.Signal("", "FLASH")) }, true},
		"session":          {func(_ *fixture, c *kernel.Context) { _, err := c.Spawn(nop); must(err) }, true},
		"process":          {func(_ *fixture, c *kernel.Context) { c.SigChild(noProcess, "x") }, true},
		"nothing":          {func(*fixture, *kernel.Context) {}, false},
		"call":             {func(_ *fixture, c *kernel.Context) { _, err := c.Call(c.Self(), "x"); must(err) }, false},
		"alias":            {func(_ *fixture, c *kernel.Context) { must(c.AliasSet("b")); must(c.AliasRemove("b")) }, false},
		"lease at once":    {func(_ *fixture, c *kernel.Context) { c.Lease("x").Release() }, false},
		"removed timer":    {func(_ *fixture, c *kernel.Context) { c.Delay("x", time.Hour); c.AlarmClear("x") }, false},
	} {
		t.Run(name, func(t *testing.T) {
			inOrders(t, modes, func(k *fixture, _ kernel.Mode) {
				times := 3
				k.service(table{
					"_start": func(c *kernel.Context) error {
						c.Sig("IDLE", "idle")
						c.Sig("ZOMBIE", "zombie")
						c.Sig("NEWS", "x")
						return nil
					},
					"idle": func(c *kernel.Context) error {
						k.note("IDLE")
						c.SigHandled()
						if times--; times > 0 {
							do.f(k, c)
						}
						return nil
					},
					"zombie": k.noting("ZOMBIE"),
					"x":      nop.none,
					"_child": nop.none,
					"_stop":  k.noting("stop"),
				})
				k.run()
				if do.work {
					k.wantNotes("IDLE", "IDLE", "IDLE", "ZOMBIE", "stop")
				} else {
					k.wantNotes("IDLE", "ZOMBIE", "stop")
				}
			})
		})
	}
}

// K42: a lease that a handler of IDLE took and somebody else released is something
// that came of it, though no event did.
func TestK42_ALeaseForAWhile(t *testing.T) {
	inOrders(t, serialModes, func(k *fixture, _ kernel.Mode) {
		times := 3
		k.service(table{
			"_start": func(c *kernel.Context) error { c.Sig("IDLE", "idle"); c.Sig("ZOMBIE", "zombie"); return nil },
			"idle": func(c *kernel.Context) error {
				k.note("IDLE")
				c.SigHandled()
				if times--; times > 0 {
					l := c.Lease("x")
					go func() {
						until(k.t, "the kernel sleeps", func() bool { return !strings.Contains(k.Explain("service 1"), "busy") })
						l.Release()
					}()
				}
				return nil
			},
			"zombie": k.noting("ZOMBIE"),
		})
		k.run()
		k.wantNotes("IDLE", "IDLE", "IDLE", "ZOMBIE")
	})
}

// K43: ZOMBIE is sent once, also when Proto.Actor takes its time to let a stopped
// session go: here for an actor below that of a wheel. Run waits for it.
func TestK43_RunWaitsForSlowActors(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		gate := make(chan int)
		slow := actor.PropsFromFunc(func(c actor.Context) {
			if _, ok := c.Message().(*actor.Stopped); ok {
				k.note("slow actor stops")
				<-gate
			}
		})
		k.service(table{
			"_start": func(c *kernel.Context) error {
				c.Sig("IDLE", "idle")
				c.NewSource("test", nil, nil).Actor(func() actor.Actor {
					return actor.ReceiveFunc(func(c actor.Context) {
						if _, ok := c.Message().(*actor.Started); ok {
							c.Spawn(slow)
						}
					})
				})
				return nil
			},
			"idle":  func(c *kernel.Context) error { c.SigHandled(); return nil },
			"_stop": k.noting("stop"),
		})
		go func() {
			until(t, "the slow actor is asked to stop", func() bool { return len(k.journal()) == 2 })
			for range 1000 {
				runtime.Gosched()
			}
			k.note("gate opens")
			close(gate)
		}()
		k.run()
		k.wantNotes("stop", "slow actor stops", "gate opens")
	})
}
