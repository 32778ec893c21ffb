package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

func init() {
	pairClusters(protoactor, func(task clusterTask, secure bool) Ends {
		load := protoactorCallers(task.callers, secure)
		if task.callers == 0 {
			load = protoactorFlooder(secure)
		}
		return Ends{Server{Serve: protoactorNode(secure)}, load}
	})
}

// startRemote makes a node with what the library chooses, but for TLS. It replaces
// gRPC's logger.
func startRemote(secure bool) (*actor.ActorSystem, *remote.Remote) {
	system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.DiscardHandler)
	}))
	server, client := grpcCredentials(secure)
	r := remote.NewRemote(system, remote.Configure("127.0.0.1", 0,
		remote.WithServerOptions(grpc.Creds(server)), remote.WithDialOptions(grpc.WithTransportCredentials(client))))
	r.Start()
	return system, r
}

// protoactorAddress is what Serve says.
type protoactorAddress string

func (a protoactorAddress) String() string { return string(a) }

// protoactorNode is an actor of the name "echo". A question is a StringValue, an event a
// BytesValue, and who sends a BoolValue is told how many of these there were.
func protoactorNode(secure bool) func(func(fmt.Stringer)) error {
	return func(at func(fmt.Stringer)) error {
		system, _ := startRemote(secure)
		posts := uint64(0)
		_, err := system.Root.SpawnNamed(actor.PropsFromFunc(func(c actor.Context) {
			switch m := c.Message().(type) {
			case *wrapperspb.StringValue:
				c.Respond(wrapperspb.Bytes([]byte(m.Value)))
			case *wrapperspb.BytesValue:
				if len(m.Value) == len(clusterPayload) {
					posts++
				}
			case *wrapperspb.BoolValue:
				c.Respond(wrapperspb.UInt64(posts))
				posts = 0
			}
		}), "echo")
		if err != nil {
			return err
		}
		at(protoactorAddress(system.Address()))
		<-context.Background().Done()
		return nil
	}
}

// protoactorClient is the other node.
func protoactorClient(s *server, secure bool) (system *actor.ActorSystem, echo *actor.PID, stop func(), err error) {
	system, r := startRemote(secure)
	stop = func() { r.Shutdown(false) }
	echo = actor.NewPID(s.addr, "echo")
	if err = askProtoactor(system, echo); err != nil {
		stop()
	}
	return system, echo, stop, err
}

func askProtoactor(system *actor.ActorSystem, echo *actor.PID) error {
	got, err := system.Root.RequestFuture(echo, wrapperspb.String(string(clusterPayload)), clusterPatience).Result()
	if err != nil {
		return err
	}
	answer, ok := got.(*wrapperspb.BytesValue)
	if !ok {
		return fmt.Errorf("%w: the answer is a %T", errSample, got)
	}
	return checkClusterAnswer(answer.Value)
}

func protoactorCallers(n int, secure bool) Load {
	return func(s *server) (Runner, func(), error) {
		system, echo, stop, err := protoactorClient(s, secure)
		if err != nil {
			return nil, nil, err
		}
		return askers(s, n, func(int) error { return askProtoactor(system, echo) }), stop, nil
	}
}

// protoactorFlooder sends as much as there is: nothing tells it to wait.
func protoactorFlooder(secure bool) Load {
	return func(s *server) (Runner, func(), error) {
		system, echo, stop, err := protoactorClient(s, secure)
		if err != nil {
			return nil, nil, err
		}
		done := make(chan error, 1)
		handled := uint64(0)
		flooder := system.Root.Spawn(actor.PropsFromFunc(func(c actor.Context) {
			switch m := c.Message().(type) {
			case int:
				for range m {
					c.Send(echo, wrapperspb.Bytes(clusterPayload))
				}
				c.Request(echo, wrapperspb.Bool(true))
			case *wrapperspb.UInt64Value:
				handled = m.Value
				done <- nil
			}
		}))
		return func(ops int) (Sample, error) {
			sample, err := measureBoth(s, ops, func() error {
				system.Root.Send(flooder, ops)
				return within(done)
			})
			return sample, cmp.Or(err, checkHandled(handled, ops))
		}, stop, nil
	}
}
