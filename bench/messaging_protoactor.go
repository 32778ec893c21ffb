package main

import (
	"log/slog"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

func init() {
	messaging.register(protoactor, map[string]Runner{
		"yield":     func(ops int) (Sample, error) { return protoactorRing(ops, 1, ops) },
		"flood":     func(ops int) (Sample, error) { return protoactorStream(ops, ops) },
		"window":    func(ops int) (Sample, error) { return protoactorStream(ops, windowSize) },
		"ping-pong": func(ops int) (Sample, error) { return protoactorRing(ops*2, 2, ops) },
		"ring":      func(ops int) (Sample, error) { return protoactorRing(ops, ringSize, ops) },
		"call":      protoactorCall,
		"spawn":     protoactorSpawn,
	})
}

// root spawns and sends. The actor system is one for all runs of a process and
// silent: left alone it logs its start to standard error.
var root = sync.OnceValue(func() *actor.RootContext {
	return actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.DiscardHandler)
	})).Root
})

// Messages beside *token.
type (
	protoactorStart  struct{}
	protoactorCredit struct{}
)

func spawnFunc(f actor.ReceiveFunc) *actor.PID {
	return root().Spawn(actor.PropsFromFunc(f))
}

// stopActors returns when all have stopped.
func stopActors(pids ...*actor.PID) error {
	stops := make([]*actor.Future, len(pids))
	for i, pid := range pids {
		stops[i] = root().StopFuture(pid)
	}
	for _, f := range stops {
		if err := f.Wait(); err != nil {
			return err
		}
	}
	return nil
}

// protoactorRing passes a token hops times round a ring of actors and counts
// that as ops operations. A ring of one is a yield.
func protoactorRing(hops, members, ops int) (Sample, error) {
	pids := make([]*actor.PID, members)
	for i := range pids {
		pids[i] = spawnFunc(func(ctx actor.Context) {
			if t, ok := ctx.Message().(*token); ok && t.step() {
				ctx.Send(pids[(i+1)%members], t)
			}
		})
	}
	t := newToken(hops)
	s := measure(ops, func() {
		root().Send(pids[0], t)
		<-t.done
	})
	return s, stopActors(pids...)
}

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

func protoactorSpawn(ops int) (Sample, error) {
	pids := make([]*actor.PID, ops)
	var started sync.WaitGroup
	started.Add(ops)
	props := actor.PropsFromFunc(func(ctx actor.Context) {
		if _, ok := ctx.Message().(*actor.Started); ok {
			started.Done()
		}
	})
	s := measure(ops, func() {
		for i := range pids {
			pids[i] = root().Spawn(props)
		}
		started.Wait()
	})
	return s, stopActors(pids...)
}
