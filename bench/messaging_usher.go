package main

import (
	"cmp"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

func init() {
	for peer, mode := range usherModes {
		messaging.register(peer, map[string]Runner{
			"flood":   func(ops int) (Sample, error) { return usherStream(mode, ops, ops) },
			"window":  func(ops int) (Sample, error) { return usherStream(mode, ops, windowSize) },
			"call":    func(ops int) (Sample, error) { return usherCall(mode, ops) },
			"fan-out": func(ops int) (Sample, error) { return usherFanOut(mode, ops) },
			"spawn":   func(ops int) (Sample, error) { return usherSpawn(mode, ops) },
		})
	}
}

// usherCredit is the event that has a sender go on.
const usherCredit kernel.Event[*token] = "credit"

// usherStream posts ops events from one session to another, window of them
// under way at most. A window as wide as the run is a flood.
func usherStream(mode kernel.Mode, ops, window int) (Sample, error) {
	u := runKernel(kernel.Config{Mode: mode})
	var sender, receiver kernel.Address
	half := max(1, window/2)
	t := newToken(ops)
	receiver = u.spawn(session.New(session.On(usherPass, func(c *kernel.Context, t *token) error {
		if t.step() && (ops-t.left)%half == 0 {
			return usherCredit.Post(c, sender, t)
		}
		return nil
	})))
	left := ops
	send := func(n int) func(*kernel.Context, *token) error {
		return func(c *kernel.Context, t *token) error {
			n := min(n, left)
			left -= n
			for range n {
				if err := usherPass.Post(c, receiver, t); err != nil {
					return err
				}
			}
			return nil
		}
	}
	sender = u.spawn(session.New(session.On(usherStart, send(window)), session.On(usherCredit, send(half))))
	var err error
	s := measure(ops, func() {
		if err = usherStart.PostFrom(u.Kernel, sender, t); err == nil {
			<-t.done
		}
	})
	return s, cmp.Or(err, u.stop())
}

func usherCall(mode kernel.Mode, ops int) (Sample, error) {
	return inHandler(mode, func(c *kernel.Context) (s Sample, err error) {
		answerer, err := c.Spawn(session.New(session.On(usherPass, func(c *kernel.Context, t *token) error {
			c.Return(t)
			return nil
		})))
		if err != nil {
			return s, err
		}
		event := new(token)
		s = measure(ops, func() {
			for range ops {
				if _, err = usherPass.Call(c, answerer, event); err != nil {
					return
				}
			}
		})
		return s, err
	})
}

func usherFanOut(mode kernel.Mode, ops int) (Sample, error) {
	u := runKernel(kernel.Config{Mode: mode})
	ts := rings{rings: fanSize, hops: 1}.tokens(ops)
	at := make([]kernel.Address, len(ts))
	for i := range at {
		at[i] = u.spawn(session.New(session.On(usherPass, func(_ *kernel.Context, t *token) error {
			t.step()
			return nil
		})))
	}
	sender := u.spawn(session.New(session.Handle(usherStart, func(c *kernel.Context) error {
		for i := range ops {
			if err := usherPass.Post(c, at[i%len(at)], ts[i%len(ts)]); err != nil {
				return err
			}
		}
		return nil
	})))
	var err error
	s := measure(ops, func() {
		if err = usherStart.PostFrom(u.Kernel, sender, nil); err == nil {
			waitFor(ts)
		}
	})
	return s, cmp.Or(err, u.stop())
}

func usherSpawn(mode kernel.Mode, ops int) (Sample, error) {
	table := session.New(session.Handle("_start", func(*kernel.Context) error { return nil }))
	return inHandler(mode, func(c *kernel.Context) (s Sample, err error) {
		s = measure(ops, func() { // this handler holds them all until it returns
			for range ops {
				if _, err = c.Spawn(table); err != nil {
					return
				}
			}
		})
		return s, err
	})
}
