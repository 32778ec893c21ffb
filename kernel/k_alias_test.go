package kernel_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

// Every alias is one hold, and setting one's own again is none: the session ends
// with the removal of its last, not before and not later.
func TestK112_K113_EachAliasHoldsOnce(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		release := k.Hold("no IDLE") // it would end who is held too often
		k.spawn(table{
			"_start": func(c *kernel.Context) error {
				for _, name := range []string{"a", "b", "c", "a", "a", "b"} {
					must(c.AliasSet(name))
				}
				return nil
			},
			"remove": func(c *kernel.Context) error { k.note("remove %v", c.Arg(0)); return c.AliasRemove(c.Arg(0).(string)) },
			"_stop":  func(*kernel.Context) error { k.note("stop"); release(); return nil },
		})
		k.spawn(table{
			"_start": func(c *kernel.Context) error { return c.Yield("remove", "a", "b", "c") },
			"remove": func(c *kernel.Context) error {
				names := c.Args()
				must(c.Post(kernel.Address(names[0].(string)), "remove", names[0]))
				if len(names) == 1 {
					return nil
				}
				c.Delay("remove", time.Millisecond, names[1:]...) // collection had its chance
				return nil
			},
		})
		k.run()
		k.wantNotes("remove a", "remove b", "remove c", "stop")
	})
}

// The errors of aliases say whose the name is, or that it is nobody's, and change
// nothing.
func TestK114_AliasErrors(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		owner := k.spawn(nop, kernel.Alias("taken"))
		wrong := func(err, want error, texts ...string) {
			t.Helper()
			for _, text := range texts {
				if !errors.Is(err, want) || !strings.Contains(err.Error(), text) {
					t.Errorf("got %v, want %v with %q", err, want, text)
				}
			}
		}
		k.spawn(table{"_start": func(c *kernel.Context) error {
			wrong(c.AliasSet("taken"), kernel.ErrAliasTaken, `"taken"`, string(owner))
			wrong(c.AliasRemove("taken"), kernel.ErrAliasTaken, `"taken"`, string(owner))
			wrong(c.AliasRemove("none"), kernel.ErrNoSession, `"none"`)
			for _, bad := range []string{"", "#1", "#x", "a@b", "@"} {
				wrong(c.AliasSet(bad), kernel.ErrArgument, `"`+bad+`"`)
				wrong(c.AliasRemove(bad), kernel.ErrNoSession, `"`+bad+`"`)
			}
			expect(t, "own aliases", len(c.AliasList()), 0)
			id, ok := k.Resolve("taken")
			expect(t, "still the owner's", ok && id == owner, true)
			return nil
		}})
		k.run()
	})
}

// AliasList is sorted, one's own only, and a copy.
func TestK116_AliasList(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		k.service(nop)
		k.spawn(table{"_start": func(c *kernel.Context) error {
			want := []string{"B", "a", "b", "ä"}
			for _, i := range []int{2, 0, 3, 1} {
				must(c.AliasSet(want[i]))
			}
			got := c.AliasList()
			expect(t, "list", slices.Equal(got, want), true)
			got[0] = "spoilt"
			expect(t, "list again", slices.Equal(c.AliasList(), want), true)
			for _, name := range want {
				must(c.AliasRemove(name))
			}
			expect(t, "none left", len(c.AliasList()), 0)
			return nil
		}})
		k.run()
	})
}

// A session's aliases end with it: they resolve during its _stop and its parent's
// _child("lose"), and are free for others when a monitor hears of the end.
func TestK117_AliasesEndWithTheSession(t *testing.T) {
	ends := map[string]func(c *kernel.Context, kid kernel.Address) error{
		"Context.Stop": func(c *kernel.Context, kid kernel.Address) error { return c.Post(kid, "end") },
		"a signal":     func(c *kernel.Context, kid kernel.Address) error { return c.Signal(kid, "KILL") },
	}
	names := []string{"one", "two"}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			eachMode(t, func(t *testing.T, m kernel.Mode) {
				k := boot(t, m)
				named := func(when string, want kernel.Address) {
					t.Helper()
					for _, name := range names {
						if id, ok := k.Resolve(kernel.Address(name)); !ok || id != want {
							t.Errorf("%s: %s is %v, %v; want %v", when, name, id, ok, want)
						}
					}
				}
				take := func(c *kernel.Context) error {
					for _, name := range names {
						must(c.AliasSet(name))
					}
					return nil
				}
				k.spawn(table{
					"_start": func(c *kernel.Context) error { return c.Yield("go") },
					"go": func(c *kernel.Context) error {
						kid, err := c.Spawn(table{
							"_start": take,
							"end":    func(c *kernel.Context) error { c.Stop(); return nil },
							"_stop":  func(c *kernel.Context) error { named("_stop", c.Self()); k.note("stop"); return nil },
						})
						must(err)
						must(c.Monitor(kid, "ended"))
						return end(c, kid)
					},
					"_child": func(c *kernel.Context) error {
						if kid := c.Arg(1).(kernel.Address); c.Arg(0) == "lose" {
							named("lose", kid)
							k.note("lose")
						}
						return nil
					},
					"ended": func(c *kernel.Context) error {
						must(take(c))
						named("ended", c.Self())
						k.note("taken over")
						return nil
					},
				}, kernel.Alias("pa"))
				k.run()
				k.wantNotes("stop", "lose", "taken over")
			})
		})
	}
}

// Serial: a handler that steps the kernel (K14) while the stop of its own session
// is under way goes on as before; the stop is when it has returned, and takes the
// names and timers of that time with it.
func TestK117_StopWaitsForAHandlerThatSteps(t *testing.T) {
	for _, m := range serialModes {
		t.Run(m.String(), func(t *testing.T) {
			k := boot(t, m)
			a := k.spawn(table{
				"_start": func(c *kernel.Context) error { return c.Yield("go") },
				"go": func(c *kernel.Context) error {
					must(c.Signal(c.Self(), "KILL"))
					for k.Step() {
					}
					must(c.AliasSet("late"))
					c.Delay("timer", time.Hour)
					_, err := c.Call("late", "called")
					must(err)
					select {
					case <-c.Done():
					default:
						t.Error("Done is open, the stop was decided")
					}
					k.note("go returns")
					return nil
				},
				"called": k.noting("called"),
				"_stop": func(c *kernel.Context) error {
					id, ok := k.Resolve("late")
					k.note("stop, late resolves: %v", ok && id == c.Self())
					return nil
				},
			})
			k.run()
			k.wantNotes("called", "go returns", "stop, late resolves: true")
			for _, to := range []kernel.Address{a, "late"} {
				if _, ok := k.Resolve(to); ok {
					t.Errorf("%v still resolves", to)
				}
			}
		})
	}
}
