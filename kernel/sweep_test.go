package kernel_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/usher-go/usher/kernel"
)

// TestK27_ParentsFollowInTheSameSweep: sessions whose last child has ended stop
// before anybody's next event, and so do their parents. In every round of the
// sweep the one that lost its hold last goes first, so the lines take turns.
func TestK27_ParentsFollowInTheSameSweep(t *testing.T) {
	k := boot(t, kernel.Serial)
	var line func(name string, depth int) table
	line = func(name string, depth int) table {
		return table{
			"_start": func(c *kernel.Context) error {
				if depth < 3 {
					_, err := c.Spawn(line(name, depth+1))
					return err
				}
				return nil
			},
			"_stop": k.noting(fmt.Sprint(name, depth)),
		}
	}
	k.spawn(line("a", 1))
	k.spawn(line("b", 1))
	k.spawn(table{
		"_start": func(c *kernel.Context) error { return c.Yield("tick", 0) },
		"tick": func(c *kernel.Context) error {
			k.note("tick")
			if n := c.Arg(0).(int); n < 3 {
				return c.Yield("tick", n+1)
			}
			return nil
		},
	})
	k.run()
	got := slices.Compact(k.journal())
	if want := []string{"tick", "b3", "a3", "a2", "b2", "b1", "a1", "tick"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
