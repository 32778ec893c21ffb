package main

import (
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

func init() {
	for peer, mode := range usherModes {
		timers.register(peer, map[string]Runner{
			"timer-set":         func(ops int) (Sample, error) { return usherTimerSet(mode, 0, ops) },
			"timer-set-many":    func(ops int) (Sample, error) { return usherTimerSet(mode, many, ops) },
			"timer-outstanding": func(ops int) (Sample, error) { return usherTimersKept(mode, ops) },
			"timer-fire":        func(ops int) (Sample, error) { return usherTimersFire(mode, ops) },
		})
	}
}

// usherTick is the event of a timer.
const usherTick = "tick"

func usherTimerSet(mode kernel.Mode, outstanding, ops int) (Sample, error) {
	return inHandler(mode, func(c *kernel.Context) (s Sample, err error) {
		for i := range outstanding {
			c.DelayAdd(usherTick, later(i))
		}
		defer c.AlarmClear(usherTick)
		s = measure(ops, func() {
			for i := range ops {
				if _, err = c.AlarmRemove(c.DelaySet(usherTick, later(i))); err != nil {
					return
				}
			}
		})
		return s, err
	})
}

func usherTimersKept(mode kernel.Mode, ops int) (Sample, error) {
	return inHandler(mode, func(c *kernel.Context) (Sample, error) {
		defer c.AlarmClear(usherTick)
		return measureKept(ops, func() {
			for i := range ops {
				c.DelayAdd(usherTick, later(i))
			}
		}), nil
	})
}

func usherTimersFire(mode kernel.Mode, ops int) (Sample, error) {
	u := runKernel(kernel.Config{Mode: mode})
	var v volley
	loaded := make(chan struct{})
	at := u.spawn(session.New(
		session.Handle(usherStart, func(c *kernel.Context) error {
			v.load(ops, func(d time.Duration) { c.DelayAdd(usherTick, d) }, func() { c.AlarmClear(usherTick) })
			close(loaded)
			return nil
		}),
		session.Handle(usherTick, func(*kernel.Context) error {
			v.fired()
			return nil
		}),
	))
	if err := usherStart.PostFrom(u.Kernel, at, nil); err != nil {
		return Sample{}, err
	}
	<-loaded
	s := v.fire(ops)
	return s, u.stop()
}
