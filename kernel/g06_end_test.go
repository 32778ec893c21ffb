package kernel_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

func stopTimeout(d time.Duration) func(*kernel.Config) {
	return func(c *kernel.Config) { c.StopTimeout = d }
}

// K5, K6: no sessions, no wait; and a kernel runs again, with everything.
func TestG6_RunAgain_K5_K6(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		k.run()
		for range 3 {
			k.service(table{
				"_start": func(c *kernel.Context) error {
					c.Sig("IDLE", "idle")
					c.Sig("PING", "ping")
					return c.Yield("x")
				},
				"x":     func(c *kernel.Context) error { k.note("x"); return c.Signal(c.Self(), "PING") },
				"ping":  func(c *kernel.Context) error { k.note("ping"); c.Delay("timer", time.Millisecond); return nil },
				"timer": k.noting("timer"),
				"idle":  k.noting("idle"),
				"_stop": k.noting("stop"),
			})
			k.run()
			k.wantNotes("x", "ping", "timer", "idle", "stop")
			k.notes = nil
		}
	})
}

func TestG6_RunReturnsTheException_K137(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		boom := errors.New("boom")
		k.service(table{"_stop": k.noting("bystander stops")})
		k.spawn(table{
			"_start": func(c *kernel.Context) error { return c.Yield("x") },
			"x":      func(*kernel.Context) error { return boom },
			"_stop":  k.noting("stops"),
		})
		err := k.Run(t.Context())
		var x *kernel.Exception
		if !errors.Is(err, boom) || !errors.As(err, &x) || x.Event != "x" || x.Session != "#2" {
			t.Errorf("Run: %v", err)
		}
		k.clean()
		k.wantSet("stops", "bystander stops")
		k.run() // K8: usable again, and the error does not stick
	})
}

// ctx's end is an orderly TERM: everyone stops, Run returns ctx's error.
func TestG6_ContextEndIsTERM(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		ctx, cancel := context.WithCancel(t.Context())
		k.spawn(table{
			"_start": func(c *kernel.Context) error {
				c.Sig("TERM", "term")
				c.Lease("for ever")
				return c.Yield("go")
			},
			"go":    func(*kernel.Context) error { cancel(); return nil },
			"term":  k.noting("term"),
			"_stop": k.noting("stop"),
		})
		if err := k.Run(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v", err)
		}
		k.clean()
		k.wantNotes("term", "stop")
	})
}

// Who hears TERM can tell whether one of them was ctx's end, of this Run.
func TestG6_Cancelled(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		run := func(end func(*kernel.Context, func()) error, want bool) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			k.spawn(table{
				"_start": func(c *kernel.Context) error {
					c.Sig("TERM", "term")
					return c.Yield("go")
				},
				"go": func(c *kernel.Context) error {
					if k.Cancelled() {
						t.Error("cancelled before it is")
					}
					return end(c, cancel)
				},
				"term": func(c *kernel.Context) error {
					k.note("term")
					if k.Cancelled() != want {
						t.Errorf("cancelled: %t, want %t", !want, want)
					}
					return nil
				},
			})
			_ = k.Run(ctx)
		}
		bySignal := func(c *kernel.Context, _ func()) error { return c.Signal("", "TERM") }
		byContext := func(c *kernel.Context, cancel func()) error {
			c.Lease("kept")
			cancel()
			return nil
		}
		run(bySignal, false)
		run(byContext, true)
		run(bySignal, false)
		k.wantNotes("term", "term", "term")
	})
}

// A handler of TERM may ask for time; Run still says why it ended.
func TestG6_TERMHandledLetsSessionsFinish(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m, stopTimeout(time.Millisecond))
		var lease *kernel.Lease
		ctx, cancel := context.WithCancel(t.Context())
		k.spawn(table{
			"_start": func(c *kernel.Context) error {
				c.Sig("TERM", "term")
				lease = c.Lease("until finished")
				return c.Yield("go")
			},
			"go": func(*kernel.Context) error { cancel(); return nil },
			"term": func(c *kernel.Context) error {
				c.SigHandled()
				c.Delay("finish", 20*time.Millisecond) // far longer than StopTimeout: the stop is not decided
				return nil
			},
			"finish": func(*kernel.Context) error { k.note("finished"); lease.Release(); return nil },
		})
		if err := k.Run(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v", err)
		}
		k.clean()
		k.wantNotes("finished")
	})
}

// A TERM that comes when Run has already returned must not hit the next Run.
func TestG6_StaleTERMDoesNotHitTheNextRun(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		for range 50 {
			k := boot(t, m)
			ctx, cancel := context.WithCancel(t.Context())
			k.spawn(table{
				"_start": func(c *kernel.Context) error { return c.Yield("x") },
				"x":      func(*kernel.Context) error { return nil },
				"_stop":  func(*kernel.Context) error { cancel(); return nil },
			})
			_ = k.Run(ctx)
			k.spawn(table{
				"_start": func(c *kernel.Context) error {
					c.Sig("TERM", "term")
					c.Delay("x", 100*time.Microsecond)
					return nil
				},
				"x":    k.noting("second run"),
				"term": k.noting("TERM in the second run"),
			})
			if err := k.Run(t.Context()); err != nil {
				t.Errorf("second Run: %v", err)
			}
			k.wantNotes("second run")
		}
	})
}

func TestG6_RunWhileRunning(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		k.spawn(table{
			"_start": func(c *kernel.Context) error { return c.Yield("x") },
			"x": func(*kernel.Context) error {
				if err := k.Run(t.Context()); !errors.Is(err, kernel.ErrRunning) {
					t.Errorf("Run in a handler: %v", err)
				}
				return nil
			},
		})
		k.run()
	})
}

// Hold keeps a kernel without sessions; release, Stop and an unhandled TERM end it.
func TestG6_Hold(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		t.Run("release", func(t *testing.T) {
			k := boot(t, m)
			release := k.Hold("test")
			go func() {
				if m != kernel.Simulated {
					k.spawn(table{"_stop": k.noting("stop")})
				}
				release()
				release()
			}()
			k.run()
		})
		t.Run("Stop", func(t *testing.T) {
			k := boot(t, m)
			k.Hold("test")
			go k.Stop()
			if err := k.Run(t.Context()); err != nil {
				t.Errorf("Run: %v", err)
			}
		})
		t.Run("TERM", func(t *testing.T) {
			k := boot(t, m)
			k.Hold("test")
			ctx, cancel := context.WithCancel(t.Context())
			go cancel()
			if err := k.Run(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("Run: %v", err)
			}
		})
	})
}

// Parallel: a handler that does not return within StopTimeout is named, and so
// is where it is; until it returns another Run is refused.
func TestG6_StopTimeoutNamesTheHandler(t *testing.T) {
	k := boot(t, kernel.Parallel, stopTimeout(5*time.Millisecond))
	gate, busy := make(chan int), make(chan int)
	k.spawn(table{
		"_start": func(c *kernel.Context) error { return c.Yield("x") },
		"x":      func(*kernel.Context) error { blockHere(busy, gate); return nil },
	}, kernel.Alias("stuck"))
	go func() { <-busy; k.Stop() }()
	err := k.Run(t.Context())
	var late *kernel.StopTimeoutError
	if !errors.Is(err, kernel.ErrStopTimeout) || !errors.As(err, &late) || len(late.Sessions) != 1 {
		t.Fatalf("Run: %v", err)
	}
	if !strings.Contains(late.Sessions[0], "#1 (stuck)") || !strings.Contains(late.Sessions[0], "blockHere") {
		t.Errorf("stuck: %q, want the session and the function it is in", late.Sessions[0])
	}
	if err := k.Run(t.Context()); !errors.Is(err, kernel.ErrRunning) {
		t.Errorf("Run while the handler is still there: %v", err)
	}
	close(gate)
	until(t, "the handler is gone", func() bool { return !errors.Is(k.Run(t.Context()), kernel.ErrRunning) })
	k.clean()
}

//go:noinline
func blockHere(busy, gate chan int) { close(busy); <-gate }

// Parallel: TERM waits for a blocked handler that watches it; Run does not wait
// for ever.
func TestG6_StopTimeoutWhileTERMIsAsked(t *testing.T) {
	k := boot(t, kernel.Parallel, stopTimeout(5*time.Millisecond))
	gate := make(chan int)
	defer close(gate)
	ctx, cancel := context.WithCancel(t.Context())
	k.spawn(table{
		"_start": func(c *kernel.Context) error { c.Sig("TERM", "term"); return c.Yield("x") },
		"x":      func(*kernel.Context) error { cancel(); <-gate; return nil },
		"term":   func(*kernel.Context) error { return nil },
	})
	if err := k.Run(ctx); !errors.Is(err, kernel.ErrStopTimeout) {
		t.Errorf("Run: %v", err)
	}
}

// Done closes as soon as the stop is decided, though the handler still runs: in
// parallel mode a blocked handler is told by it.
func TestG6_DoneReachesABlockedHandler(t *testing.T) {
	k := boot(t, kernel.Parallel)
	const n = 10
	for range n {
		k.spawn(table{
			"_start": func(c *kernel.Context) error { return c.Yield("x") },
			"x":      func(c *kernel.Context) error { k.note("x"); <-c.Done(); return nil },
			"_stop":  k.noting("stop"),
		})
	}
	go func() {
		until(t, "all block", func() bool { return len(k.journal()) == n })
		k.Stop()
	}()
	k.run()
	expect(t, "notes", len(k.journal()), 2*n)
}

// Stop before Run stops what is there when Run begins.
func TestG6_StopBeforeRun_K15(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		k.spawn(table{"_start": func(c *kernel.Context) error { c.Lease("x"); return nil }, "_stop": k.noting("stop")})
		k.Stop()
		k.run()
		k.wantNotes("stop")
	})
}

// K16 differs: Stop is queued, so the handler that asks for it goes on as itself;
// what it posts afterwards is accepted, and handled or reported.
func TestG6_T29_StopFromAHandler_K16(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		k.spawn(table{
			"_start": func(c *kernel.Context) error { c.Lease("x"); return c.Yield("go") },
			"go": func(c *kernel.Context) error {
				self := c.Self()
				k.Stop()
				must(c.Yield("after"))
				expect(t, "who it is after Stop", c.Self(), self)
				return nil
			},
			"after": k.noting("after"),
			"_stop": k.noting("stop"),
		})
		k.run()
		if n := len(k.journal()) + int(k.dropped.Load()); n != 2 {
			t.Errorf("journal %v, dropped %d", k.journal(), k.dropped.Load())
		}
	})
}
