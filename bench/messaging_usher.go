package main

import (
	"context"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

func init() {
	for peer, mode := range map[string]kernel.Mode{usher: kernel.Parallel, usherSerial: kernel.Serial} {
		messaging.register(peer, map[string]Runner{
			"yield":     func(ops int) (Sample, error) { return usherRing(mode, ops, 1, ops) },
			"flood":     func(ops int) (Sample, error) { return usherStream(mode, ops, ops) },
			"window":    func(ops int) (Sample, error) { return usherStream(mode, ops, windowSize) },
			"ping-pong": func(ops int) (Sample, error) { return usherRing(mode, ops*2, 2, ops) },
			"ring":      func(ops int) (Sample, error) { return usherRing(mode, ops, ringSize, ops) },
			"call":      func(ops int) (Sample, error) { return usherCall(mode, ops) },
			"spawn":     func(ops int) (Sample, error) { return usherSpawn(mode, ops) },
		})
	}
}

const (
	usherPass   kernel.Event[*token] = "pass"
	usherCredit kernel.Event[*token] = "credit"
	usherStart  kernel.Event[*token] = "start"
)

// usherKernel is a running kernel; stop ends it and returns what Run did.
type usherKernel struct {
	*kernel.Kernel
	release func()
	leases  []*kernel.Lease // a lease that nobody has is released
	end     chan error
}

func runKernel(mode kernel.Mode) *usherKernel {
	u := &usherKernel{Kernel: kernel.New(kernel.Config{Mode: mode}), end: make(chan error, 1)}
	u.release = u.Hold("bench")
	go func() { u.end <- u.Run(context.Background()) }()
	return u
}

func (u *usherKernel) spawn(states ...session.State) kernel.Address {
	l, err := u.SpawnHeld(session.New(states...))
	if err != nil {
		panic(err)
	}
	u.leases = append(u.leases, l)
	return l.Address()
}

func (u *usherKernel) stop() error {
	u.Stop()
	u.release()
	return <-u.end
}

// usherRing passes a token hops times round a ring of sessions and counts that
// as ops operations. A ring of one is a yield.
func usherRing(mode kernel.Mode, hops, members, ops int) (Sample, error) {
	u := runKernel(mode)
	at := make([]kernel.Address, members)
	for i := range at {
		at[i] = u.spawn(session.On(usherPass, func(c *kernel.Context, t *token) error {
			if !t.step() {
				return nil
			}
			return usherPass.Post(c, at[(i+1)%members], t)
		}))
	}
	t := newToken(hops)
	var err error
	s := measure(ops, func() {
		if err = usherPass.PostFrom(u.Kernel, at[0], t); err == nil {
			<-t.done
		}
	})
	if err != nil {
		return s, err
	}
	return s, u.stop()
}

// usherStream posts ops events from one session to another, window of them
// under way at most. A window as wide as the run is a flood.
func usherStream(mode kernel.Mode, ops, window int) (Sample, error) {
	u := runKernel(mode)
	var sender, receiver kernel.Address
	half := max(1, window/2)
	t := newToken(ops)
	receiver = u.spawn(session.On(usherPass, func(c *kernel.Context, t *token) error {
		if t.step() && (ops-t.left)%half == 0 {
			return usherCredit.Post(c, sender, t)
		}
		return nil
	}))
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
	sender = u.spawn(session.On(usherStart, send(window)), session.On(usherCredit, send(half)))
	var err error
	s := measure(ops, func() {
		if err = usherStart.PostFrom(u.Kernel, sender, t); err == nil {
			<-t.done
		}
	})
	if err != nil {
		return s, err
	}
	return s, u.stop()
}

func usherCall(mode kernel.Mode, ops int) (Sample, error) {
	u := runKernel(mode)
	answerer := u.spawn(session.On(usherPass, func(c *kernel.Context, t *token) error {
		c.Return(t)
		return nil
	}))
	done := make(chan error, 1)
	asker := u.spawn(session.On(usherStart, func(c *kernel.Context, t *token) error {
		for range ops {
			if _, err := usherPass.Call(c, answerer, t); err != nil {
				done <- err
				return nil
			}
		}
		done <- nil
		return nil
	}))
	t := newToken(ops)
	var err error
	s := measure(ops, func() {
		if err = usherStart.PostFrom(u.Kernel, asker, t); err == nil {
			err = <-done
		}
	})
	if err != nil {
		return s, err
	}
	return s, u.stop()
}

func usherSpawn(mode kernel.Mode, ops int) (Sample, error) {
	u := runKernel(mode)
	table := session.New(session.Handle("_start", func(*kernel.Context) error { return nil }))
	var s Sample
	done := make(chan error, 1)
	maker := u.spawn(session.On(usherStart, func(c *kernel.Context, _ *token) (err error) {
		s = measure(ops, func() { // its handler holds them all until it returns
			for range ops {
				if _, err = c.Spawn(table); err != nil {
					return
				}
			}
		})
		done <- err
		return err
	}))
	if err := usherStart.PostFrom(u.Kernel, maker, newToken(ops)); err != nil {
		return s, err
	}
	if err := <-done; err != nil {
		return s, err
	}
	return s, u.stop()
}
