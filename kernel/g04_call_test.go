package kernel_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

func callTimeout(d time.Duration) func(*kernel.Config) {
	return func(c *kernel.Config) { c.CallTimeout = d }
}

// A calls B, B calls A, A calls itself: all on one stack, each seeing the
// half-done state of the others (K64, K66), ahead of what is queued.
func TestG4_T1_CallsNestAndReenter_K64_K66(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		var a, b kernel.Address
		depth := 0
		a = k.spawn(table{
			"go": func(c *kernel.Context) error {
				must(c.Yield("queued"))
				depth++
				v, err := c.Call(b, "double", 21)
				must(err)
				k.note("go got %v at depth %d", v, depth)
				return nil
			},
			"half": func(c *kernel.Context) error {
				expect(t, "sender of half", c.Sender(), b)
				depth++
				v, err := c.Call(c.Self(), "self", c.Arg(0))
				c.Return(v)
				return err
			},
			"self": func(c *kernel.Context) error {
				expect(t, "sender of self", c.Sender(), c.Self())
				depth++
				k.note("self")
				c.Return(c.Arg(0).(int))
				return nil
			},
			"queued": k.noting("queued"),
		})
		b = k.service(table{"double": func(c *kernel.Context) error {
			v, err := c.Call(a, "half", c.Arg(0))
			must(err)
			c.Return(2 * v.(int))
			return nil
		}})
		must(k.Post(a, "go"))
		k.run()
		k.wantNotes("self", "go got 42 at depth 3", "queued")
	})
}

// What a called handler returns goes to the caller, and nowhere else (section 6,
// K68).
func TestG4_T3_CallHandsTheErrorToTheCaller_K68(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		boom := errors.New("boom")
		b := k.service(table{
			"fail": func(c *kernel.Context) error { c.Return(1); return boom },
		})
		k.spawn(table{
			"_start": func(c *kernel.Context) error { return c.Yield("go") },
			"go": func(c *kernel.Context) error {
				v, err := c.Call(b, "fail")
				if !errors.Is(err, boom) || v != 1 {
					t.Errorf("Call: %v, %v", v, err)
				}
				if _, err = c.Call(b, "nothing"); !errors.Is(err, kernel.ErrNoHandler) {
					t.Errorf("unhandled: %v", err)
				}
				if _, err = c.Call("nobody", "x", 1); !errors.Is(err, kernel.ErrNoSession) || !strings.Contains(err.Error(), `"x" to nobody`) {
					t.Errorf("nobody: %v", err)
				}
				if _, err = c.Call("", "x"); !errors.Is(err, kernel.ErrNoSession) {
					t.Errorf("the kernel: %v", err)
				}
				ctx, cancel := context.WithCancel(context.Background())
				cancel()
				if _, err = c.CallContext(ctx, b, "fail"); !errors.Is(err, context.Canceled) {
					t.Errorf("cancelled: %v", err)
				}
				if _, err = c.CallContext(context.Background(), b, "fail"); !errors.Is(err, boom) {
					t.Errorf("CallContext: %v", err)
				}
				return nil
			},
		})
		k.run()
		expect(t, "DIE raised", k.failed.Load(), 0)
		expect(t, "unhandled posts", k.unhandled.Load(), 0)
	})
}

// A panic in a called handler is the caller's *Exception, and raises DIE for the
// session that panicked (K68).
func TestG4_PanicInCall_K68(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		b := k.service(table{
			"_start": func(c *kernel.Context) error { c.Sig("DIE", "die"); return nil },
			"die": func(c *kernel.Context) error {
				x := c.Arg(1).(*kernel.Exception)
				k.note("DIE of %v in %s", x.Session == c.Self(), x.Event)
				c.SigHandled()
				return nil
			},
			"panic": func(*kernel.Context) error { panic("ouch") },
		})
		k.spawn(table{
			"_start": func(c *kernel.Context) error { return c.Yield("go") },
			"go": func(c *kernel.Context) error {
				_, err := c.Call(b, "panic")
				var x *kernel.Exception
				if !errors.As(err, &x) || x.Session != b || x.Event != "panic" || x.Source != c.Self() || x.Stack == nil || !strings.Contains(x.Error(), "ouch") {
					t.Errorf("Call: %#v", err)
				}
				k.note("go on")
				return nil
			},
		})
		k.run()
		k.wantSet("go on", "DIE of true in panic") // DIE is on its way before the caller goes on
	})
}
