package kernel_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/usher-go/usher/kernel"
)

// IDs grow from 1 and are not used again; an ended one names nobody.
func TestG8_IDsAreNotReused_K82(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		seen := map[kernel.Address]bool{}
		for range 3 {
			for range 20 {
				a := k.spawn(nop)
				seen[a] = true
				expect(t, "ID", string(a), fmt.Sprintf("#%d", len(seen)))
			}
			k.run()
			for a := range seen {
				if _, ok := k.Resolve(a); ok {
					t.Errorf("%v resolves after its end", a)
				}
				if err := k.Post(a, "x"); !errors.Is(err, kernel.ErrNoSession) {
					t.Errorf("Post to %v: %v", a, err)
				}
			}
		}
	})
}

// A post to nobody says what it was, for whom, and hands it back.
func TestG8_PostToNobody_K47(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		check := func(err error, to kernel.Address) {
			t.Helper()
			var pe *kernel.PostError
			if !errors.Is(err, kernel.ErrNoSession) || !errors.As(err, &pe) || pe.To != to || pe.Event != "hello" || !slices.Equal(pe.Args, []any{1, 2, 3}) {
				t.Errorf("post to %v: %#v", to, err)
			}
			if s := err.Error(); !strings.Contains(s, `"hello"`) || !strings.Contains(s, to.String()) || !strings.Contains(s, "spawned") {
				t.Errorf("text: %s", s)
			}
		}
		nobody := []kernel.Address{"nobody", "#7777", "#0", "#", "#99999999999999999999999", "#-1", "#07", ""}
		if err := k.Post("a@b", "hello"); !errors.Is(err, kernel.ErrNoNode) || errors.Is(err, kernel.ErrNoSession) {
			t.Errorf("post to another node: %v", err)
		}
		for _, to := range nobody {
			check(k.Post(to, "hello", 1, 2, 3), to)
		}
		a := k.service(table{"x": func(*kernel.Context) error { return nil }})
		k.spawn(table{
			"_start": func(c *kernel.Context) error { return c.Yield("go") },
			"go": func(c *kernel.Context) error {
				must(c.Post(a, "x")) // so that there is a cache of addresses
				for range 2 {
					for _, to := range nobody {
						check(c.Post(to, "hello", 1, 2, 3), to)
					}
				}
				return nil
			},
		})
		k.run()
	})
}

// Aliases: who owns which name, and what the errors say (K114 to K116).
func TestG8_Aliases_K114_K115_K116(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		other := k.spawn(nop, kernel.Alias("taken"))
		if _, err := k.Spawn(nop, kernel.Alias("taken")); !errors.Is(err, kernel.ErrAliasTaken) || !strings.Contains(err.Error(), string(other)) {
			t.Errorf("Spawn with a taken alias: %v", err)
		}
		for _, bad := range []string{"#1", "a@b"} {
			if _, err := k.Spawn(nop, kernel.Alias(bad)); !errors.Is(err, kernel.ErrArgument) || !strings.Contains(err.Error(), bad) {
				t.Errorf("Spawn with alias %q: %v", bad, err)
			}
		}
		k.spawn(table{
			"_start": func(c *kernel.Context) error { return c.Yield("go") },
			"go": func(c *kernel.Context) error {
				must(c.AliasSet("b"))
				must(c.AliasSet("a"))
				must(c.AliasSet("a"))
				expect(t, "list", strings.Join(c.AliasList(), " "), "a b")
				if err := c.AliasSet("taken"); !errors.Is(err, kernel.ErrAliasTaken) {
					t.Errorf("AliasSet: %v", err)
				}
				if err := c.AliasSet(""); !errors.Is(err, kernel.ErrArgument) {
					t.Errorf("AliasSet of nothing: %v", err)
				}
				if err := c.AliasRemove("taken"); !errors.Is(err, kernel.ErrAliasTaken) {
					t.Errorf("AliasRemove of another's: %v", err)
				}
				if err := c.AliasRemove("none"); !errors.Is(err, kernel.ErrNoSession) {
					t.Errorf("AliasRemove of none: %v", err)
				}
				id, ok := k.Resolve("a")
				expect(t, "alias resolves", ok && id == c.Self(), true)
				must(c.Post("a", "x"))
				must(c.AliasRemove("a"))
				if err := c.Post("a", "x"); !errors.Is(err, kernel.ErrNoSession) {
					t.Errorf("post to a removed alias: %v", err)
				}
				return c.AliasRemove("b") // one hold each: now nothing holds it
			},
			"x":     k.noting("x"), // resolved at post time (K47)
			"_stop": k.noting("stop"),
		})
		k.run()
		k.wantNotes("x", "stop")
	})
}

// A sender's cache of addresses must not survive the alias: moved to another
// session, it leads there from the next post on.
func TestG8_AliasMovesToAnotherSession(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		const name = "moving"
		mover := func(who string) table {
			return table{
				"take": func(c *kernel.Context) error { return c.AliasSet(name) },
				"drop": func(c *kernel.Context) error { return c.AliasRemove(name) },
				"x":    func(c *kernel.Context) error { k.note("%s", who); return nil },
			}
		}
		a, b := k.service(mover("a")), k.service(mover("b"))
		k.spawn(table{
			"_start": func(c *kernel.Context) error { return c.Yield("go") },
			"go": func(c *kernel.Context) error {
				call := func(to kernel.Address, e string) { _, err := c.Call(to, e); must(err) }
				for range 3 {
					call(a, "take")
					call(name, "x")
					call(name, "x")
					call(a, "drop")
					call(b, "take")
					call(name, "x")
					call(b, "drop")
				}
				return nil
			},
		})
		k.run()
		k.wantNotes("a", "a", "b", "a", "a", "b", "a", "a", "b")
	})
}
