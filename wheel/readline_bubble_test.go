package wheel_test

import (
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel"
)

// inBubbles runs a test in both modes with a clock that moves only when all wait.
func inBubbles(t *testing.T, f func(t *testing.T, k *kernel.Kernel)) {
	t.Helper()
	kernel.New(kernel.Config{}) // what all kernels share must not be made inside
	for _, mode := range []kernel.Mode{kernel.Parallel, kernel.Serial} {
		t.Run(mode.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f(t, kernel.New(kernel.Config{Mode: mode, Observer: strict(t)}))
			})
		})
	}
}

// PutIdle waits until no key was pressed for IdleTime, 2 s by default.
func TestW92_IdleTime(t *testing.T) {
	inBubbles(t, func(t *testing.T, k *kernel.Kernel) {
		near, u := lineTerminal(t)
		s := newConsole(t, near)
		s.begin = func(c *kernel.Context) error {
			put := s.on(c, 2, func(*kernel.Context) error { return s.rl.Put("news") })
			after := func(d time.Duration, lines ...string) {
				t.Helper()
				time.Sleep(d)
				synctest.Wait()
				if !slices.Equal(u.lines(), lines) {
					t.Errorf("the screen shows %q, want %q", u.lines(), lines)
				}
			}
			beside(t, func() {
				u.starts("a")
				time.Sleep(time.Second)
				put()
				after(900*time.Millisecond, "> a")
				u.types("b")
				after(1900*time.Millisecond, "> ab")
				after(200*time.Millisecond, "news", "> ab")
				put() // he is idle still
				after(0, "news", "news", "> ab")
				u.types(enter + ctrlD)
			})
			return s.rl.Get("> ")
		}
		run(t, k, s.session())
		s.want("line ab", "EOF", "closed nil")
	})
}

// A terminal that takes nothing: Put is refused at its limit, keys are not read when
// their echo finds no room, and Close does not wait.
func TestW92_G12_OutputIsBounded(t *testing.T) {
	inBubbles(t, func(t *testing.T, k *kernel.Kernel) {
		near, far := net.Pipe() // nobody reads from far
		s := newConsole(t, near)
		s.cfg.PutMode, s.cfg.MaxOutput = wheel.PutImmediate, 1000
		s.begin = func(c *kernel.Context) error {
			s.must(s.rl.Get("> "))
			taken := 0
			err := error(nil)
			for ; err == nil; err = s.rl.Put(strings.Repeat("x", 99)) {
				taken++
			}
			if !errors.Is(err, wheel.ErrOutputFull) || taken < 5 || taken > 11 {
				t.Errorf("after %d lines: %v", taken, err)
			}
			leave := s.on(c, 1, func(*kernel.Context) error { s.rl.Close(); return nil })
			typed := make(chan int, 1)
			go func() {
				n, _ := io.WriteString(far, strings.Repeat("a"+backspace, 1<<20))
				typed <- n
			}()
			beside(t, func() {
				synctest.Wait()
				leave()
				_ = far.Close()
				if n := <-typed; n > 16<<10 { // none, if the output was full before the first look
					t.Errorf("%d keys were read", n)
				}
			})
			return nil
		}
		run(t, k, s.session())
		s.want()
	})
}
