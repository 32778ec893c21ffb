package main

import (
	"slices"

	"github.com/asynkron/protoactor-go/actor"
)

func protoactorRings(r rings, ops int) (Sample, error) {
	all := make([][]*actor.PID, r.rings)
	for i := range all {
		all[i] = actorRing(r.members)
	}
	ts := r.tokens(ops)
	s := measure(ops, func() {
		for i, t := range ts {
			root().Send(all[i][0], t)
		}
		waitFor(ts)
	})
	return s, stopActors(slices.Concat(all...)...)
}

func actorRing(members int) []*actor.PID {
	pids := make([]*actor.PID, members)
	for i := range pids {
		pids[i] = spawnFunc(func(ctx actor.Context) {
			if t, ok := ctx.Message().(*token); ok && t.step() {
				ctx.Send(pids[(i+1)%members], t)
			}
		})
	}
	return pids
}
