package kernel_test

import (
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/usher-go/usher/kernel"
)

// A lease has no count: two of one tag are two holds, and releasing one twice is
// releasing it once. It takes an address's session, not its name.
func TestK150_K151_LeasesDoNotCount(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		release := k.Hold("no IDLE")
		var one, two *kernel.Lease
		a := k.spawn(table{
			"_start": func(c *kernel.Context) error {
				one, two = c.Lease("same"), c.Lease("same")
				expect(t, "address", one.Address(), c.Self())
				return nil
			},
			"_stop": func(*kernel.Context) error { k.note("stop"); release(); return nil },
		})
		leases := func() int { return strings.Count(k.Explain(a), `lease "same"`) }
		looks := 0
		k.spawn(table{
			"_start": func(c *kernel.Context) error { return c.Yield("look") },
			"look": func(c *kernel.Context) error {
				switch looks++; looks {
				case 1:
					expect(t, "leases", leases(), 2)
					one.Release()
					one.Release()
				case 100:
					expect(t, "leases", leases(), 1)
					k.note("second released")
					two.Release()
					return nil
				}
				runtime.Gosched()
				return c.Yield("look")
			},
		})
		k.run()
		k.wantNotes("second released", "stop")
	})
}

// A lease or postback that outlives its session posts nothing and says so.
func TestK153_AfterTheSession(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		var l *kernel.Lease
		var p *kernel.Postback
		k.spawn(table{
			"_start": func(c *kernel.Context) error {
				l, p = c.Lease("test"), c.Postback("x")
				c.Stop()
				return nil
			},
			"_stop": func(*kernel.Context) error { k.note("stop"); return p.Call("in _stop") },
			"x":     k.noting("must not come"),
		})
		k.run()
		k.wantNotes("stop")
		k.wantDrops(map[string]int{"x: receiver stopped": 1})
		var e *kernel.PostError
		if err := p.Call(1); !errors.Is(err, kernel.ErrStopped) || !errors.As(err, &e) || e.Event != "x" || len(e.Args) != 2 {
			t.Errorf("postback: %v", err)
		}
		if err := l.Post("x"); !errors.Is(err, kernel.ErrStopped) {
			t.Errorf("lease: %v", err)
		}
		p.Release()
		l.Release()
		k.run()
	})
}

// Whose session acts is the Context's: inside a call what is posted, set, watched
// and spawned is the callee's, after it the caller's again.
func TestK155_T4_WhoActs(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		actor := func(name string, more table) table {
			r := table{
				"_start":  func(c *kernel.Context) error { return c.AliasSet(name) },
				"yielded": k.noting(name + " yields"),
				"timer":   func(c *kernel.Context) error { return c.Signal(c.Self(), "MINE") },
				"mine":    k.noting(name + " watches"),
				"_child": func(c *kernel.Context) error {
					if c.Arg(0) == "create" {
						k.note("%s spawns", name)
					}
					return nil
				},
			}
			for e, h := range more {
				r[e] = h
			}
			return r
		}
		act := func(c *kernel.Context) {
			_, err := c.Spawn(nop)
			must(err)
			c.Sig("MINE", "mine")
			must(c.Yield("yielded"))
			c.Delay("timer", 0)
		}
		k.spawn(actor("b", table{"act": func(c *kernel.Context) error {
			expect(t, "self and event in the call", string(c.Self())+" "+c.Event(), "#1 act")
			act(c)
			return nil
		}}))
		k.spawn(actor("a", table{"go": func(c *kernel.Context) error {
			_, err := c.Call("b", "act")
			must(err)
			expect(t, "self and event after it", string(c.Self())+" "+c.Event(), "#2 go")
			act(c)
			return nil
		}}))
		must(k.Post("a", "go"))
		k.run()
		k.wantSet("b spawns", "b yields", "b watches", "a spawns", "a yields", "a watches")
	})
}

// A lease on another session keeps that one, and not who asked for it.
func TestG5_LeaseOnAnother(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		var lease *kernel.Lease
		var order []string
		kept, err := k.Spawn(table{
			"_start": func(*kernel.Context) error { return nil },
			"use":    func(*kernel.Context) error { order = append(order, "used"); lease.Release(); return nil },
			"_stop":  func(*kernel.Context) error { order = append(order, "kept ends"); return nil },
		})
		must(err)
		_, err = k.Spawn(table{
			"_start": func(c *kernel.Context) (err error) {
				if lease, err = c.LeaseOn(kept, "mine"); err != nil {
					return err
				}
				_, err = c.LeaseOn("nobody", "mine")
				if !errors.Is(err, kernel.ErrNoSession) {
					t.Errorf("a lease on nobody: %v", err)
				}
				return nil
			},
			"_stop": func(*kernel.Context) error {
				order = append(order, "asker ends")
				return lease.Post("use")
			},
		})
		must(err)
		k.run()
		if want := []string{"asker ends", "used", "kept ends"}; !slices.Equal(order, want) {
			t.Errorf("got %q, want %q", order, want)
		}
	})
}
