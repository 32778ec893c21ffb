package kernel_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

// clan spawns a tree root > (a > (a1, a2), b) whose members watch a signal;
// handled is the one that marks it.
func clan(k *fixture, sig, handled string) {
	member := func(name string, kids ...table) table {
		return table{
			"_start": func(c *kernel.Context) error {
				must(c.AliasSet(name))
				if !strings.HasPrefix(name, "deaf") {
					c.Sig(sig, "sig", "own of "+name)
				}
				for _, kid := range kids {
					_, err := c.Spawn(kid)
					must(err)
				}
				return nil
			},
			"sig": func(c *kernel.Context) error {
				expect(k.t, "sender of a signal", c.Sender(), "")
				want := []any{sig, "data", "own of " + name}
				if got := c.Args(); sig != "IDLE" && !slices.Equal(got, want) {
					k.t.Errorf("arguments %v, want %v", got, want)
				}
				k.note("%s", name)
				if name == handled {
					c.SigHandled()
				}
				return nil
			},
			"_stop": k.noting(name + " stops"),
		}
	}
	k.spawn(member("root", member("a", member("a1"), member("a2"), member("deaf")), member("b")))
}

// Deepest generation first, the target last (K124), each with the signal's
// name, its data and its own arguments (K119); benign signals stop nobody (K128).
func TestK119_K124_T11_WalkOrder(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		for target, want := range map[kernel.Address]string{"root": "a1 a2|a b|root", "a": "a1 a2|a", "": "a1 a2|a b|root"} {
			k := boot(t, m)
			release := k.Hold("no IDLE")
			clan(k, "NEWS", "")
			must(k.Signal(target, "NEWS", "data"))
			over := k.service(table{ // one of the same name stays behind it
				"_start": func(c *kernel.Context) error { c.Sig("NEWS", "news"); return nil },
				"news": func(c *kernel.Context) error {
					if c.Arg(1) == "over" {
						k.note("over")
						release()
					}
					return nil
				},
			})
			must(k.Signal(over, "NEWS", "over"))
			k.run()
			got := k.journal()
			for _, gen := range strings.Split(want, "|") {
				names := strings.Fields(gen)
				if len(got) < len(names) {
					t.Fatalf("to %v: journal too short: %v", target, k.journal())
				}
				now := slices.Clone(got[:len(names)])
				slices.Sort(now)
				if !slices.Equal(now, names) {
					t.Errorf("to %v: generation %v, want %v", target, now, names)
				}
				got = got[len(names):]
			}
			expect(t, "next", got[0], "over")
		}
	})
}

// One verdict: unhandled, a terminal signal stops all it touched, watching or
// not, leaf first (K126); handled by any, it stops nobody (K127).
func TestK126_K127_T25_OneVerdict(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		for _, sig := range []string{"HUP", "INT", "QUIT", "TERM", "KILL"} {
			k := boot(t, m)
			release := k.Hold("no IDLE")
			clan(k, sig, "")
			must(k.Signal("a", sig, "data"))
			release()
			k.run()
			got := k.journal()
			at := func(n string) int { return slices.Index(got, n) }
			if at("a1") > at("a") || at("a") > at("a1 stops") || at("a1 stops") > at("a stops") || at("deaf stops") > at("a stops") || at("a stops") > at("root stops") {
				t.Errorf("%s: %v", sig, got)
			}
		}
		for _, who := range []string{"a1", "a2", "a"} {
			k := boot(t, m)
			clan(k, "TERM", who)
			must(k.Signal("a", "TERM", "data"))
			k.run() // until IDLE
			got := k.journal()
			slices.Sort(got[:3])
			expect(t, "heard by", strings.Join(got[:3], " "), "a a1 a2")
			if slices.Contains(got[:3], "a stops") {
				t.Errorf("handled by %s: %v", who, got)
			}
		}
	})
}

// Nonmaskable signals are told first and stop everything in any case (K129).
func TestK129_Nonmaskable(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		for _, sig := range []string{"ZOMBIE", "UIDESTROY"} {
			k := boot(t, m)
			k.Hold("for ever")
			clan(k, sig, "root")
			must(k.Signal("", sig, "data"))
			k.run2()
			got := k.journal()
			slices.Sort(got[:5])
			expect(t, "heard first", strings.Join(got[:5], " "), "a a1 a2 b root")
			expect(t, "then stopped", len(got), 5+6)
		}
	})
}

// One handler per signal and session; replacing, removing, case (K118).
func TestK118_Watching(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		a := k.service(table{
			"_start": func(c *kernel.Context) error {
				c.Sig("MINE", "first")
				c.Sig("MINE", "second", 1, 2)
				c.Sig("GONE", "first")
				c.Sig("GONE", "")
				c.Sig("GONE", "")
				for _, bad := range []string{"", "\x00stop"} { // nobody can send them
					func() {
						defer func() {
							if err, _ := recover().(error); !errors.Is(err, kernel.ErrArgument) {
								t.Errorf("Sig(%q): %v", bad, err)
							}
						}()
						c.Sig(bad, "first")
					}()
				}
				return nil
			},
			"first":  k.noting("first"),
			"second": func(c *kernel.Context) error { k.note("%v", c.Args()); return nil },
		})
		for _, sig := range []string{"GONE", "mine", "MINE"} {
			must(k.Signal(a, sig))
		}
		must(k.Signal(a, "UNWATCHED"))
		for _, bad := range []string{"", "\x00stop"} {
			if err := k.Signal(a, bad); !errors.Is(err, kernel.ErrArgument) {
				t.Errorf("Signal(%q): %v", bad, err)
			}
		}
		if err := k.Signal("nobody", "X"); !errors.Is(err, kernel.ErrNoSession) {
			t.Errorf("Signal to nobody: %v", err)
		}
		k.run()
		k.wantNotes("[MINE 1 2]")
	})
}

// A signal that a session sent itself holds it, like an event (K21, K52); a
// handler that is missing is reported.
func TestSignal_HoldsItsTarget(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		release := k.Hold("no IDLE")
		k.spawn(table{
			"_start": func(c *kernel.Context) error { c.Sig("X", "x"); c.Sig("Y", "missing"); return c.Signal(c.Self(), "X") },
			"x":      func(c *kernel.Context) error { k.note("x"); return c.Signal(c.Self(), "Y") },
			"_stop":  func(*kernel.Context) error { k.note("stop"); release(); return nil },
		})
		k.run()
		k.wantNotes("x", "stop")
		expect(t, "unhandled", k.unhandled.Load(), 1)
	})
}

// TestK21_K23_SignalHoldsItsSender: whose last deed is a signal, to another session
// or to everyone, is there to hear it, and whoever got it can answer.
func TestK21_K23_SignalHoldsItsSender(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		other := k.service(table{
			"_start": func(c *kernel.Context) error { c.Sig("ASK", "ask"); return nil },
			"ask":    func(c *kernel.Context) error { return c.Post(c.Arg(1).(kernel.Address), "answer") },
		})
		k.spawn(table{
			"_start": func(c *kernel.Context) error { return c.Signal(other, "ASK", c.Self()) },
			"answer": func(c *kernel.Context) error {
				k.note("answer")
				c.Sig("ALL", "all")
				return c.Signal("", "ALL")
			},
			"all":   k.noting("all"),
			"_stop": k.noting("stop"),
		})
		k.run()
		k.wantNotes("answer", "all", "stop")
	})
}

// IDLE once, then, if it was handled and nothing came of it, ZOMBIE once (K43);
// if something did, IDLE again at the next idle point (K42).
func TestSignal_IDLEThenZOMBIE_K41_K42_K43(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		works, futile := 3, 0
		k.service(table{
			"_start": func(c *kernel.Context) error { c.Sig("IDLE", "idle"); c.Sig("ZOMBIE", "zombie"); return nil },
			"idle": func(c *kernel.Context) error {
				k.note("IDLE")
				c.SigHandled()
				if works--; works > 0 {
					c.Delay("x", time.Millisecond)
				}
				return nil
			},
			"x":      k.noting("x"),
			"zombie": func(c *kernel.Context) error { k.note("ZOMBIE"); c.SigHandled(); return c.Yield("futile") },
			"futile": func(*kernel.Context) error { futile++; return nil },
			"_stop":  k.noting("stop"),
		})
		k.run()
		k.wantNotes("IDLE", "x", "IDLE", "x", "IDLE", "ZOMBIE", "stop")
		if m == kernel.Parallel && futile == 1 { // between the telling and the verdict: it helps as little
			k.wantDrops(map[string]int{})
		} else {
			k.wantDrops(map[string]int{"futile: receiver stopped": 1})
		}

		k.notes, works = nil, 0 // the next Run begins anew: no ZOMBIE without IDLE
		k.service(table{
			"_start": func(c *kernel.Context) error { c.Sig("IDLE", "idle"); c.Sig("ZOMBIE", "zombie"); return nil },
			"idle":   k.noting("IDLE"),
			"zombie": k.noting("ZOMBIE"),
		})
		k.run()
		k.wantNotes("IDLE")
	})
}

// IDLE comes neither while a handler runs nor while an event is queued: here
// every idle point is real, and followed by one more round of work.
func TestT18_Signal_NoIDLEWhileSomethingRuns(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m, workers(3))
		const rounds, each = 50, 4
		running, queued, round := make(chan int, 100), 0, 0
		var peers []kernel.Address
		for range each {
			peers = append(peers, k.service(table{"work": func(c *kernel.Context) error {
				running <- 1
				defer func() { <-running }()
				if n := c.Arg(0).(int); n > 0 {
					return c.Post(peers[n%each], "work", n-1)
				}
				return c.Post("boss", "done")
			}}))
		}
		k.spawn(table{
			"_start": func(c *kernel.Context) error { c.Sig("IDLE", "idle"); return nil },
			"done":   func(*kernel.Context) error { queued--; return nil },
			"idle": func(c *kernel.Context) error {
				if queued != 0 || len(running) != 0 {
					t.Errorf("IDLE with %d queued, %d running", queued, len(running))
				}
				if round++; round > rounds {
					return nil
				}
				c.SigHandled()
				for _, p := range peers {
					queued++
					must(c.Post(p, "work", 7))
				}
				return nil
			},
		}, kernel.Alias("boss"))
		k.run()
		expect(t, "rounds", round, rounds+1)
	})
}

// Signals of several names cross a tree that grows, and is pruned by TERM, at the
// same time: those who stay hear every one, each name in the order sent.
func TestK123_T25_SignalsCross(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		for s := range uint64(4) {
			const names, each = 4, 15
			k := boot(t, m, seed(s))
			name := func(i int) string { return fmt.Sprint("NEWS ", i) }
			watchAll := func(c *kernel.Context) error {
				for i := range names {
					c.Sig(name(i), "news")
				}
				return nil
			}
			var mortal func(depth int) table
			mortal = func(depth int) table {
				return table{
					"_start": func(c *kernel.Context) error {
						must(watchAll(c))
						for range depth {
							_, err := c.Spawn(mortal(depth - 1))
							must(err)
						}
						return c.AliasSet("mortal " + string(c.Self()[1:])) // TERM or IDLE ends it
					},
					"news": nop.none,
				}
			}
			var heard [3][names]int
			for w := range heard {
				k.service(table{
					"_start": watchAll,
					"news": func(c *kernel.Context) error {
						for i := range names {
							if c.Arg(0) != name(i) {
								continue
							}
							if heard[w][i]++; c.Arg(1) != heard[w][i] {
								t.Errorf("%s: heard %v, want %d", name(i), c.Arg(1), heard[w][i])
							}
						}
						return nil
					},
				})
			}
			for i := range names {
				k.spawn(table{
					"_start": func(c *kernel.Context) error { return c.Yield("go", 1) },
					"go": func(c *kernel.Context) error {
						n := c.Arg(0).(int)
						a, err := c.Spawn(mortal(2))
						must(err)
						must(c.Signal("", name(i), n))
						must(c.Signal(a, "TERM"))
						if n == each {
							return nil
						}
						return c.Yield("go", n+1)
					},
				})
			}
			k.run()
			for _, got := range heard {
				expect(t, "heard", got, [names]int{each, each, each, each})
			}
			expect(t, "stopped", k.stopped.Load(), k.spawned.Load())
		}
	})
}
