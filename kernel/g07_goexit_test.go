package kernel_test

import (
	"context"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/usher-go/usher/kernel"
)

// runtime.Goexit in a handler (a test's FailNow) costs the goroutine, not the
// kernel: the token is free, the failure is DIE, the next event comes.
func TestG7_GoexitInAHandler(t *testing.T) {
	k := boot(t, kernel.Parallel, workers(2))
	die := func(c *kernel.Context) error {
		k.note("%s of %v", c.Arg(1).(*kernel.Exception).Event, c.Self())
		c.SigHandled()
		return nil
	}
	b := k.service(table{
		"_start": func(c *kernel.Context) error { c.Sig("DIE", "die"); return nil },
		"exit":   func(*kernel.Context) error { runtime.Goexit(); return nil },
		"die":    die,
	})
	k.service(table{
		"_start": func(c *kernel.Context) error {
			c.Sig("DIE", "die")
			must(c.Yield("exit"))
			must(c.Yield("exit"))
			must(c.Yield("exit in a call"))
			return c.Yield("x")
		},
		"exit": func(*kernel.Context) error { runtime.Goexit(); return nil },
		"exit in a call": func(c *kernel.Context) error {
			_, err := c.Call(b, "exit")
			t.Errorf("the call came back: %v", err)
			return nil
		},
		"x":   k.noting("x"),
		"die": die,
	})
	k.run()
	k.wantSet("exit of #2", "exit of #2", "exit of #1", "exit in a call of #2", "x")
}

// The same in what the kernel itself runs: _start, _stop, _child, signals. The
// stop that is under way must not be cut off.
func TestG7_GoexitInTheKernelsOwnEvents(t *testing.T) {
	exit := func(*kernel.Context) error { runtime.Goexit(); return nil }
	cases := map[string]table{
		"_stop":  {"_start": func(c *kernel.Context) error { return c.Yield("x") }, "x": nop.none, "_stop": exit},
		"_start": {"_start": func(c *kernel.Context) error { return c.Yield("x") }, "x": func(c *kernel.Context) error { _, err := c.Spawn(table{"_start": exit}); return err }},
		"create": {"_start": func(c *kernel.Context) error { return c.Yield("x") }, "x": func(c *kernel.Context) error { _, err := c.Spawn(nop); return err }, "_child": exit},
		"lose": {"_start": func(c *kernel.Context) error { return c.Yield("x") }, "x": func(c *kernel.Context) error { _, err := c.Spawn(nop); return err }, "_child": func(c *kernel.Context) error {
			if c.Arg(0) == "lose" {
				runtime.Goexit()
			}
			return nil
		}},
		"signal": {"_start": func(c *kernel.Context) error { c.Sig("TERM", "x"); return c.Signal("", "TERM") }, "x": exit},
	}
	for name, r := range cases {
		t.Run(name, func(t *testing.T) {
			k := boot(t, kernel.Parallel, workers(2))
			k.service(table{"_stop": k.noting("bystander stops")})
			k.service(r)
			if err := k.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "Goexit") {
				t.Errorf("Run: %v", err)
			}
			k.clean()
			k.wantNotes("bystander stops")
			expect(t, "stopped", k.stopped.Load(), k.spawned.Load())
		})
	}
}

func (t table) none(*kernel.Context) error { return nil }

// Goexit on a goroutine that entered from outside.
func TestG7_GoexitFromOutside(t *testing.T) {
	for _, m := range []kernel.Mode{kernel.Parallel, kernel.Serial} {
		t.Run(m.String(), func(t *testing.T) {
			k := boot(t, m)
			exit := func(*kernel.Context) error { runtime.Goexit(); return nil }
			a := k.service(table{"exit": exit, "x": k.noting("x")})
			var wg sync.WaitGroup
			wg.Go(func() { _, _ = k.Call(context.Background(), a, "exit"); t.Error("Call came back") })
			wg.Go(func() { _, _ = k.Spawn(table{"_start": exit}); t.Error("Spawn came back") })
			wg.Wait()
			if _, err := k.Call(t.Context(), a, "x"); err != nil {
				t.Errorf("Call afterwards: %v", err)
			}
			if err := k.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "Goexit") {
				t.Errorf("Run: %v", err)
			}
			k.wantNotes("x")
		})
	}
}

// Serial: it is the goroutine of Run that ends; a new Run goes on.
func TestG7_GoexitInSerialRun(t *testing.T) {
	k := boot(t, kernel.Serial)
	b := k.service(table{"_start": func(c *kernel.Context) error { c.Sig("DIE", "die"); return nil },
		"exit": func(*kernel.Context) error { runtime.Goexit(); return nil },
		"die":  func(c *kernel.Context) error { k.note("DIE"); c.SigHandled(); return nil },
	})
	k.spawn(table{"_start": func(c *kernel.Context) error { return c.Post(b, "exit") }, "_stop": k.noting("sender stops")})
	var wg sync.WaitGroup
	wg.Go(func() { _ = k.Run(context.Background()); t.Error("Run came back") })
	wg.Wait()
	k.run()
	k.wantNotes("sender stops", "DIE")
}
