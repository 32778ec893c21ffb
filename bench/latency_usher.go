package main

import (
	"cmp"
	"sync/atomic"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

func init() {
	for peer, mode := range usherModes {
		run := func(load func(*usherKernel) (end func(), err error), start usherProbing) Runner {
			return func(ops int) (Sample, error) { return usherLatency(mode, load, start, ops) }
		}
		latency.register(peer, map[string]Runner{
			"busy-post":  run(usherBusy, usherPosts),
			"busy-timer": run(usherBusy, usherTimers),
		})
		if mode == kernel.Parallel {
			latency.register(peer, map[string]Runner{
				"blocked-post":  run(usherBlocked, usherPosts),
				"blocked-timer": run(usherBlocked, usherTimers),
			})
		}
	}
}

const (
	usherProbe  kernel.Event[*probe]  = "probe"
	usherProbes kernel.Event[*probes] = "probes"
)

// usherProbing has the session at an address get the probes.
type usherProbing func(u *usherKernel, at kernel.Address, ps *probes) error

func usherPosts(u *usherKernel, at kernel.Address, ps *probes) error {
	return ps.send(func(p *probe) error { return usherProbe.PostFrom(u.Kernel, at, p) })
}

func usherTimers(u *usherKernel, at kernel.Address, ps *probes) error {
	return usherProbes.PostFrom(u.Kernel, at, ps)
}

func usherLatency(mode kernel.Mode, load func(*usherKernel) (end func(), err error), start usherProbing, ops int) (Sample, error) {
	u := runKernel(kernel.Config{Mode: mode})
	ps := newProbes(ops)
	at := u.spawn(session.New(
		session.On(usherProbes, func(c *kernel.Context, ps *probes) error {
			ps.set(func(d time.Duration, p *probe) { usherProbe.DelayAdd(c, d, p) })
			return nil
		}),
		session.On(usherProbe, func(_ *kernel.Context, p *probe) error {
			ps.handled(p)
			return nil
		}),
	))
	end, err := load(u)
	if err != nil {
		return Sample{}, err
	}
	s, err := ps.measure(func() error { return start(u, at, ps) })
	end()
	return s, cmp.Or(err, u.stop())
}

func usherBusy(u *usherKernel) (end func(), err error) {
	var over atomic.Bool
	for range busyMembers() {
		at := u.spawn(session.New(session.Handle(usherPass, func(c *kernel.Context) error {
			if over.Load() {
				return nil
			}
			return usherPass.Yield(c, nil)
		})))
		if err := usherPass.PostFrom(u.Kernel, at, nil); err != nil {
			return nil, err
		}
	}
	return func() { over.Store(true) }, nil
}

func usherBlocked(u *usherKernel) (end func(), err error) {
	over := make(chan struct{})
	for range blockedMembers {
		at := u.spawn(session.New(session.Handle(usherPass, func(*kernel.Context) error {
			<-over
			return nil
		})))
		if err := usherPass.PostFrom(u.Kernel, at, nil); err != nil {
			return nil, err
		}
	}
	return func() { close(over) }, nil
}
