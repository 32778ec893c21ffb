package kernel_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/usher-go/usher/kernel"
)

// DIE's data says whose handler failed, at what, who sent that, and has the error
// itself, or the panic's value if that is one, with the stack.
func TestK135_WhatDIECarries(t *testing.T) {
	value := errors.New("value")
	for name, c := range map[string]struct {
		fail   kernel.Handler
		is     error
		text   string
		panics bool
	}{
		"error":              {boom, errBoom, "boom", false},
		"panic of an error":  {func(*kernel.Context) error { panic(value) }, value, "value", true},
		"panic of something": {func(*kernel.Context) error { panic(42) }, nil, "42", true},
		"runtime panic":      {func(c *kernel.Context) error { _ = c.Args()[7]; return nil }, nil, "index out of range", true},
	} {
		t.Run(name, func(t *testing.T) {
			eachMode(t, func(t *testing.T, m kernel.Mode) {
				k := boot(t, m)
				check := func(source kernel.Address) kernel.Handler {
					return func(ctx *kernel.Context) error {
						ctx.SigHandled()
						x := ctx.Arg(1).(*kernel.Exception)
						if x.Session != ctx.Self() || x.Event != "fail" || x.Source != source || ctx.Arg(2) != "own" {
							t.Errorf("DIE: %+v, own argument %v", x, ctx.Arg(2))
						}
						if c.is != nil && x.Err != c.is || !strings.Contains(x.Err.Error(), c.text) || (x.Stack != nil) != c.panics {
							t.Errorf("DIE: error %v, stack of %d bytes", x.Err, len(x.Stack))
						}
						k.note("DIE from %q", source)
						return nil
					}
				}
				a := k.spawn(table{
					"_start": func(ctx *kernel.Context) error { ctx.Sig("DIE", "of post", "own"); return nil },
					"fail":   c.fail,
					"of post": func(ctx *kernel.Context) error {
						ctx.Delay("fail", 0)
						ctx.Sig("DIE", "of timer", "own")
						return check("#2")(ctx)
					},
					"of timer": check("#1"),
				})
				k.spawn(table{"_start": func(ctx *kernel.Context) error { return ctx.Post(a, "fail") }})
				k.run()
				k.wantNotes(`DIE from "#2"`, `DIE from "#1"`)
			})
		})
	}
}

// Unhandled, DIE stops the sessions it went to, deepest first, a child of them
// that it did not go to moves, and then everyone stops. The order is POE's.
func TestK137_T28_UnhandledDIE(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		member := func(name string, kids ...table) table {
			r := kinOf(k, name, kids...)
			r["_parent"] = k.noting(name + " moves")
			r["fail"] = boom
			return r
		}
		grandpa := member("grandpa", member("uncle"), member("pa", member("kid")))
		grandpa["_child"] = func(c *kernel.Context) error { k.note("grandpa: %v", c.Arg(0)); return nil }
		k.spawn(member("bystander"))
		k.spawn(grandpa)
		must(k.Post("pa", "fail"))
		err := k.Run(t.Context())
		if x, ok := err.(*kernel.Exception); !ok || x.Err != errBoom {
			t.Errorf("Run: %v", err)
		}
		k.clean()
		got := k.journal()
		if m == kernel.Parallel { // the stop of everyone else may begin meanwhile
			at := func(name string) int { return slices.Index(got, name+" stops") }
			if !(at("kid") < at("pa") && at("pa") < at("grandpa") && at("uncle") >= 0 && at("bystander") >= 0) {
				t.Errorf("journal %v", got)
			}
			return
		}
		k.notes = got[:7]
		k.wantNotes("grandpa: create", "grandpa: create", "kid stops", "pa stops", "grandpa: lose", "uncle moves", "grandpa stops")
		k.notes = got[7:]
		k.wantSet("uncle stops", "bystander stops")
	})
}

// The handler of DIE fails: that ends the kernel with both errors, though another
// session handled the first.
func TestK138_EvenIfAnotherHandledIt(t *testing.T) {
	second := errors.New("second")
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		k.service(table{
			"_start": func(c *kernel.Context) error {
				c.Sig("DIE", "die")
				_, err := c.Spawn(table{
					"_start": func(c *kernel.Context) error { c.Sig("DIE", "die"); return c.Yield("fail") },
					"fail":   boom,
					"die":    func(*kernel.Context) error { return second },
				})
				return err
			},
			"die": func(c *kernel.Context) error { k.note("handled"); c.SigHandled(); return nil },
		})
		if err := k.Run(t.Context()); !errors.Is(err, errBoom) || !errors.Is(err, second) {
			t.Errorf("Run: %v", err)
		}
		k.clean()
		k.wantNotes("handled")
	})
}
