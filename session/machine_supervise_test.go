package session_test

import (
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/session"
)

var restarts = actor.NewOneForOneStrategy(10, time.Minute, actor.DefaultDecider)

// A restarted machine is in its first state, has nothing pushed, and makes none of
// the transitions that the one before it had queued; events that wait are for it.
func TestSupervise_FreshMachine(t *testing.T) {
	everyWay(t, func(l *lab) {
		fresh := func() kernel.Receiver {
			return l.machine("a",
				session.In("a", session.Handle("_enter", l.see), session.Handle("x", l.see),
					do("check", func(c *kernel.Context) { wantErr(t, l.m.ReturnNow(c), session.ErrNoReturn, "") }),
					do("go", func(c *kernel.Context) { must(l.m.Push(c, "", "b", "fail")) })),
				session.In("b", session.Handle("fail", func(c *kernel.Context) error {
					for _, e := range []string{"x", "check"} {
						must(c.Yield(e))
					}
					must(l.m.Goto(c, "c", ""))
					must(l.m.Stop(c))
					must(c.Yield("x"))
					return errBoom
				})),
				session.In("c", session.Handle("_enter", l.see)),
			)
		}
		a := spawn(t, l.Kernel, fresh(), kernel.Args(1), kernel.Supervise(restarts, fresh))
		first := l.m
		must(l.Post(a, "go"))
		l.run()
		if l.m == first {
			t.Fatal("the machine was not restarted")
		}
		l.want("a: _enter[1]", "a: _enter[1]", "a: x[]", "a: x[]")
	})
}

// A machine is one session's. A second Spawn fails and disturbs nobody.
func TestMachine_SpawnedTwice(t *testing.T) {
	everyWay(t, func(l *lab) {
		a := spawn(t, l.Kernel, l.machine("a", session.In("a", session.Handle("x", l.see))))
		_, err := l.Spawn(l.m)
		wantErr(t, err, kernel.ErrArgument, "this machine was started before; make a new one for each Spawn")
		must(l.Post(a, "x"))
		l.run()
		l.want("a: x[]")
	})
}

// It has one life: put in its own place after a failure, it handles nothing more.
func TestSupervise_SameMachineAgain(t *testing.T) {
	everyWay(t, func(l *lab) {
		fail := session.Handle("fail", func(*kernel.Context) error { return errBoom })
		a := spawn(t, l.Kernel, l.machine("a", session.In("a", session.Handle("x", l.see), fail)),
			kernel.Supervise(restarts, func() kernel.Receiver { return l.m }))
		must(l.Post(a, "fail"))
		must(l.Post(a, "x"))
		l.run()
		l.want()
	}, kerneltest.AllowDropped())
}
