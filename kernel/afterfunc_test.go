package kernel_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/session"
)

// TestAfterFunc_InOrderOfTime: functions and timers share one order, and what was
// stopped in time does not come.
func TestAfterFunc_InOrderOfTime(t *testing.T) {
	kerneltest.Seeds(t, 5, func(t *testing.T, seed uint64) {
		k := kerneltest.New(t, kerneltest.Seed(seed))
		var got []string
		say := func(what string) func() {
			return func() { got = append(got, what+" at "+k.Now().Sub(kerneltest.Epoch).String()) }
		}
		k.Spawn(session.New(
			session.Handle("_start", func(c *kernel.Context) error {
				k.AfterFunc(2*time.Second, say("function"))
				stop := k.AfterFunc(time.Second, say("stopped"))
				late := k.AfterFunc(0, say("now"))
				c.Delay("timer", 3*time.Second)
				c.DelayAdd("stop", time.Second/2)
				c.State("stop", func(*kernel.Context) error {
					if !stop() || stop() {
						t.Error("stop does not say that it came in time, once")
					}
					if late() {
						t.Error("stop says that it came in time after the function ran")
					}
					return nil
				})
				return nil
			}),
			session.Handle("timer", func(c *kernel.Context) error { say("timer")(); return nil }),
		))
		kerneltest.Run(t, k)
		want := []string{"now at 0s", "function at 2s", "timer at 3s"}
		if len(got) != 3 || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

func TestAfterFunc_RealTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kernel.New(kernel.Config{Mode: kernel.Serial})
		began, release := time.Now(), k.Hold("waits")
		k.AfterFunc(time.Minute, release)
		if k.AfterFunc(time.Second, func() { t.Error("it was stopped") })() == false {
			t.Error("stop says that it came too late")
		}
		if err := k.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(began); d != time.Minute {
			t.Errorf("it took %v, want 1m", d)
		}
	})
}
