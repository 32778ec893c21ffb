package kernel_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

// Advance moves a simulated clock from timer to timer, never past its limit,
// never back, and runs nothing.
func TestAdvance(t *testing.T) {
	for n := range uint64(5) {
		k := boot(t, kernel.Simulated, seed(n))
		start := k.Now()
		at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
		a := k.spawn(table{
			"_start": func(c *kernel.Context) error {
				c.AlarmAdd("x", at(1))
				c.AlarmAdd("x", at(3))
				c.AlarmAdd("x", at(-1))
				return nil
			},
			"x": func(c *kernel.Context) error { k.note("%v", c.Now().Sub(start)); return nil },
		})
		steps := func() (n int) {
			for k.Step() {
				n++
			}
			return n
		}
		advance := func(limit int, due bool, stands int) {
			t.Helper()
			if got := k.Advance(at(limit)); got != due || !k.Now().Equal(at(stands)) {
				t.Errorf("Advance to %d: due %v at %v, want %v at %d", limit, got, k.Now().Sub(start), due, stands)
			}
		}
		advance(0, true, 0) // the alarm in the past
		expect(t, "events", steps(), 1)
		advance(0, false, 0)
		advance(2, true, 1)
		advance(2, true, 1) // it has not run yet
		expect(t, "events", steps(), 1)
		advance(2, false, 2)
		expect(t, "events", steps(), 0)
		advance(1, false, 2)
		advance(3, true, 3)
		expect(t, "events", steps(), 1)
		k.wantNotes("0s", "1s", "3s")
		if _, there := k.Resolve(a); there {
			t.Error("the session is still there after its last timer")
		}
		k.run()
	}
}

// Advance is for the clock that is ours.
func TestAdvance_PanicsInRealTime(t *testing.T) {
	for _, m := range []kernel.Mode{kernel.Parallel, kernel.Serial} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.HasPrefix(got, "kernel: Advance in "+m.String()+" mode") {
					t.Errorf("panic %q", got)
				}
			}()
			boot(t, m).Advance(time.Time{})
		}()
	}
}
