package kernel_test

import (
	"errors"
	"testing"

	"github.com/usher-go/usher/kernel"
)

// A stop of many is as if it happened at once: a handler that still runs when
// others have ended already is none the worse for it, and nothing queued for its
// session is begun after it.
func TestG6_VerdictIsAsIfAtOnce(t *testing.T) {
	running, ended := make(chan struct{}), make(chan struct{})
	var gone kernel.Address
	k := boot(t, kernel.Parallel, func(c *kernel.Config) {
		stopped := c.Observer.Stopped
		c.Observer.Stopped = func(a kernel.Address) {
			if stopped(a); a == gone {
				close(ended)
			}
		}
	})
	k.spawn(table{"_start": func(c *kernel.Context) error { // so that it is deeper, and ends first
		var err error
		gone, err = c.Spawn(nop, kernel.Alias("deep"))
		return err
	}})
	k.spawn(table{
		"_start": func(c *kernel.Context) error { must(c.Yield("busy")); return c.Yield("next") },
		"busy": func(c *kernel.Context) error {
			close(running)
			<-ended
			expect(t, "a post by ID to who ended", c.Post(gone, "late"), nil)
			expect(t, "a post by name to who ended", c.Post("deep", "late"), nil)
			_, err := c.Call(gone, "late")
			expect(t, "a call to who ended is ErrNoSession", errors.Is(err, kernel.ErrNoSession), true)
			return err
		},
		"next": k.noting("next"),
	})
	go func() { <-running; must(k.Signal("", "TERM")) }()
	k.run()
	k.wantNotes()
	expect(t, "failures that are the stop's doing", k.failed.Load(), 1)
	k.wantDrops(map[string]int{"late: receiver stopped": 2, "next: receiver stopped": 1})
}
