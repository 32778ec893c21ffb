package kernel_test

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"weak"

	"github.com/usher-go/usher/kernel"
)

// A Config that can only be a mistake panics, and the text names the field, its
// value and what is wanted.
func TestConfig_PanicsNameTheField(t *testing.T) {
	for want, cfg := range map[string]kernel.Config{
		"kernel: Config.Mode is 7; want Parallel, Serial or Simulated": {Mode: 7},
		"kernel: Config.Workers is -1; want 0 for GOMAXPROCS":          {Workers: -1},
		"kernel: Config.CallTimeout is -1s; want 0 for none":           {CallTimeout: -time.Second},
		"kernel: Config.StopTimeout is -1s; want 0 for 10s":            {StopTimeout: -time.Second},
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.HasPrefix(got, want) {
					t.Errorf("panic %q, want %q", got, want)
				}
			}()
			kernel.New(cfg)
		}()
	}
	expect(t, "an unknown mode's name", kernel.Mode(7).String(), "Mode(7)")
}

// Monitor tells once, with the ID and its own arguments, when a session has
// stopped; it holds nobody.
func TestMonitor(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		a := k.spawn(table{
			"_start": func(c *kernel.Context) error { c.Delay("end", time.Millisecond); return nil },
			"end":    func(c *kernel.Context) error { c.Stop(); return nil },
			"_stop":  k.noting("stop"),
		}, kernel.Alias("mortal"))
		k.service(table{
			"_start": func(c *kernel.Context) error {
				must(c.Monitor("mortal", "ended", 1, 2))
				if err := c.Monitor("nobody", "ended"); !errors.Is(err, kernel.ErrNoSession) {
					t.Errorf("Monitor of nobody: %v", err)
				}
				return c.Monitor(c.Self(), "ended")
			},
			"ended": func(c *kernel.Context) error {
				_, there := k.Resolve("mortal")
				k.note("%v %v", slices.Equal(c.Args(), []any{a, 1, 2}), there)
				return nil
			},
		})
		k.run()
		k.wantNotes("stop", "true false")
	})
}

// Sessions that have watched one that lives on, and have ended, are not kept by it.
func TestMonitor_KeepsNoneThatHasEnded(t *testing.T) {
	type big struct{ _ [1 << 10]byte }
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		const watchers = 500
		k := boot(t, m)
		k.spawn(table{"_start": func(c *kernel.Context) error { c.Delay("never", time.Hour); return nil }, "never": nop.none}, kernel.Alias("old"))
		var refs []weak.Pointer[big]
		k.service(table{
			"_start": func(c *kernel.Context) error { return c.Yield("next") },
			"_child": func(c *kernel.Context) error {
				if c.Arg(0) == "lose" {
					return c.Yield("next")
				}
				return nil
			},
			"next": func(c *kernel.Context) error {
				if len(refs) == watchers {
					return c.Yield("look")
				}
				v := new(big)
				refs = append(refs, weak.Make(v))
				_, err := c.Spawn(table{
					"_start": func(c *kernel.Context) error { return c.Monitor("old", "ended", v) },
					"ended":  nop.none,
				})
				return err
			},
			"look": func(c *kernel.Context) error {
				runtime.GC()
				kept := 0
				for _, ref := range refs {
					if ref.Value() != nil {
						kept++
					}
				}
				if kept > watchers/10 {
					c.Delay("look", time.Millisecond)
				} else {
					c.Kernel().Stop()
				}
				return nil
			},
		})
		k.run()
	})
}

// A postback posts what it was made with and what it was called with (K152),
// from any goroutine, until it is released (K153).
func TestK152_K153_Postback(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		k.spawn(table{
			"_start": func(c *kernel.Context) error {
				p := c.Postback("back", 1, 2)
				go func() {
					must(p.Call("x"))
					must(p.Call())
					p.Release()
					p.Release()
					if err := p.Call(); !errors.Is(err, kernel.ErrStopped) {
						t.Errorf("after Release: %v", err)
					}
					k.note("released")
				}()
				return nil
			},
			"back": func(c *kernel.Context) error { k.note("%v %v", c.Arg(0), c.Arg(1)); return nil },
		})
		k.run()
		until(t, "the goroutine is through", func() bool { return len(k.journal()) == 3 })
		k.wantSet("[1 2] [x]", "[1 2] []", "released")
	})
}

// Explain names everything that holds a session.
func TestExplain(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		k.spawn(table{
			"_start": func(c *kernel.Context) error {
				must(c.AliasSet("holder"))
				c.Lease("my lease")
				c.Delay("my timer", time.Hour)
				_, err := c.Spawn(table{"_start": func(c *kernel.Context) error { c.Lease("kid's"); return nil }})
				must(err)
				return c.Yield("look")
			},
			"look": func(c *kernel.Context) error {
				got := k.Explain("holder")
				for _, want := range []string{"session #1 (holder)", `alias "holder"`, "child #2", `timer "my timer" in `, `lease "my lease"`} {
					if !strings.Contains(got, want) {
						t.Errorf("%q is missing in:\n%s", want, got)
					}
				}
				k.Stop()
				return nil
			},
		})
		must(k.Post("holder", "look"))
		if got := k.Explain("holder"); !strings.Contains(got, "event") {
			t.Errorf("no word of the queued event in:\n%s", got)
		}
		expect(t, "sessions", fmt.Sprint(k.Sessions()), "[#1 #2]")
		expect(t, "of nobody", k.Explain("nobody"), "nobody: no such session")
		k.run()
		expect(t, "sessions", len(k.Sessions()), 0)
	})
}

func TestDescribe(t *testing.T) {
	k := boot(t, kernel.Parallel)
	k.Describe("pool", func() any { return 7 })
	k.Describe("other", func() any { return 8 })
	k.Describe("other", nil)
	got := k.Descriptions()
	if len(got) != 1 || got["pool"] != 7 {
		t.Errorf("Descriptions: %v", got)
	}
}

// The observer sees every event begin and end, with its cause; posts, calls and
// timers alike; numbers are unique (K58).
func TestObserver_EveryEventKnowsItsCause_K58(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		var mu sync.Mutex
		posted, began, ended := map[uint64]string{}, map[uint64]kernel.Record{}, map[uint64]error{}
		refused := 0
		k := boot(t, m, observer(&kernel.Observer{
			Posted: func(r kernel.Record) {
				mu.Lock()
				defer mu.Unlock()
				if r.Err != nil {
					refused++
				} else if posted[r.Seq] != "" {
					t.Errorf("number %d twice", r.Seq)
				}
				posted[r.Seq] = r.Event
			},
			Began: func(r kernel.Record) { mu.Lock(); began[r.Seq] = r; mu.Unlock() },
			Ended: func(r kernel.Record) { mu.Lock(); ended[r.Seq] = r.Err; mu.Unlock() },
		}))
		b := k.service(table{
			"called": func(c *kernel.Context) error { return c.Post(c.Sender(), "from call") },
			"panic":  func(*kernel.Context) error { panic("x") },
			"_start": func(c *kernel.Context) error { c.Sig("DIE", "die"); return nil },
			"die":    func(c *kernel.Context) error { c.SigHandled(); return nil },
		})
		full := k.spawn(table{"x": nop.none}, kernel.QueueLimit(1))
		a := k.service(table{
			"go": func(c *kernel.Context) error {
				must(c.Yield("yielded"))
				c.DelayAdd("timer", time.Millisecond)
				_, err := c.Call(b, "called")
				must(err)
				_, err = c.Call(b, "panic")
				expect(t, "panicked", err != nil, true)
				return errBoom
			},
			"yielded": nop.none, "timer": nop.none, "from call": nop.none,
			"_start": func(c *kernel.Context) error { c.Sig("DIE", "die"); return nil },
			"die":    func(c *kernel.Context) error { c.SigHandled(); return nil },
		})
		must(k.Post(full, "x"))
		expect(t, "refused", errors.Is(k.Post(full, "x"), kernel.ErrQueueFull), true)
		must(k.Post(a, "go"))
		k.run()
		mu.Lock()
		defer mu.Unlock()
		byName := map[string]kernel.Record{}
		for n, r := range began {
			if n == 0 {
				t.Errorf("%s has no number", r.Event)
			}
			if _, ok := ended[n]; !ok {
				t.Errorf("%s began and did not end", r.Event)
			}
			byName[r.Event] = r
		}
		cause := func(e string) string { return began[byName[e].Cause].Event }
		for e, want := range map[string]string{"yielded": "go", "called": "go", "from call": "called", "go": "", "panic": "go", "timer": "go"} {
			expect(t, "cause of "+e, cause(e), want)
		}
		expect(t, "error of go", ended[byName["go"].Seq], errBoom)
		if ended[byName["panic"].Seq] == nil {
			t.Error("a panic ended without an error")
		}
		expect(t, "refusals seen", refused, 1)
	})
}

// Unhandled events are reported once each, with who and from whom; the kernel's
// own need no handler, and a caller is told by its error alone (K60).
func TestObserver_Unhandled_K60(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		var mu sync.Mutex
		var got []string
		k := boot(t, m, observer(&kernel.Observer{Unhandled: func(r kernel.Record) {
			mu.Lock()
			got = append(got, fmt.Sprint(r.Event, " ", r.From, "→", r.To))
			mu.Unlock()
		}}))
		b := k.service(nop)
		k.spawn(table{
			"_start": func(c *kernel.Context) error { return c.Yield("go") },
			"go": func(c *kernel.Context) error {
				must(c.Post(b, "unknown"))
				_, err := c.Call(b, "unknown call")
				expect(t, "call", errors.Is(err, kernel.ErrNoHandler), true)
				_, err = c.Spawn(nop)
				return err
			},
		})
		k.run()
		expect(t, "reports", fmt.Sprint(got), "[unknown #2→#1]")
	})
}

// Step handles one due event or timer and never waits (K9).
func TestStep_K9(t *testing.T) {
	for _, m := range serialModes {
		t.Run(m.String(), func(t *testing.T) {
			k := boot(t, m)
			k.spawn(table{
				"_start": func(c *kernel.Context) error {
					must(c.Yield("a"))
					must(c.Yield("b"))
					c.Delay("later", time.Hour)
					return nil
				},
				"a": k.noting("a"), "b": k.noting("b"), "later": k.noting("later"), "_stop": k.noting("stop"),
				"end": func(c *kernel.Context) error { c.AlarmRemoveAll(); return nil },
			}, kernel.Alias("s"))
			expect(t, "first", k.Step(), true)
			k.wantNotes("a")
			expect(t, "second", k.Step(), true)
			k.wantNotes("a", "b")
			expect(t, "third", k.Step(), false)
			must(k.Post("s", "end"))
			expect(t, "posted", k.Step(), true)
			expect(t, "nothing is due", k.Step(), false)
			k.run() // the alias: IDLE
			k.wantNotes("a", "b", "stop")
		})
	}
	t.Run("parallel", func(t *testing.T) {
		defer func() {
			if s := fmt.Sprint(recover()); !strings.Contains(s, "Serial or Simulated") {
				t.Errorf("panic: %v", s)
			}
		}()
		boot(t, kernel.Parallel).Step()
	})
}

// Collection happens between events while stepping, too.
func TestStep_Collects(t *testing.T) {
	k := boot(t, kernel.Serial)
	k.spawn(table{"_stop": k.noting("stop")})
	for k.Step() {
	}
	k.wantNotes("stop")
}

// A typed event's methods are the Context's.
func TestEvent_TypedMethods(t *testing.T) {
	const E kernel.Event[int] = "e"
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		sum := 0
		a := k.spawn(table{
			"_start": func(c *kernel.Context) error { return c.Yield("go") },
			"go": func(c *kernel.Context) error {
				must(E.Post(c, c.Self(), 1))
				must(E.Yield(c, 2))
				_, err := E.Call(c, c.Self(), 4)
				must(err)
				E.Delay(c, time.Hour, 1000)
				E.Delay(c, 0, 8)
				E.DelayAdd(c, 0, 16)
				_, err = c.AlarmRemove(E.DelaySet(c, time.Hour, 1000))
				must(err)
				_, err = c.AlarmRemove(E.AlarmSet(c, c.Now(), 1000))
				must(err)
				E.AlarmAdd(c, c.Now(), 32)
				return nil
			},
			E.Name(): func(c *kernel.Context) error {
				v, err := kernel.Payload[int](c)
				sum += v
				if v == 32 {
					E.Alarm(c, c.Now(), 64)
				}
				return err
			},
			"wrong": func(c *kernel.Context) error {
				_, err := kernel.Payload[string](c)
				if !errors.Is(err, kernel.ErrArgument) || !strings.Contains(err.Error(), `event "wrong" wants string, got int`) {
					t.Errorf("Payload: %v", err)
				}
				_, err = kernel.Payload[fmt.Stringer](c)
				if err == nil || !strings.Contains(err.Error(), "wants fmt.Stringer, got int") {
					t.Errorf("Payload of an interface: %v", err)
				}
				return nil
			},
			"absent": func(c *kernel.Context) error {
				v, err := kernel.Payload[int](c)
				expect(t, "absent payload", fmt.Sprint(v, err), "0 <nil>")
				return nil
			},
		})
		must(E.PostFrom(k.Kernel, a, 128))
		must(k.Post(a, "wrong", 5))
		must(k.Post(a, "absent"))
		k.run()
		expect(t, "sum", sum, 255)
	})
}
