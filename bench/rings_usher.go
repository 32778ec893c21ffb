package main

import (
	"cmp"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

func usherRings(peer string) func(r rings, ops int) (Sample, error) {
	return func(r rings, ops int) (Sample, error) {
		return kernelRings(kernel.Config{Mode: usherModes[peer]}, r, ops)
	}
}

func kernelRings(cfg kernel.Config, r rings, ops int) (Sample, error) {
	u := runKernel(cfg)
	first := make([]kernel.Address, r.rings)
	for i := range first {
		first[i] = u.ring(r.members)
	}
	ts := r.tokens(ops)
	var err error
	s := measure(ops, func() {
		for i, t := range ts {
			if err = usherPass.PostFrom(u.Kernel, first[i], t); err != nil {
				return
			}
		}
		waitFor(ts)
	})
	return s, cmp.Or(err, u.stop())
}

// ring spawns one ring and returns its first member.
func (u *usherKernel) ring(members int) kernel.Address {
	at := make([]kernel.Address, members)
	for i := range at {
		at[i] = u.spawn(session.New(session.On(usherPass, func(c *kernel.Context, t *token) error {
			if !t.step() {
				return nil
			}
			return usherPass.Post(c, at[(i+1)%members], t)
		})))
	}
	return at[0]
}
