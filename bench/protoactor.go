package main

import (
	"log/slog"
	"sync"

	"github.com/asynkron/protoactor-go/actor"
)

// root spawns and sends. The actor system is one for all runs of a process and
// silent: left alone it logs its start to standard error.
var root = sync.OnceValue(func() *actor.RootContext {
	return actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.DiscardHandler)
	})).Root
})

// protoactorStart is the message that has an actor begin.
type protoactorStart struct{}

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
