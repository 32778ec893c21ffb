package kernel_test

import (
	"context"
	"errors"
	"testing"

	"github.com/usher-go/usher/kernel"
)

// Before Run, Spawn and Call run handlers and nothing else does: posts and timers
// wait (K3).
func TestG3_BeforeRunOnlySpawnAndCall_K3(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		a := k.spawn(table{
			"_start": func(c *kernel.Context) error { k.note("start"); c.Delay("timer", 0); return nil },
			"timer":  k.noting("timer"),
			"posted": k.noting("posted"),
			"called": func(c *kernel.Context) error { k.note("called"); c.Return(7); return c.Yield("posted") },
			"_stop":  k.noting("stop"),
		})
		must(k.Post(a, "posted"))
		v, err := k.Call(context.Background(), a, "called")
		if v != 7 || err != nil {
			t.Errorf("Call: %v, %v", v, err)
		}
		k.wantNotes("start", "called")
		k.notes = nil
		k.run()
		k.wantSet("timer", "posted", "posted", "stop")
		expect(t, "last", k.journal()[3], "stop")
	})
}

// A post returns while its receiver's handler blocks; and runs nothing nested.
func TestG3_PostDoesNotWait(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		gate, blocked := make(chan int), make(chan int)
		l, err := k.SpawnHeld(table{
			"block": func(*kernel.Context) error { close(blocked); <-gate; return nil },
			"x":     k.noting("x"),
		})
		must(err)
		must(l.Post("block"))
		go func() {
			<-blocked
			must(l.Post("x"))
			must(k.Post(l.Address(), "x"))
			k.note("posted")
			l.Release()
			close(gate)
		}()
		k.run()
		k.wantNotes("posted", "x", "x")
	})
}

func TestG3_YieldIsPostToSelf_K50(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		k.spawn(table{
			"_start": func(c *kernel.Context) error {
				must(c.Yield("a", 1))
				must(c.Post(c.Self(), "a", 2))
				must(c.Yield("a", 3))
				k.note("start over")
				return nil
			},
			"a": func(c *kernel.Context) error {
				expect(t, "sender", c.Sender(), c.Self())
				k.note("a%v", c.Arg(0))
				return nil
			},
		})
		k.run()
		k.wantNotes("start over", "a1", "a2", "a3")
	})
}

// K54: the list of arguments is the event's own; what they refer to is shared.
func TestG3_ArgumentsAreCopied_K54(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		k.spawn(table{
			"_start": func(c *kernel.Context) error {
				for n := range 5 {
					args := make([]any, n)
					for i := range args {
						args[i] = i
					}
					must(c.Yield("a", args...))
					clear(args)
				}
				shared := map[string]int{"written": 1}
				must(c.Yield("b", shared))
				shared["written"] = 2
				return nil
			},
			"b": func(c *kernel.Context) error { k.note("%v", c.Arg(0)); return nil },
			"a": func(c *kernel.Context) error {
				args := c.Args()
				for i, v := range args {
					expect[any](t, "argument", v, i)
					expect(t, "Arg", c.Arg(i), v)
				}
				expect(t, "Arg behind the last", c.Arg(len(args)), nil)
				expect(t, "Arg before the first", c.Arg(-1), nil)
				k.note("%d", len(args))
				return nil
			},
		})
		k.run()
		k.wantNotes("0", "1", "2", "3", "4", "map[written:2]")
	})
}

func TestG3_PostAfterReleaseIsAnError(t *testing.T) {
	k := boot(t, kernel.Serial)
	l, err := k.SpawnHeld(nop)
	must(err)
	l.Release()
	l.Release()
	var pe *kernel.PostError
	if err := l.Post("x", 1); !errors.Is(err, kernel.ErrStopped) || !errors.As(err, &pe) || pe.Event != "x" || pe.Args[0] != 1 {
		t.Errorf("Post after Release: %v", err)
	}
	k.run()
}
