package main

import (
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/scheduler"
)

func init() {
	run := func(load func() (pids []*actor.PID, end func()), start func(*actor.PID, *probes) error) Runner {
		return func(ops int) (Sample, error) { return protoactorLatency(load, start, ops) }
	}
	latency.register(protoactor, map[string]Runner{
		"busy-post":     run(protoactorBusy, protoactorSends),
		"busy-timer":    run(protoactorBusy, protoactorTimers),
		"blocked-post":  run(protoactorBlocked, protoactorSends),
		"blocked-timer": run(protoactorBlocked, protoactorTimers),
	})
}

func protoactorSends(at *actor.PID, ps *probes) error {
	return ps.send(func(p *probe) error { root().Send(at, p); return nil })
}

func protoactorTimers(at *actor.PID, ps *probes) error {
	timers := scheduler.NewTimerScheduler(root())
	ps.set(func(d time.Duration, p *probe) { timers.SendOnce(d, at, p) })
	return nil
}

func protoactorLatency(load func() ([]*actor.PID, func()), start func(*actor.PID, *probes) error, ops int) (Sample, error) {
	ps := newProbes(ops)
	at := spawnFunc(func(ctx actor.Context) {
		if p, ok := ctx.Message().(*probe); ok {
			ps.handled(p)
		}
	})
	pids, end := load()
	s, err := ps.measure(func() error { return start(at, ps) })
	end()
	if err != nil {
		return s, err
	}
	return s, stopActors(append(pids, at)...)
}

func protoactorBusy() (pids []*actor.PID, end func()) {
	var over atomic.Bool
	for range busyMembers() {
		pids = append(pids, startActor(func(ctx actor.Context, t *token) {
			if !over.Load() {
				ctx.Send(ctx.Self(), t)
			}
		}))
	}
	return pids, func() { over.Store(true) }
}

func protoactorBlocked() (pids []*actor.PID, end func()) {
	over := make(chan struct{})
	for range blockedMembers {
		pids = append(pids, startActor(func(actor.Context, *token) { <-over }))
	}
	return pids, func() { close(over) }
}

// startActor spawns an actor and sends it a token.
func startActor(f func(actor.Context, *token)) *actor.PID {
	pid := spawnFunc(func(ctx actor.Context) {
		if t, ok := ctx.Message().(*token); ok {
			f(ctx, t)
		}
	})
	root().Send(pid, new(token))
	return pid
}
