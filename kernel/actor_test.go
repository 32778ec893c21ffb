package kernel_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/usher-go/usher/kernel"
)

// plain is an actor that is none of ours.
type plain struct{ got chan any }

func (p *plain) Receive(c actor.Context) {
	switch c.Message().(type) {
	case *actor.Started, *actor.Stopping, *actor.Stopped:
	default:
		p.got <- c.Message()
	}
}

// neighbour starts a plain actor in the kernel's system, which it learns from a
// session's PID.
var neighbours = actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
	return slog.New(slog.DiscardHandler)
}))

func inSystem(c *kernel.Config) { c.System = neighbours }

// What a plain actor sends is the event _message, with its PID when it gave one.
func TestActor_MessagesArriveAsEvents(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m, inSystem)
		p := &plain{make(chan any, 1)}
		pid := neighbours.Root.Spawn(actor.PropsFromProducer(func() actor.Actor { return p }))
		defer neighbours.Root.Stop(pid)
		l, err := k.SpawnHeld(table{"_message": func(c *kernel.Context) error {
			from, ok := c.Arg(1).(*actor.PID)
			k.note("%v %v %v", c.Arg(0), ok, c.Arg(1) == nil)
			if ok {
				neighbours.Root.Send(from, "answer")
			}
			return nil
		}})
		must(err)
		to, ok := k.PID(l.Address())
		expect(t, "PID found", ok, true)
		go func() {
			neighbours.Root.Send(to, "hello")
			neighbours.Root.RequestWithCustomSender(to, "question", pid)
			expect[any](t, "answer", <-p.got, "answer")
			l.Release()
		}()
		k.run()
		k.wantNotes("hello false true", "question true false")
		if _, ok := k.PID(l.Address()); ok {
			t.Error("PID of a stopped session")
		}
	})
}

// PoisonPill and Stop end a session as it should end: with _stop.
func TestActor_PoisonAndStop(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		for name, end := range map[string]func(*actor.PID){
			"poison": func(p *actor.PID) { neighbours.Root.Poison(p) },
			"stop":   func(p *actor.PID) { neighbours.Root.Stop(p) },
		} {
			k := boot(t, m, inSystem)
			l, err := k.SpawnHeld(table{
				"x":      nop.none,
				"_start": func(c *kernel.Context) error { _, err := c.Spawn(table{"_parent": k.noting("kid moves")}); return err },
				"_stop":  k.noting("stop"),
			}, kernel.QueueLimit(1))
			must(err)
			must(l.Post("x")) // the limit is reached
			to, _ := k.PID(l.Address())
			p := &plain{make(chan any, 1)}
			watcher := neighbours.Root.Spawn(actor.PropsFromFunc(func(c actor.Context) {
				if _, ok := c.Message().(*actor.Started); ok {
					c.Watch(to)
				}
				p.Receive(c)
			}))
			go end(to)
			k.run()
			if _, ok := (<-p.got).(*actor.Terminated); !ok {
				t.Errorf("%s: the watcher got something else", name)
			}
			neighbours.Root.Stop(watcher)
			got := k.journal()
			expect(t, "last note", got[len(got)-1], "stop")
		}
	})
}

// To a session that has ended: a plain actor's message is a dead letter, a watch
// is answered.
func TestActor_AfterTheEnd(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m, inSystem)
		var to *actor.PID
		k.spawn(table{"_start": func(c *kernel.Context) error { to, _ = k.PID(c.Self()); return nil }})
		k.run()
		got := make(chan any, 1)
		watcher := neighbours.Root.Spawn(actor.PropsFromFunc(func(c actor.Context) {
			switch m := c.Message().(type) {
			case *actor.Started:
				c.Watch(to)
			case *actor.Terminated:
				got <- m
			}
		}))
		defer neighbours.Root.Stop(watcher)
		<-got
	})
}

// A plain actor floods a limited session: what is over the limit is a dead letter.
func TestG12_PlainActorsComeUnderTheLimit(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m, inSystem)
		a := k.spawn(table{"_message": k.noting("m")}, kernel.QueueLimit(5))
		to, _ := k.PID(a)
		for range 50 {
			neighbours.Root.Send(to, "flood")
		}
		k.run()
		expect(t, "handled", len(k.journal()), 5)
	})
}

// A wheel's actor is a child of its session's: its turn comes, and the session's
// end waits for it.
func TestActor_WheelActorsEndWithTheSession(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		k.spawn(table{
			"_start": func(c *kernel.Context) error { return c.Yield("go") },
			"go": func(c *kernel.Context) error {
				src := c.NewSource("test", func(c *kernel.Context) { k.note("turn"); must(c.Yield("done")) }, func() { k.note("source ends") })
				src.StopActor(src.Actor(func() actor.Actor { return actor.ReceiveFunc(func(actor.Context) {}) })) // its end is no event
				src.Actor(func() actor.Actor {
					return actor.ReceiveFunc(func(c actor.Context) {
						switch c.Message().(type) {
						case *actor.Started:
							k.note("actor starts")
							src.Wake()
						case *actor.Stopped:
							k.note("actor ends")
						}
					})
				})
				src.Watch(true)
				return nil
			},
			"done":  func(c *kernel.Context) error { c.Stop(); return nil },
			"_stop": k.noting("stop"),
		})
		k.run()
		k.wantNotes("actor starts", "turn", "stop", "source ends", "actor ends")
		expect(t, "unhandled", k.unhandled.Load(), 0)
	})
}

// Wakes from many goroutines: the turn comes after the last one, never before
// the handler that made the wheel is over, never after Close.
func TestT14_SourceWake(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		const wakers, each = 4, 200
		var mu sync.Mutex
		left, seen, closed := wakers*each, 0, false
		k.spawn(table{
			"_start": func(c *kernel.Context) error { return c.Yield("go") },
			"go": func(c *kernel.Context) error {
				ready := false
				var src *kernel.Source
				src = c.NewSource("test", func(c *kernel.Context) {
					mu.Lock()
					seen = left
					mu.Unlock()
					if !ready || closed {
						t.Errorf("a turn when ready=%v closed=%v", ready, closed)
					}
					if !src.Deliver(c, "data", seen) {
						return
					}
					if seen == 0 {
						src.Close()
						closed = true
						src.Wake()
					}
				}, k.noting1("end"))
				src.Watch(true)
				for range wakers {
					go func() {
						for range each {
							mu.Lock()
							left--
							mu.Unlock()
							src.Wake()
						}
					}()
				}
				for range 100 {
					src.Wake()
				}
				ready = true
				return nil
			},
			"data": func(c *kernel.Context) error {
				if c.Wheel() == 0 {
					t.Error("no wheel ID in a wheel's event")
				}
				return nil
			},
			"_stop": k.noting("stop"),
		})
		if err := k.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		expect(t, "left", seen, 0)
		k.wantNotes("end", "stop")
	})
}

func (k *fixture) noting1(text string) func() { return func() { k.note("%s", text) } }
