package cluster

import (
	"errors"
	"testing"

	"github.com/usher-go/usher/kernel"
)

// What looks like a key is none: an alias that is not in Config.Expose is closed,
// whatever its name.
func TestExposeAndAliasesThatLookLikeKeys(t *testing.T) {
	net := new(pipes)
	a := start(t, net, kernel.Parallel, "a", func(c *Config) { c.Expose = []string{"open", "admin/open"} })
	b := start(t, net, kernel.Parallel, "b")
	for _, alias := range []string{"open", "admin/open", "closed", "admin/closed"} {
		answer := table{"_start": nothing, "_stop": nothing, "get": func(c *kernel.Context) error { c.Return(alias); return nil }}
		if _, err := a.k.Spawn(answer, kernel.Alias(alias)); err != nil {
			t.Fatal(err)
		}
	}
	a.run(t)
	b.run(t)
	for _, alias := range []string{"open", "admin/open"} {
		if v, err := b.k.Call(t.Context(), kernel.Address(alias+"@a"), "get"); v != alias || err != nil {
			t.Errorf("%s: %v, %v", alias, v, err)
		}
	}
	for _, alias := range []string{"closed", "admin/closed"} {
		if v, err := b.k.Call(t.Context(), kernel.Address(alias+"@a"), "get"); !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v, %v", alias, v, err)
		}
	}
}
