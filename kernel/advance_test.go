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

// Next tells of the first timer that is not due yet, and Skip passes timers by,
// which come late then, in order, and see the time that it is.
func TestNextAndSkip(t *testing.T) {
	for n := range uint64(5) {
		k := boot(t, kernel.Simulated, seed(n))
		start := k.Now()
		next := func(want int) {
			t.Helper()
			due, ok := k.Next()
			if got := int(due.Sub(start) / time.Second); ok != (want > 0) || ok && got != want {
				t.Errorf("Next: %v %v, want %d s", due, ok, want)
			}
		}
		next(0)
		k.spawn(table{
			"_start": func(c *kernel.Context) error {
				for _, s := range []int{5, 2, 9, 3} {
					c.DelayAdd("x", time.Duration(s)*time.Second, s)
				}
				return nil
			},
			"x": func(c *kernel.Context) error { k.note("%v at %v", c.Arg(0), c.Now().Sub(start)); return nil },
		})
		k.AfterFunc(4*time.Second, func() {})
		next(2)
		k.Skip(start.Add(3 * time.Second))
		next(4) // 2 and 3 wait for Step
		k.Skip(start.Add(time.Second))
		if got := k.Now().Sub(start); got != 3*time.Second {
			t.Errorf("after a Skip into the past it is %v, want 3s", got)
		}
		for k.Step() {
		}
		next(4)
		k.Skip(start.Add(8 * time.Second))
		next(9)
		for k.Step() {
		}
		k.Skip(start.Add(9 * time.Second))
		next(0)
		k.run()
		k.wantNotes("2 at 3s", "3 at 3s", "5 at 8s", "9 at 9s")
	}
}

// They are for the clock that is ours.
func TestAdvance_PanicsInRealTime(t *testing.T) {
	for name, call := range map[string]func(*kernel.Kernel){
		"Advance": func(k *kernel.Kernel) { k.Advance(time.Time{}) },
		"Next":    func(k *kernel.Kernel) { k.Next() },
		"Skip":    func(k *kernel.Kernel) { k.Skip(time.Time{}) },
	} {
		for _, m := range []kernel.Mode{kernel.Parallel, kernel.Serial} {
			func() {
				defer func() {
					if got := fmt.Sprint(recover()); !strings.HasPrefix(got, "kernel: "+name+" in "+m.String()+" mode") {
						t.Errorf("panic %q", got)
					}
				}()
				call(boot(t, m).Kernel)
			}()
		}
	}
}
