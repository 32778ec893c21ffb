package kernel_test

import (
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/usher-go/usher/kernel"
)

// D8, D14: every method that returns an error of the kernel's is told, with the
// event in whose handler it was called; what a called handler returned is not.
func TestD8_D14_MethodsThatFail(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		var mu sync.Mutex
		got := map[string]error{}
		count := 0
		var inHandler uint64
		k := boot(t, m, also(&kernel.Observer{
			Began: func(kernel.Record) {},
			Refused: func(r kernel.RefusalRecord) {
				mu.Lock()
				defer mu.Unlock()
				count++
				who := "outside"
				if r.Session != "" {
					who = "inside"
					expect(t, r.Method+": cause", r.Cause, inHandler)
				}
				got[who+" "+r.Method] = r.Err
			},
		}))
		var errs []error
		asked := func(err error) { errs = append(errs, err) }
		full := k.spawn(table{"x": nop.none}, kernel.QueueLimit(1), kernel.Alias("taken"))
		must(k.Post(full, "x"))
		l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
		must(err)
		defer l.Close()
		k.spawn(table{
			"fail": func(*kernel.Context) error { return errBoom },
			"_start": func(c *kernel.Context) error {
				inHandler = c.Seq()
				asked(c.Post("nobody", "x"))
				asked(c.Yield(""))
				_, err := c.Call("nobody", "x")
				asked(err)
				_, err = c.CallContext(t.Context(), c.Self(), "unknown")
				asked(err)
				_, err = c.Spawn(nil)
				asked(err)
				asked(c.AliasSet("#bad"))
				asked(c.AliasSet("taken"))
				asked(c.AliasRemove("taken"))
				asked(c.Signal("nobody", "TERM"))
				asked(c.Monitor("nobody", "x"))
				asked(c.DetachChild("taken"))
				asked(c.DetachMyself())
				_, err = c.AlarmRemove(1)
				asked(err)
				_, err = c.AlarmAdjust(1, 0)
				asked(err)
				_, err = c.DelayAdjust(1, 0)
				asked(err)
				asked(c.SelectRead(l, ""))
				asked(c.SelectPauseRead(l))
				asked(c.SelectResumeWrite(l))
				lease := c.Lease("over")
				lease.Release()
				asked(lease.Post("x"))
				_, _ = c.Call(c.Self(), "fail") // its own error: none of ours
				return nil
			},
		})
		asked(k.Post("nobody", "x"))
		asked(k.Post(full, "x"))
		_, err = k.Call(t.Context(), "nobody", "x")
		asked(err)
		_, err = k.Spawn(nop, kernel.QueueLimit(-1))
		asked(err)
		asked(k.Signal("nobody", "TERM"))
		k.run()
		for i, err := range errs {
			if err == nil {
				t.Errorf("call %d did not fail", i)
			}
		}
		mu.Lock()
		defer mu.Unlock()
		expect(t, "told", count, len(errs))
		for what, want := range map[string]error{
			"inside Post": kernel.ErrNoSession, "inside Yield": kernel.ErrArgument, "inside Call": kernel.ErrNoSession,
			"inside CallContext": kernel.ErrNoHandler, "inside Spawn": kernel.ErrArgument, "inside AliasSet": kernel.ErrAliasTaken,
			"inside AliasRemove": kernel.ErrAliasTaken, "inside Signal": kernel.ErrNoSession, "inside Monitor": kernel.ErrNoSession,
			"inside DetachChild": kernel.ErrNotChild, "inside DetachMyself": kernel.ErrNotChild, "inside AlarmRemove": kernel.ErrNoTimer,
			"inside AlarmAdjust": kernel.ErrNoTimer, "inside DelayAdjust": kernel.ErrNoTimer, "inside SelectRead": kernel.ErrNotWatched,
			"inside SelectPauseRead": kernel.ErrNotWatched, "inside SelectResumeWrite": kernel.ErrNotWatched,
			"outside Lease.Post": kernel.ErrStopped, "outside Post": kernel.ErrQueueFull, "outside Call": kernel.ErrNoSession,
			"outside Spawn": kernel.ErrArgument, "outside Signal": kernel.ErrNoSession,
		} {
			if !errors.Is(got[what], want) {
				t.Errorf("%s: told of %v, want %v", what, got[what], want)
			}
		}
	})
}

// D15: without an observer, an event that nobody handles is warned of, once for
// each name, with the remedy. So is a dropped one, but not what is left when the
// whole kernel is stopped.
func TestD15_WarningsWithoutAnObserver(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		var p page
		p.t = t
		before := slog.Default()
		slog.SetDefault(slog.New(slog.NewTextHandler(&p, nil)))
		defer slog.SetDefault(before)
		k := boot(t, m, observer(nil))
		k.spawn(table{
			"_start": func(c *kernel.Context) error {
				must(c.Yield("unknown"))
				must(c.Yield("unknown"))
				return c.Yield("stop")
			},
			"stop": func(c *kernel.Context) error { c.Stop(); return c.Yield("lost") },
		}, kernel.Alias("a"))
		k.run()
		k = boot(t, m, observer(nil))
		k.spawn(table{
			"_start":      func(c *kernel.Context) error { c.Kernel().Stop(); return c.Yield("left behind") },
			"left behind": nop.none,
		})
		k.run()
		lines := p.lines()
		if len(lines) != 2 || !strings.Contains(lines[0], `unhandled event; add session.Handle for it`) ||
			!strings.Contains(lines[0], `event=unknown session="#1 (a)"`) || !strings.Contains(lines[1], "dropped event") {
			t.Errorf("warned of\n%s", strings.Join(lines, "\n"))
		}
	})
}
