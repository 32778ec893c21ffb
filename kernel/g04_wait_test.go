package kernel_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

// Goroutines and sessions call one session at the same time: every call gets its
// own value, one after the other.
func TestG4_ContendedCalls(t *testing.T) {
	for _, m := range []kernel.Mode{kernel.Parallel, kernel.Serial} {
		t.Run(m.String(), func(t *testing.T) {
			const callers, each = 6, 150
			k := boot(t, m)
			sum := 0
			l, err := k.SpawnHeld(table{"add": func(c *kernel.Context) error {
				sum += c.Arg(0).(int)
				c.Return(c.Arg(0))
				return nil
			}})
			must(err)
			var wg sync.WaitGroup
			for i := range callers {
				wg.Go(func() {
					for j := range each {
						if v, err := k.Call(context.Background(), l.Address(), "add", i*j); err != nil || v != i*j {
							t.Errorf("Kernel.Call: %v, %v", v, err)
						}
					}
				})
				left := each
				wg.Add(1)
				k.spawn(table{
					"_start": func(c *kernel.Context) error { return c.Yield("go") },
					"go": func(c *kernel.Context) error {
						left--
						if v, err := c.Call(l.Address(), "add", left); err != nil || v != left {
							t.Errorf("Call: %v, %v", v, err)
						}
						if left == 0 {
							wg.Done()
							return nil
						}
						return c.Yield("go")
					},
				})
			}
			go func() { wg.Wait(); l.Release() }()
			k.run()
			want := 0
			for i := range callers {
				for j := range each {
					want += i*j + j
				}
			}
			expect(t, "sum", sum, want)
		})
	}
}

// crossing makes two sessions whose handlers run at the same time and then call
// each other.
func crossing(t *testing.T, k *fixture) (errs [2]error) {
	var addrs [2]kernel.Address
	var started [2]chan struct{}
	for i := range 2 {
		started[i] = make(chan struct{})
		addrs[i] = k.spawn(table{
			"go": func(c *kernel.Context) error {
				close(started[i])
				<-started[1-i]
				_, errs[i] = c.Call(addrs[1-i], "x")
				return nil
			},
			"x": func(*kernel.Context) error { return nil },
		}, kernel.Alias([]string{"left", "right"}[i]))
	}
	must(k.Post(addrs[0], "go"))
	must(k.Post(addrs[1], "go"))
	k.run()
	return errs
}

// Parallel: two chains cross; the call that closes the cycle is told so, by
// name, and the other one succeeds once its way is free.
func TestG4_T1_ErrDeadlockNamesTheCycle_K66(t *testing.T) {
	k := boot(t, kernel.Parallel, workers(2))
	errs := crossing(t, k)
	lost := errs[0]
	if lost == nil {
		lost = errs[1]
	} else if errs[1] != nil {
		t.Errorf("both calls failed: %v; %v", errs[0], errs[1])
	}
	if !errors.Is(lost, kernel.ErrDeadlock) || !strings.Contains(lost.Error(), "#1") || !strings.Contains(lost.Error(), "#2") {
		t.Errorf("want ErrDeadlock naming #1 and #2, got %v", lost)
	}
}

// Three chains in a ring: exactly one call fails.
func TestG4_ErrDeadlockInARing(t *testing.T) {
	k := boot(t, kernel.Parallel, workers(3))
	const n = 3
	var addrs [n]kernel.Address
	var errs [n]error
	var all sync.WaitGroup
	all.Add(n)
	for i := range n {
		addrs[i] = k.spawn(table{
			"go": func(c *kernel.Context) error {
				all.Done()
				all.Wait()
				_, errs[i] = c.Call(addrs[(i+1)%n], "x")
				return nil
			},
			"x": func(*kernel.Context) error { return nil },
		})
	}
	for _, a := range addrs {
		must(k.Post(a, "go"))
	}
	k.run()
	failed := 0
	for _, err := range errs {
		if errors.Is(err, kernel.ErrDeadlock) {
			failed++
		} else if err != nil {
			t.Error(err)
		}
	}
	expect(t, "calls refused", failed, 1)
}

// A call that waits for a session which then stops gets ErrStopped.
func TestG4_T20_ErrStoppedWhileWaiting(t *testing.T) {
	for _, m := range []kernel.Mode{kernel.Parallel, kernel.Serial} {
		t.Run(m.String(), func(t *testing.T) {
			k := boot(t, m)
			held := make(chan kernel.Address)
			k.spawn(table{
				"_start": func(c *kernel.Context) error { return c.Yield("go") },
				"go": func(c *kernel.Context) error {
					held <- c.Self()
					until(t, "the calls wait", func() bool { return k.WaitingCalls() == 3 })
					c.Stop()
					return nil
				},
				"x": func(*kernel.Context) error { t.Error("handled after the stop"); return nil },
			})
			var wg sync.WaitGroup
			wg.Go(func() {
				a := <-held
				for range 3 {
					wg.Go(func() {
						if _, err := k.Call(context.Background(), a, "x"); !errors.Is(err, kernel.ErrStopped) {
							t.Errorf("Call: %v", err)
						}
					})
				}
			})
			k.run()
			wg.Wait()
		})
	}
}

// The wait for a busy session has limits: Config.CallTimeout, and the context.
// Then the session is called again, to show that its token survived.
func TestG4_CallTimeoutAndContext(t *testing.T) {
	for _, m := range []kernel.Mode{kernel.Parallel, kernel.Serial} {
		for _, limit := range []struct {
			want    error
			timeout time.Duration // 0: for ever, as only one of the limits is to be reached
			context func(*fixture) (context.Context, context.CancelFunc)
		}{
			{kernel.ErrTimeout, 20 * time.Millisecond, func(*fixture) (context.Context, context.CancelFunc) {
				return context.Background(), func() {}
			}},
			{context.DeadlineExceeded, 0, func(*fixture) (context.Context, context.CancelFunc) {
				return context.WithTimeout(context.Background(), time.Millisecond)
			}},
			{context.Canceled, 0, func(k *fixture) (context.Context, context.CancelFunc) {
				ctx, cancel := context.WithCancel(context.Background())
				go func() {
					defer cancel()
					until(t, "the call waits", func() bool { return k.WaitingCalls() == 1 })
				}()
				return ctx, cancel
			}},
		} {
			t.Run(fmt.Sprint(m, " ", limit.want), func(t *testing.T) {
				k := boot(t, m, callTimeout(limit.timeout))
				held, gate := make(chan kernel.Address), make(chan int)
				var lease *kernel.Lease
				k.spawn(table{
					"_start": func(c *kernel.Context) error { lease = c.Lease("test"); return c.Yield("go") },
					"go":     func(c *kernel.Context) error { held <- c.Self(); <-gate; return nil },
					"x":      func(c *kernel.Context) error { c.Return("x"); return nil },
				})
				var wg sync.WaitGroup
				wg.Go(func() {
					defer lease.Release()
					a := <-held
					ctx, cancel := limit.context(k)
					defer cancel()
					if _, err := k.Call(ctx, a, "x"); !errors.Is(err, limit.want) {
						t.Errorf("got %v", err)
					}
					close(gate)
					for { // it may still be on its way out of the handler
						v, err := k.Call(context.Background(), a, "x")
						if errors.Is(err, kernel.ErrTimeout) {
							continue
						}
						if v != "x" || err != nil {
							t.Errorf("Call after that: %v, %v", v, err)
						}
						return
					}
				})
				k.run()
				wg.Wait()
			})
		}
	}
}

// Context.Call between sessions waits with the same limits.
func TestG4_CallContextBetweenSessions(t *testing.T) {
	k := boot(t, kernel.Parallel, workers(2))
	gate, busy := make(chan int), make(chan int)
	a := k.service(table{
		"block": func(*kernel.Context) error { close(busy); <-gate; return nil },
		"x":     k.noting("x"),
	})
	must(k.Post(a, "block"))
	k.spawn(table{
		"_start": func(c *kernel.Context) error { return c.Yield("go") },
		"go": func(c *kernel.Context) error {
			<-busy
			ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
			defer cancel()
			_, err := c.CallContext(ctx, a, "x")
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("CallContext: %v", err)
			}
			close(gate)
			_, err = c.Call(a, "x")
			return err
		},
	})
	k.run()
	k.wantNotes("x")
}

// A handler that uses the Kernel's own Call in place of its Context's: serial
// modes run it nested, parallel mode says what is wrong instead of hanging.
func TestG4_KernelCallInsideAHandler(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		var other kernel.Address
		self := func(c *kernel.Context) error {
			_, err := c.Kernel().Call(context.Background(), c.Self(), "x")
			if m != kernel.Parallel {
				return err
			}
			if !errors.Is(err, kernel.ErrDeadlock) || !strings.Contains(err.Error(), "Context.Call") {
				t.Errorf("want ErrDeadlock and the remedy, got %v", err)
			}
			_, err = c.Call(other, "back", c.Self()) // the same through another session
			return err
		}
		k.spawn(table{
			"_start": func(c *kernel.Context) error { return c.Yield("go") },
			"go":     self,
			"x":      func(*kernel.Context) error { return nil },
		})
		other = k.service(table{"back": func(c *kernel.Context) error {
			_, err := c.Kernel().Call(context.Background(), c.Arg(0).(kernel.Address), "x")
			if !errors.Is(err, kernel.ErrDeadlock) {
				t.Errorf("through another session: %v", err)
			}
			return nil
		}})
		k.run()
	})
}

// A simulated kernel takes calls from its own goroutine only.
func TestG4_SimulatedRefusesOtherGoroutines(t *testing.T) {
	k := boot(t, kernel.Simulated)
	k.spawn(table{
		"_start": func(c *kernel.Context) error { return c.Yield("go") },
		"go": func(c *kernel.Context) error {
			done, self := make(chan error), c.Self()
			go func() {
				_, err := k.Call(context.Background(), self, "x")
				done <- err
				_, err = k.Spawn(nop)
				done <- err
			}()
			for range 2 {
				if err := <-done; !errors.Is(err, kernel.ErrRunning) {
					t.Errorf("from another goroutine: %v", err)
				}
			}
			return nil
		},
	})
	k.run()
}

// Run sleeps when a Call from outside comes in: what the called handler leaves
// behind (posts, timers, a stop) must wake it.
func TestG4_CallFromOutsideWakesASleepingRun(t *testing.T) {
	for _, m := range []kernel.Mode{kernel.Parallel, kernel.Serial} { // simulated kernels refuse such calls
		t.Run(m.String(), func(t *testing.T) { callIntoSleep(t, boot(t, m)) })
	}
}

func callIntoSleep(t *testing.T, k *fixture) {
	t.Helper()
	asleep := make(chan struct{}, 1)
	var lease *kernel.Lease
	a := k.spawn(table{
		"_start": func(c *kernel.Context) error { lease = c.Lease("test"); return c.Yield("ready") },
		"ready":  func(*kernel.Context) error { asleep <- struct{}{}; return nil },
		"post":   func(c *kernel.Context) error { return c.Yield("ready") },
		"timer":  func(c *kernel.Context) error { c.Delay("ready", time.Millisecond); return nil },
		"end":    func(*kernel.Context) error { lease.Release(); return nil },
	})
	go func() {
		for _, event := range []string{"post", "timer", "post", "timer"} {
			<-asleep
			_, err := k.Call(context.Background(), a, event)
			must(err)
		}
		<-asleep
		_, err := k.Spawn(table{"_start": func(c *kernel.Context) error { return c.Post(a, "end") }})
		must(err)
	}()
	k.run()
}
