package kernel_test

import (
	"errors"
	"fmt"
	"regexp"
	"testing"

	"github.com/usher-go/usher/kernel"
)

// linked reports whether a session has a child.
func linked(k *fixture, parent, child kernel.Address) bool {
	return regexp.MustCompile(fmt.Sprintf(`child %v\b`, child)).MatchString(k.Explain(parent))
}

// Detaching, event by event, from the parent (K88) and from the child (K90): the
// parent loses the child, without a value; the child gets its old and its new
// parent, from the kernel (K93). Other than in POE the old link is gone during both.
func TestK88_K90_K93_DetachStepByStep(t *testing.T) {
	detach := map[string]func(c *kernel.Context, kid kernel.Address) error{
		"DetachChild":  func(c *kernel.Context, kid kernel.Address) error { return c.DetachChild(kid) },
		"DetachMyself": func(c *kernel.Context, kid kernel.Address) error { _, err := c.Call(kid, "leave"); return err },
	}
	for name, do := range detach {
		t.Run(name, func(t *testing.T) {
			eachMode(t, func(t *testing.T, m kernel.Mode) {
				k := boot(t, m)
				var pa, kid kernel.Address
				pa = k.spawn(table{
					"_start": func(c *kernel.Context) error { return c.Yield("go") },
					"go": func(c *kernel.Context) (err error) {
						kid, err = c.Spawn(table{
							"leave": func(c *kernel.Context) error { return c.DetachMyself() },
							"_parent": func(c *kernel.Context) error {
								k.note("_parent %v from %q, linked %v", c.Args(), c.Sender(), linked(k, pa, kid))
								return nil
							},
						})
						must(err)
						must(do(c, kid))
						k.note("done, linked %v", linked(k, pa, kid))
						again := do(c, kid)
						k.note("again: %v", errors.Is(again, kernel.ErrNotChild))
						return nil
					},
					"_child": func(c *kernel.Context) error {
						k.note("%v from %q, linked %v", c.Args(), c.Sender(), linked(k, pa, c.Arg(1).(kernel.Address)))
						return nil
					},
				})
				k.run()
				k.wantNotes(
					`[create #2 <nil>] from "kernel", linked true`, `[lose #2 <nil>] from "kernel", linked false`,
					`_parent [#1 kernel] from "kernel", linked false`, "done, linked false", "again: true")
			})
		})
	}
}

// Who is nobody, somebody else's, oneself or the kernel's cannot be detached, and
// nobody hears of the attempt.
func TestK89_WhoCannotBeDetached(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		other := k.service(nop)
		wrong := func(what string, err, want error) {
			t.Helper()
			if !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", what, err, want)
			}
		}
		k.spawn(table{
			"_start": func(c *kernel.Context) error { return c.Yield("go") },
			"go": func(c *kernel.Context) error {
				_, err := c.Spawn(table{
					"_start": func(c *kernel.Context) error { _, err := c.Spawn(nop, kernel.Alias("grandchild")); return err },
				})
				must(err)
				wrong("nobody", c.DetachChild("nobody"), kernel.ErrNoSession)
				wrong("the kernel", c.DetachChild(""), kernel.ErrNoSession)
				wrong("a stranger", c.DetachChild(other), kernel.ErrNotChild)
				wrong("a grandchild", c.DetachChild("grandchild"), kernel.ErrNotChild)
				wrong("itself", c.DetachChild(c.Self()), kernel.ErrNotChild)
				wrong("the kernel's own", c.DetachMyself(), kernel.ErrNotChild)
				k.note("tried")
				return c.Signal("grandchild", "TERM")
			},
			"_child":  func(c *kernel.Context) error { k.note("%v", c.Arg(0)); return nil },
			"_parent": k.noting("must not come"),
		})
		k.run()
		k.wantNotes("create", "tried", "lose")
	})
}

// A detached session keeps its children, and no longer holds its old parent,
// which stops before it.
func TestK92_DetachedWithChildren(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		var lease *kernel.Lease
		k.spawn(table{
			"_start": func(c *kernel.Context) error { return c.Yield("go") },
			"go": func(c *kernel.Context) error {
				kid, err := c.Spawn(table{
					"_start": func(c *kernel.Context) error {
						_, err := c.Spawn(table{
							"_start": func(c *kernel.Context) error { lease = c.Lease("test"); return nil },
							"_stop":  k.noting("grandchild stops"),
						})
						return err
					},
					"_child": func(c *kernel.Context) error { k.note("kid: %v", c.Arg(0)); return nil },
					"_stop":  k.noting("kid stops"),
				})
				must(err)
				return c.DetachChild(kid)
			},
			"_stop": func(*kernel.Context) error { k.note("pa stops"); lease.Release(); return nil },
		})
		k.run()
		k.wantNotes("kid: create", "pa stops", "grandchild stops", "kid: lose", "kid stops")
	})
}

// The kernel takes no posts, and minds nothing that happens to its children.
func TestK94_TheKernelMindsNothing(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		k.spawn(table{
			"_start": func(c *kernel.Context) error { return c.Yield("go") },
			"go": func(c *kernel.Context) error {
				if err := c.Post("", "hello"); !errors.Is(err, kernel.ErrNoSession) {
					t.Errorf("Post to the kernel: %v", err)
				}
				kid, err := c.Spawn(nop)
				must(err)
				must(c.DetachChild(kid)) // _parent to a kid without handlers, "lose" to the kernel when it ends
				return c.Signal("", "NEWS")
			},
		})
		k.run()
		expect(t, "unhandled", k.unhandled.Load(), 0)
		expect(t, "failed", k.failed.Load(), 0)
		expect(t, "stopped", k.stopped.Load(), 2)
	})
}

// Parallel: the child is busy while its parent detaches it. The detach is decided
// at once, by whoever came first, and done when the child's handler has returned.
func TestK88_K90_TheChildIsBusy(t *testing.T) {
	k := boot(t, kernel.Parallel, workers(2))
	busy, gate := make(chan int), make(chan int)
	k.spawn(table{
		"_start": func(c *kernel.Context) error { return c.Yield("go") },
		"go": func(c *kernel.Context) error {
			kid, err := c.Spawn(table{
				"block": func(c *kernel.Context) error {
					close(busy)
					<-gate
					k.note("itself: %v", errors.Is(c.DetachMyself(), kernel.ErrNotChild))
					return c.Yield("next")
				},
				"next":    k.noting("next"),
				"_parent": k.noting("_parent"),
			})
			must(err)
			must(c.Post(kid, "block"))
			<-busy
			k.note("first: %v", c.DetachChild(kid))
			k.note("second: %v", errors.Is(c.DetachChild(kid), kernel.ErrNotChild))
			close(gate)
			return nil
		},
		"_child": func(c *kernel.Context) error { k.note("%v", c.Arg(0)); return nil },
	})
	k.run()
	k.wantNotes("create", "lose", "first: <nil>", "second: true", "itself: true", "_parent", "next")
}

// Parallel: the parent is busy while its child detaches itself and ends. The
// parent hears "lose" once, of the detach; the value of _stop is for nobody.
func TestK90_TheParentIsBusy(t *testing.T) {
	k := boot(t, kernel.Parallel, workers(2))
	stopped := make(chan int)
	k.spawn(table{
		"_start": func(c *kernel.Context) error { return c.Yield("go") },
		"go": func(c *kernel.Context) error {
			kid, err := c.Spawn(table{
				"leave": func(c *kernel.Context) error { k.note("leave: %v", c.DetachMyself()); c.Stop(); return nil },
				"_stop": func(c *kernel.Context) error { c.Return("end"); k.note("_stop"); close(stopped); return nil },
			})
			must(err)
			must(c.Post(kid, "leave"))
			<-stopped
			return nil
		},
		"_child": func(c *kernel.Context) error { k.note("%v %v", c.Arg(0), c.Arg(2)); return nil },
	})
	k.run()
	k.wantNotes("create <nil>", "leave: <nil>", "_stop", "lose <nil>")
}

// Parallel: the parent ends while its child's detach waits for the child. The
// child is nobody's gain.
func TestK88_TheParentEnds(t *testing.T) {
	k := boot(t, kernel.Parallel, workers(2))
	busy, gate := make(chan int), make(chan int)
	kid := table{
		"block":   func(*kernel.Context) error { close(busy); <-gate; return nil },
		"_parent": func(c *kernel.Context) error { k.note("kid: from %v to %v", c.Arg(0), c.Arg(1)); return nil },
		"_stop":   k.noting("kid stops"),
	}
	k.spawn(table{
		"_start": func(c *kernel.Context) error { return c.Yield("go") },
		"go": func(c *kernel.Context) error {
			_, err := c.Spawn(table{
				"_start": func(c *kernel.Context) error { return c.Yield("go") },
				"go": func(c *kernel.Context) error {
					a, err := c.Spawn(kid)
					must(err)
					must(c.Post(a, "block"))
					<-busy
					c.Stop()
					return c.DetachChild(a)
				},
				"_child": func(c *kernel.Context) error { k.note("pa: %v", c.Arg(0)); return nil },
			}, kernel.Alias("pa"))
			return err
		},
		"_child": func(c *kernel.Context) error {
			if k.note("grandpa: %v", c.Arg(0)); c.Arg(0) == "lose" {
				close(gate)
			}
			return nil
		},
	})
	k.run()
	k.wantNotes("grandpa: create", "pa: create", "pa: lose", "grandpa: lose", "kid: from #2 to kernel", "kid stops")
}

// Parallel: a busy session is given to its grandparent, and then detaches itself
// before it heard of that: it hears of both, in order.
func TestK90_K93_AfterAnInheritance(t *testing.T) {
	k := boot(t, kernel.Parallel, workers(3))
	busy, gate := make(chan int), make(chan int)
	kid := table{
		"block": func(c *kernel.Context) error {
			close(busy)
			<-gate
			k.note("detach: %v", c.DetachMyself())
			return nil
		},
		"_parent": func(c *kernel.Context) error { k.note("kid: from %v to %v", c.Arg(0), c.Arg(1)); return nil },
	}
	noteChild := func(c *kernel.Context) error { k.note("%v: %v", c.Self(), c.Args()[:2]); return nil }
	k.spawn(table{
		"_start": func(c *kernel.Context) error { return c.Yield("go") },
		"go": func(c *kernel.Context) error {
			_, err := c.Spawn(table{
				"_start": func(c *kernel.Context) error { return c.Yield("go") },
				"go": func(c *kernel.Context) error {
					a, err := c.Spawn(kid)
					must(err)
					must(c.Post(a, "block"))
					<-busy
					c.Stop()
					return nil
				},
				"_child": noteChild,
			})
			return err
		},
		"_child": func(c *kernel.Context) error {
			must(noteChild(c))
			if c.Arg(0) == "gain" {
				return c.Yield("gained")
			}
			return nil
		},
		"gained": func(*kernel.Context) error { close(gate); return nil },
	})
	k.run()
	k.wantNotes(
		"#1: [create #2]", "#2: [create #3]", "#1: [gain #3]", "#1: [lose #3]", "detach: <nil>",
		"kid: from #2 to #1", "#1: [lose #2]", "kid: from #1 to kernel")
}
