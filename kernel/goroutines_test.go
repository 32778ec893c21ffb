package kernel_test

import (
	"strings"
	"testing"

	"github.com/usher-go/usher/kernel"
)

func waits(c <-chan struct{}) { <-c }

// With Debug, Goroutines lists what handlers started, and what that started,
// until it ends; nothing of other kernels, and nothing started outside handlers.
func TestGoroutines(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k, other := boot(t, m, debug), boot(t, m, debug)
		release, grandchild := make(chan struct{}), make(chan struct{})
		callee := k.service(table{"x": func(*kernel.Context) error { return nil }})
		k.spawn(table{
			"_start": func(c *kernel.Context) error { return c.Yield("go") },
			"go": func(c *kernel.Context) error {
				if _, err := c.Call(callee, "x"); err != nil {
					return err
				}
				go waits(release)
				go func() {
					go waits(release)
					close(grandchild)
					<-release
				}()
				return nil
			},
		})
		other.spawn(table{"_start": func(*kernel.Context) error { go waits(release); return nil }})
		must(k.Run(t.Context()))
		go waits(release)
		<-grandchild

		var list []string
		until(t, "all have begun", func() bool {
			list = k.Goroutines()
			return !strings.Contains(strings.Join(list, ""), "just been started")
		})
		for _, want := range []string{
			"goroutine of session #2: github.com/usher-go/usher/kernel_test.waits, now at kernel/goroutines_test.go:10, started at kernel/goroutines_test.go:",
			"goroutine of session #2: github.com/usher-go/usher/kernel_test.TestGoroutines.func1.",
		} {
			if !strings.Contains(strings.Join(list, "\n"), want) {
				t.Errorf("%q is missing in:\n%s", want, strings.Join(list, "\n"))
			}
		}
		expect(t, "how many", len(list), 3)
		if got := other.Goroutines(); len(got) != 1 || !strings.Contains(got[0], "session #1") {
			t.Errorf("of the other kernel: %q", got)
		}
		close(release)
		until(t, "they are gone", func() bool { return len(k.Goroutines())+len(other.Goroutines()) == 0 })
		other.Stop()
		must(other.Run(t.Context()))
	})
}
