package kernel_test

import (
	"errors"
	"testing"

	"github.com/usher-go/usher/kernel"
)

var errBoom = errors.New("boom")

func boom(*kernel.Context) error { return errBoom }

// family spawns grandpa > pa > kid, and a sibling of pa; each watches DIE, and
// handled says who marks it. "fail" makes pa fail.
func family(k *fixture, handled string, fail kernel.Handler) {
	die := func(name string) table {
		return table{
			"die": func(c *kernel.Context) error {
				k.note("%s: DIE", name)
				if name == handled {
					c.SigHandled()
				}
				return nil
			},
			"_stop": k.noting(name + " stops"),
			"after": k.noting(name + " lives on"),
		}
	}
	start := func(name string, more func(c *kernel.Context)) table {
		t := die(name)
		t["_start"] = func(c *kernel.Context) error {
			c.Sig("DIE", "die")
			must(c.AliasSet(name))
			if more != nil {
				more(c)
			}
			return nil
		}
		return t
	}
	spawn := func(c *kernel.Context, t table) { _, err := c.Spawn(t); must(err) }
	k.spawn(start("grandpa", func(c *kernel.Context) {
		pa := start("pa", func(c *kernel.Context) { spawn(c, start("kid", nil)) })
		pa["fail"] = fail
		spawn(c, start("uncle", nil))
		spawn(c, pa)
	}))
	must(k.Post("pa", "fail"))
}

// DIE goes to the failing session's descendants, to itself, then up; siblings do
// not hear of it (K136). Unhandled, it ends everything (K137).
func TestG7_K136_DIEWalksDownThenUp(t *testing.T) {
	for name, fail := range map[string]kernel.Handler{"error": boom, "panic": func(*kernel.Context) error { panic(errBoom) }} {
		t.Run(name, func(t *testing.T) {
			eachMode(t, func(t *testing.T, m kernel.Mode) {
				k := boot(t, m)
				family(k, "", fail)
				err := k.Run(t.Context())
				var x *kernel.Exception
				if !errors.Is(err, errBoom) || !errors.As(err, &x) || x.Event != "fail" || (x.Stack != nil) != (name == "panic") {
					t.Errorf("Run: %v", err)
				}
				k.clean()
				got := k.journal()
				k.notes = got[:3]
				k.wantNotes("kid: DIE", "pa: DIE", "grandpa: DIE")
				k.notes = got[3:]
				k.wantSet("kid stops", "pa stops", "uncle stops", "grandpa stops")
			})
		})
	}
}

// Whoever marks DIE handled keeps everyone (K137); all are told all the same.
func TestG7_K137_SigHandledKeepsAll(t *testing.T) {
	for _, who := range []string{"kid", "pa", "grandpa"} {
		t.Run(who, func(t *testing.T) {
			eachMode(t, func(t *testing.T, m kernel.Mode) {
				k := boot(t, m)
				family(k, who, boom)
				k.run()
				got := k.journal()
				k.notes = got[:3]
				k.wantNotes("kid: DIE", "pa: DIE", "grandpa: DIE")
				expect(t, "notes", len(got), 7)
				expect(t, "failures seen", k.failed.Load(), 1)
			})
		})
	}
}

// DIE is queued: what was queued before it runs first (K134).
func TestG7_K134_T28_DIEIsQueued(t *testing.T) {
	k := boot(t, kernel.Serial)
	k.spawn(table{
		"_start": func(c *kernel.Context) error {
			c.Sig("DIE", "die")
			must(c.Yield("fail"))
			return c.Yield("queued before")
		},
		"fail":          boom,
		"queued before": k.noting("queued before"),
		"die":           func(c *kernel.Context) error { k.note("DIE"); c.SigHandled(); return nil },
	})
	k.run()
	k.wantNotes("queued before", "DIE")
}

// Every kind of handler that nobody waits for raises DIE when it fails; a
// session goes on with its next event.
func TestG7_K127_K134_EveryHandlerKindRaisesDIE(t *testing.T) {
	kinds := map[string]func(k *fixture) table{
		"post": func(k *fixture) table { return table{"go": boom} },
		"timer": func(k *fixture) table {
			return table{"go": func(c *kernel.Context) error { c.Delay("x", 1); return nil }, "x": boom}
		},
		"signal": func(k *fixture) table {
			return table{"go": func(c *kernel.Context) error { c.Sig("USR", "x"); return c.Signal(c.Self(), "USR") }, "x": boom}
		},
		"_child": func(k *fixture) table {
			return table{"go": func(c *kernel.Context) error { _, err := c.Spawn(nop); return err }, "_child": func(c *kernel.Context) error {
				if c.Arg(0) == "create" {
					return errBoom
				}
				return nil
			}}
		},
		"_parent": func(k *fixture) table {
			return table{"go": func(c *kernel.Context) error {
				a, err := c.Spawn(table{"_parent": boom})
				must(err)
				return c.DetachChild(a)
			}}
		},
		"wheel": func(k *fixture) table {
			return table{"go": func(c *kernel.Context) error {
				var src *kernel.Source
				src = c.NewSource("test", func(c *kernel.Context) { src.Deliver(c, "x") }, nil)
				src.Wake()
				return nil
			}, "x": boom}
		},
		"_default": func(k *fixture) table { return table{"go": boom} },
	}
	for name, make := range kinds {
		t.Run(name, func(t *testing.T) {
			eachMode(t, func(t *testing.T, m kernel.Mode) {
				k := boot(t, m)
				got := make(k)
				if name == "_parent" { // the child fails, its former parent does not hear of it
					k.spawn(got, kernel.Alias("s"))
					must(k.Post("s", "go"))
					if err := k.Run(t.Context()); !errors.Is(err, errBoom) {
						t.Errorf("Run: %v", err)
					}
					return
				}
				got["_start"] = func(c *kernel.Context) error { c.Sig("DIE", "die"); return c.AliasSet("s") }
				got["die"] = func(c *kernel.Context) error {
					x := c.Arg(1).(*kernel.Exception)
					k.note("%v by %v", errors.Is(x, errBoom), x.Session)
					c.SigHandled()
					return c.Yield("alive")
				}
				got["alive"] = k.noting("alive")
				k.spawn(got)
				must(k.Post("s", "go"))
				k.run()
				k.wantNotes("true by #1", "alive")
			})
		})
	}
}

// _start's error is Spawn's error: no DIE, no _stop, no _child, no name left.
func TestG7_K140_StartErrorIsSpawnsError(t *testing.T) {
	for name, fail := range map[string]kernel.Handler{"error": boom, "panic": func(*kernel.Context) error { panic(errBoom) }} {
		t.Run(name, func(t *testing.T) {
			eachMode(t, func(t *testing.T, m kernel.Mode) {
				k := boot(t, m)
				bad := table{
					"_start": func(c *kernel.Context) error {
						must(c.Yield("x"))
						c.Delay("x", 1)
						c.Lease("x")
						c.Sig("USR", "x")
						_, err := c.Spawn(table{
							"_start":  func(c *kernel.Context) error { return c.AliasSet("grandchild " + string(c.Self()[1:])) },
							"_parent": func(c *kernel.Context) error { k.note("grandchild moves to %v", c.Arg(1)); return nil },
						})
						must(err)
						return fail(c)
					},
					"_child": func(*kernel.Context) error { return nil },
					"_stop":  k.noting("must not come"),
					"x":      k.noting("must not come"),
				}
				if _, err := k.Spawn(bad, kernel.Alias("bad")); !errors.Is(err, errBoom) {
					t.Errorf("Spawn: %v", err)
				}
				if l, err := k.SpawnHeld(bad, kernel.Alias("bad2")); !errors.Is(err, errBoom) || l != nil {
					t.Errorf("SpawnHeld: %v, %v", l, err)
				}
				if _, ok := k.Resolve("bad"); ok {
					t.Error("the alias is still there")
				}
				k.run()
				expect(t, "failures raised", k.failed.Load(), 0)
				for _, n := range k.journal() {
					expect(t, "note", n, "grandchild moves to kernel")
				}
			})
		})
	}
}

func TestG7_StartErrorInsideAHandler(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		k.spawn(table{
			"_start": func(c *kernel.Context) error { return c.Yield("go") },
			"go": func(c *kernel.Context) error {
				if _, err := c.Spawn(table{"_start": boom}); !errors.Is(err, errBoom) {
					t.Errorf("Spawn: %v", err)
				}
				if _, err := c.Spawn(nil); !errors.Is(err, kernel.ErrArgument) {
					t.Errorf("Spawn(nil): %v", err)
				}
				if _, err := c.Spawn(nop, kernel.QueueLimit(-1)); !errors.Is(err, kernel.ErrArgument) {
					t.Errorf("QueueLimit: %v", err)
				}
				return nil
			},
			"_child": k.noting("must not come"),
			"_stop":  k.noting("stop"),
		})
		k.run()
		k.wantNotes("stop")
	})
}

// K139: a failure in _stop cannot be handled; the stop completes and Run returns it.
func TestG7_K139_FailureInStop(t *testing.T) {
	for name, fail := range map[string]kernel.Handler{"error": boom, "panic": func(*kernel.Context) error { panic(errBoom) }} {
		t.Run(name, func(t *testing.T) {
			eachMode(t, func(t *testing.T, m kernel.Mode) {
				k := boot(t, m)
				k.service(table{
					"_start": func(c *kernel.Context) error {
						c.Sig("DIE", "die")
						_, err := c.Spawn(table{"_stop": fail})
						return err
					},
					"die":    func(c *kernel.Context) error { k.note("DIE"); c.SigHandled(); return nil },
					"_child": func(c *kernel.Context) error { k.note("%v", c.Arg(0)); return nil },
					"_stop":  k.noting("parent stops"),
				})
				if err := k.Run(t.Context()); !errors.Is(err, errBoom) {
					t.Errorf("Run: %v", err)
				}
				k.clean()
				k.wantNotes("create", "lose", "parent stops")
			})
		})
	}
}

// K138: the DIE handler fails, too: both errors come out, DIE is not raised again.
func TestG7_K138_FailureInDIEHandler(t *testing.T) {
	second := errors.New("second")
	for name, fail := range map[string]kernel.Handler{
		"error": func(*kernel.Context) error { return second },
		"panic": func(*kernel.Context) error { panic(second) },
	} {
		t.Run(name, func(t *testing.T) {
			eachMode(t, func(t *testing.T, m kernel.Mode) {
				k := boot(t, m)
				dies := 0
				k.spawn(table{
					"_start": func(c *kernel.Context) error { c.Sig("DIE", "die"); return c.Yield("x") },
					"x":      boom,
					"die":    func(c *kernel.Context) error { dies++; return fail(c) },
				})
				if err := k.Run(t.Context()); !errors.Is(err, errBoom) || !errors.Is(err, second) {
					t.Errorf("Run: %v", err)
				}
				k.clean()
				expect(t, "DIE handler ran", dies, 1)
			})
		})
	}
}

// A call made by a DIE handler that panics raises DIE of its own.
func TestG7_CalleeOfADIEHandlerFails(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		second := errors.New("second")
		other := k.service(table{
			"_start": func(c *kernel.Context) error { c.Sig("DIE", "die"); return nil },
			"fail":   func(*kernel.Context) error { panic(second) },
			"die": func(c *kernel.Context) error {
				k.note("other: %v", errors.Is(c.Arg(1).(error), second))
				c.SigHandled()
				return nil
			},
		})
		k.spawn(table{
			"_start": func(c *kernel.Context) error { c.Sig("DIE", "die"); return c.Yield("x") },
			"x":      boom,
			"die": func(c *kernel.Context) error {
				c.SigHandled()
				_, err := c.Call(other, "fail")
				k.note("call: %v", errors.Is(err, second))
				return nil
			},
		})
		k.run()
		k.wantNotes("call: true", "other: true")
	})
}
