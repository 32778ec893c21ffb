package main

import (
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

func init() {
	messaging.register(protoactor, map[string]Runner{
		"flood":   func(ops int) (Sample, error) { return protoactorStream(ops, ops) },
		"window":  func(ops int) (Sample, error) { return protoactorStream(ops, windowSize) },
		"call":    protoactorCall,
		"fan-out": protoactorFanOut,
		"spawn":   func(ops int) (Sample, error) { return protoactorSpawn(measure, ops) },
	})
}

// protoactorCredit is the message that has a sender go on.
type protoactorCredit struct{}

// protoactorStream sends ops messages from one actor to another, window of
// them under way at most. A window as wide as the run is a flood.
func protoactorStream(ops, window int) (Sample, error) {
	var sender, receiver *actor.PID
	half := max(1, window/2)
	t, credit := newToken(ops), new(protoactorCredit)
	receiver = spawnFunc(func(ctx actor.Context) {
		if t, ok := ctx.Message().(*token); ok && t.step() && (ops-t.left)%half == 0 {
			ctx.Send(sender, credit)
		}
	})
	left := ops
	sender = spawnFunc(func(ctx actor.Context) {
		n := 0
		switch ctx.Message().(type) {
		case *protoactorStart:
			n = window
		case *protoactorCredit:
			n = half
		}
		n = min(n, left)
		left -= n
		for range n {
			ctx.Send(receiver, t)
		}
	})
	s := measure(ops, func() {
		root().Send(sender, new(protoactorStart))
		<-t.done
	})
	return s, stopActors(sender, receiver)
}

func protoactorCall(ops int) (Sample, error) {
	event := new(token)
	answerer := spawnFunc(func(ctx actor.Context) {
		if _, ok := ctx.Message().(*token); ok {
			ctx.Respond(event)
		}
	})
	done := make(chan error, 1)
	asker := spawnFunc(func(ctx actor.Context) {
		if _, ok := ctx.Message().(*protoactorStart); !ok {
			return
		}
		for range ops {
			if _, err := ctx.RequestFuture(answerer, event, time.Minute).Result(); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	})
	var err error
	s := measure(ops, func() {
		root().Send(asker, new(protoactorStart))
		err = <-done
	})
	if err != nil {
		return s, err
	}
	return s, stopActors(asker, answerer)
}

func protoactorFanOut(ops int) (Sample, error) {
	ts := rings{rings: fanSize, hops: 1}.tokens(ops)
	pids := make([]*actor.PID, len(ts), len(ts)+1)
	for i := range pids {
		pids[i] = spawnFunc(func(ctx actor.Context) {
			if t, ok := ctx.Message().(*token); ok {
				t.step()
			}
		})
	}
	sender := spawnFunc(func(ctx actor.Context) {
		if _, ok := ctx.Message().(*protoactorStart); ok {
			for i := range ops {
				ctx.Send(pids[i%len(pids)], ts[i%len(ts)])
			}
		}
	})
	s := measure(ops, func() {
		root().Send(sender, new(protoactorStart))
		waitFor(ts)
	})
	return s, stopActors(append(pids, sender)...)
}

func protoactorSpawn(measure meter, ops int) (Sample, error) {
	pids := make([]*actor.PID, ops)
	var started, stopped sync.WaitGroup
	started.Add(ops)
	stopped.Add(ops)
	props := actor.PropsFromFunc(func(ctx actor.Context) {
		switch ctx.Message().(type) {
		case *actor.Started:
			started.Done()
		case *actor.Stopped:
			stopped.Done()
		}
	})
	s := measure(ops, func() {
		for i := range pids {
			pids[i] = root().Spawn(props)
		}
		started.Wait()
	})
	for _, pid := range pids {
		root().Stop(pid)
	}
	stopped.Wait()
	return s, nil
}
