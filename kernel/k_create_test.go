package kernel_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/usher-go/usher/kernel"
)

// Without a _start there is a session all the same, and nobody is warned.
func TestK78_StartIsOptional(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		a := k.spawn(table{
			"go":     func(c *kernel.Context) error { _, err := c.Spawn(table{"_stop": k.noting("kid stops")}); return err },
			"_child": func(c *kernel.Context) error { k.note("%v %v", c.Arg(0), c.Arg(2)); return nil },
		})
		must(k.Post(a, "go"))
		k.run()
		k.wantNotes("create <nil>", "kid stops", "lose <nil>")
		expect(t, "unhandled", k.unhandled.Load(), 0)
	})
}

// A mistake in Spawn's arguments is an error that names the field, from outside
// and in handlers, and nothing is left of the attempt.
func TestK79_MistakesAreErrors(t *testing.T) {
	mistakes := []struct {
		text string
		recv kernel.Receiver
		opt  kernel.SpawnOption
	}{
		{"Receiver", nil, kernel.Args(1)},
		{"QueueLimit is -1", nop, kernel.QueueLimit(-1)},
		{`alias "#7"`, nop, kernel.Alias("#7")},
		{"without a policy", nop, kernel.Supervise(nil, nil)},
	}
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		check := func(spawn func(kernel.Receiver, ...kernel.SpawnOption) (kernel.Address, error)) {
			for _, wrong := range mistakes {
				a, err := spawn(wrong.recv, wrong.opt)
				if a != "" || !errors.Is(err, kernel.ErrArgument) || !strings.Contains(err.Error(), wrong.text) {
					t.Errorf("want %q: %v, %v", wrong.text, a, err)
				}
			}
		}
		check(k.Spawn)
		k.spawn(table{
			"_start": func(c *kernel.Context) error { check(c.Spawn); return nil },
			"_child": k.noting("must not come"),
		})
		expect(t, "sessions", len(k.Sessions()), 1)
		k.run()
		k.wantNotes()
	})
}

// Args are the arguments of _start, spread; a list is one of them like any other
// value.
func TestK80_Args(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		noteArgs := table{"_start": func(c *kernel.Context) error { k.note("%d %v", len(c.Args()), c.Args()); return nil }}
		for _, args := range [][]any{nil, {1}, {"a", nil, 3}, {[]any{1, 2}}, {1, 2, 3, 4, 5}} {
			k.spawn(noteArgs, kernel.Args(args...))
		}
		k.spawn(noteArgs)
		k.wantNotes("0 []", "1 [1]", "3 [a <nil> 3]", "1 [[1 2]]", "5 [1 2 3 4 5]", "0 []")
		k.run()
	})
}

// Addresses resolve to IDs, an ID to itself; who ended, the kernel and what only
// looks like an address resolve to nothing.
func TestK83_K115_Resolve(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		a := k.spawn(nop, kernel.Alias("one"))
		for _, to := range []kernel.Address{a, "one", kernel.Address(strings.Clone(string(a)))} {
			if id, ok := k.Resolve(to); id != a || !ok {
				t.Errorf("Resolve(%v): %v, %v", to, id, ok)
			}
		}
		k.run()
		for _, to := range []kernel.Address{a, "one", "", "two", "#", "#0", "#01", "#1x", "1", "#18446744073709551617"} {
			if id, ok := k.Resolve(to); id != "" || ok {
				t.Errorf("Resolve(%v): %v, %v", to, id, ok)
			}
		}
	})
}

// Creation, event by event: the child's _start, from its creator; then the
// parent's _child, from the kernel and inside the parent's own handler, with
// _start's value; then Spawn returns. By then the child was reachable by its
// names, and it gets no _parent.
func TestK84_K86_CreationStepByStep(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		var made, alias kernel.Address
		inside := 0
		creating := func(what string) kernel.Handler {
			return func(c *kernel.Context) error {
				inside++
				k.note("%s spawns", what)
				alias = kernel.Address("kid of " + what)
				a, err := c.Spawn(table{
					"_start": func(c *kernel.Context) error {
						made = c.Self()
						k.note("_start from %v at depth %d", c.Sender(), inside)
						c.Return("started")
						return nil
					},
					"_parent": k.noting("must not come"),
					"hello":   func(c *kernel.Context) error { c.Return("hi"); return nil },
				}, kernel.Alias(string(alias)))
				k.note("Spawn returns %v", a == made)
				inside--
				return err
			}
		}
		k.spawn(table{
			"_start": creating("_start"),
			"go":     creating("go"),
			"_child": func(c *kernel.Context) error {
				if c.Arg(0) != "create" {
					return nil
				}
				k.note("%v %v from %v at depth %d", c.Args()[0], c.Args()[2], c.Sender(), inside)
				expect[any](t, "child", c.Arg(1), made)
				for _, to := range []kernel.Address{made, alias} {
					v, err := c.Call(to, "hello")
					expect(t, "a call to it", fmt.Sprint(v, err), "hi<nil>")
				}
				return nil
			},
		}, kernel.Alias("pa"))
		must(k.Post("pa", "go"))
		k.run()
		k.wantNotes(
			"_start spawns", "_start from #1 at depth 1", "create started from kernel at depth 1", "Spawn returns true",
			"go spawns", "_start from #1 at depth 1", "create started from kernel at depth 1", "Spawn returns true")
	})
}

// The parent is the session whose context spawns, in whoever's handler the call
// for it was made. Kernel.Spawn makes children of the kernel, in handlers, too.
func TestK85_WhoIsTheParent(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		var mu sync.Mutex
		var parents []string
		k := boot(t, m, observer(&kernel.Observer{Spawned: func(s, p kernel.Address) {
			mu.Lock()
			parents = append(parents, fmt.Sprintf("%v of %v", s, p))
			mu.Unlock()
		}}))
		breed := table{"breed": func(c *kernel.Context) error { _, err := c.Spawn(nop); return err }}
		other := k.spawn(breed, kernel.Alias("other")) // #1
		k.spawn(table{                                 // #2
			"_start": func(c *kernel.Context) error { return c.Yield("go") },
			"go": func(c *kernel.Context) error {
				_, err := c.Spawn(breed) // #3
				must(err)
				_, err = c.Call(other, "breed") // #4
				must(err)
				_, err = c.Kernel().Spawn(breed) // #5
				return err
			},
			"_child": func(c *kernel.Context) error { k.note("%v %v", c.Arg(0), c.Arg(1)); return nil },
		})
		k.run()
		k.wantNotes("create #3", "lose #3")
		if want := []string{"#1 of kernel", "#2 of kernel", "#3 of #2", "#4 of #1", "#5 of kernel"}; !slices.Equal(parents, want) {
			t.Errorf("got %v, want %v", parents, want)
		}
	})
}

// _child has three arguments always: the value is _start's for "create", _stop's
// for the "lose" of one that ended, nil otherwise.
func TestK87_ChildHasThreeArguments(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		valued := func(more table) table {
			all := table{
				"_start": func(c *kernel.Context) error { c.Return("begin"); return nil },
				"_stop":  func(c *kernel.Context) error { c.Return("end"); return nil },
			}
			for e, h := range more {
				all[e] = h
			}
			return all
		}
		noteChild := func(c *kernel.Context) error {
			if id, ok := c.Arg(1).(kernel.Address); !ok || id[0] != '#' {
				t.Errorf("child %v", c.Arg(1))
			}
			k.note("%s: %d %v %v", c.AliasList()[0], len(c.Args()), c.Arg(0), c.Arg(2))
			return nil
		}
		k.spawn(table{
			"_start": func(c *kernel.Context) error { return c.Yield("go") },
			"go": func(c *kernel.Context) error {
				detached, err := c.Spawn(valued(nil))
				must(err)
				must(c.DetachChild(detached))
				_, err = c.Spawn(valued(table{ // it stops with a child, which its parent gains
					"_start": func(c *kernel.Context) error { return c.Yield("go") },
					"go": func(c *kernel.Context) error {
						_, err := c.Spawn(valued(nil), kernel.Alias("kid"))
						c.Stop()
						return err
					},
					"_child": noteChild,
				}), kernel.Alias("pa"))
				return err
			},
			"_child": noteChild,
		}, kernel.Alias("grandpa"))
		k.run()
		k.wantNotes(
			"grandpa: 3 create begin", "grandpa: 3 lose <nil>",
			"grandpa: 3 create <nil>", "pa: 3 create begin",
			"grandpa: 3 gain <nil>", "grandpa: 3 lose end", "grandpa: 3 lose end")
	})
}
