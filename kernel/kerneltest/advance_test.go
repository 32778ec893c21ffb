package kerneltest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
)

// Advance runs what comes due, with all that follows, and stops at its end.
func TestAdvance(t *testing.T) {
	kerneltest.Seeds(t, 5, func(t *testing.T, seed uint64) {
		k := kerneltest.New(t, kerneltest.Seed(seed))
		if !k.Now().Equal(kerneltest.Epoch) {
			t.Errorf("time begins at %v, want the Epoch", k.Now())
		}
		var got []string
		note := func(c *kernel.Context) {
			got = append(got, fmt.Sprint(c.Event(), c.Now().Sub(kerneltest.Epoch)))
		}
		spawn(t, k, handlers{
			"_start": func(c *kernel.Context) error {
				c.Delay("tick", time.Second, 3)
				c.Delay("late", 10*time.Second)
				return c.Yield("now")
			},
			"now": func(c *kernel.Context) error { note(c); return nil },
			"tick": func(c *kernel.Context) error {
				note(c)
				if n := c.Arg(0).(int); n > 1 {
					c.Delay("tick", time.Second, n-1)
				}
				return c.Yield("tock")
			},
			"tock": func(c *kernel.Context) error { note(c); c.Delay("soon", 0); return nil },
			"soon": func(c *kernel.Context) error { note(c); return nil },
			"late": func(c *kernel.Context) error { note(c); return nil },
		})
		for _, step := range []struct {
			d    time.Duration
			want string
		}{
			{0, "now0s"},
			{999 * time.Millisecond, ""},
			{time.Millisecond, "tick1s tock1s soon1s"},
			{0, ""},
			{1500 * time.Millisecond, "tick2s tock2s soon2s"},
			{7 * time.Second, "tick3s tock3s soon3s"},
			{time.Hour, "late10s"},
		} {
			before := k.Now()
			got = nil
			kerneltest.Advance(t, k, step.d)
			if s := strings.Join(got, " "); s != step.want || k.Now().Sub(before) != step.d {
				t.Errorf("Advance %v: %q in %v, want %q", step.d, s, k.Now().Sub(before), step.want)
			}
		}
		if n := len(k.Sessions()); n != 0 {
			t.Errorf("%d sessions after the last timer", n)
		}
	})
}

// A clock that nobody moves stands still, and Run moves it to the timers.
func TestAdvance_AndRun(t *testing.T) {
	k := kerneltest.New(t)
	var got []time.Duration
	spawn(t, k, handlers{
		"_start": func(c *kernel.Context) error { c.Delay("x", time.Minute); return c.AliasSet("stays") },
		"x":      func(c *kernel.Context) error { got = append(got, c.Now().Sub(kerneltest.Epoch)); return nil },
	})
	kerneltest.Advance(t, k, time.Second)
	kerneltest.Advance(t, k, 0)
	kerneltest.Run(t, k)
	if want := []time.Duration{time.Minute}; !slices.Equal(got, want) {
		t.Errorf("x at %v, want %v", got, want)
	}
	r := &recorder{TB: t}
	defer func() {
		if s := fmt.Sprint(recover()); !strings.Contains(s, "Advance by -1s") {
			t.Errorf("backwards: %v", s)
		}
	}()
	kerneltest.Advance(r, k, -time.Second)
}
