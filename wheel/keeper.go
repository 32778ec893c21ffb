package wheel

import "github.com/asynkron/protoactor-go/actor"

// keeper is the Proto.Actor actor of a wheel that owns a listener or a process: a
// child of the session's actor, which it stops with. It runs beside the owner's
// turns, so that both functions guard what they touch.
type keeper struct {
	start func() // may be called again, after a restart
	stop  func()
}

var _ actor.Actor = (*keeper)(nil)

func (k *keeper) produce() actor.Actor { return k }

// Receive follows Proto.Actor's life cycle.
func (k *keeper) Receive(c actor.Context) {
	switch c.Message().(type) {
	case *actor.Started:
		k.start()
	case *actor.Stopping:
		k.stop()
	}
}
