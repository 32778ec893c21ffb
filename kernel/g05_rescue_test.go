package kernel_test

import (
	"testing"

	"github.com/usher-go/usher/kernel"
)

// A session loses its last hold in the same event as another, whose end it wants to
// hear of: the word that is on its way to it then holds it.
func TestG5_WordOfAnEndRescues_K24(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		mourner := k.spawn(table{
			"watch": func(c *kernel.Context) error { return c.Monitor(c.Arg(0).(kernel.Address), "gone") },
			"off":   func(c *kernel.Context) error { return c.AliasRemove("mourner") },
			"gone":  func(*kernel.Context) error { k.note("gone"); return nil },
		}, kernel.Alias("mourner"))
		other, err := k.SpawnHeld(table{
			"go": func(c *kernel.Context) error { _, err := c.Call(mourner, "off"); return err },
		})
		must(err)
		_, err = k.Call(t.Context(), mourner, "watch", other.Address())
		must(err)
		must(other.Post("go"))
		other.Release()
		k.run()
		if m == kernel.Parallel {
			return // there the mourner may be quicker than the other's end
		}
		k.wantNotes("gone")
	})
}
