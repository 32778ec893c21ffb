package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	grpcpeer "google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/usher-go/usher/components/cluster/wire"
)

// remoteServer is the service that peers call. ListProcesses and
// GetProcessDiagnostics are not implemented.
type remoteServer struct {
	remote.UnimplementedRemotingServer
	t *remoteTransport
}

var _ remote.RemotingServer = remoteServer{}

// remoteFault is what a peer has done wrong: it is reported, and ends the stream.
type remoteFault struct {
	code  codes.Code
	cause error
}

func (f remoteFault) Error() string { return f.cause.Error() }
func (f remoteFault) Unwrap() error { return f.cause }

func fault(cause error) error { return remoteFault{codes.InvalidArgument, cause} }

// guardStream is around every stream: gRPC does not recover.
func (t *remoteTransport) guardStream(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = remoteFault{codes.Internal, fmt.Errorf("panic: %v\n%s", p, debug.Stack())}
		}
		err = t.report(stream.Context(), err)
	}()
	return handler(srv, stream)
}

// guardCall is around every other method.
func (t *remoteTransport) guardCall(ctx context.Context, _ any, info *grpc.UnaryServerInfo, _ grpc.UnaryHandler) (any, error) {
	return nil, t.report(ctx, remoteFault{codes.Unimplemented, fmt.Errorf("%s is not implemented", info.FullMethod)})
}

// report tells the node of a fault, and makes it the peer's status.
func (t *remoteTransport) report(ctx context.Context, err error) error {
	var f remoteFault
	if !errors.As(err, &f) {
		return err
	}
	var who []string
	if p, ok := grpcpeer.FromContext(ctx); ok {
		who = append(who, p.Addr.String())
	}
	names, _ := provenNames(ctx)
	t.refused(strings.Join(append(who, names...), " "), f.cause)
	if f.code == codes.Internal {
		return status.Error(f.code, "panic")
	}
	return status.Error(f.code, "refused: "+f.Error())
}

// Receive hands packets to the node until the peer ends the stream. It runs on the
// stream's goroutine, which reads on when the node has taken a packet: a fast peer
// waits, and no queue grows.
func (s remoteServer) Receive(stream remote.Remoting_ReceiveServer) error {
	from, err := provenNames(stream.Context())
	if err != nil {
		return remoteFault{codes.Unauthenticated, err}
	}
	next, err := receive(stream, nil)
	if err != nil {
		return err
	}
	m := next.message
	if err := checkGreeting(m.GetConnectRequest()); err != nil {
		return fault(err)
	}
	turn := s.t.turns.take(m.GetConnectRequest().GetServerConnection().Address)
	defer s.t.turns.leave(turn)
	if err := stream.Send(&remote.RemoteMessage{MessageType: &remote.RemoteMessage_ConnectResponse{
		ConnectResponse: &remote.ConnectResponse{MemberId: s.t.address},
	}}); err != nil {
		return err
	}
	for head := newRemoteHead(s.t.address); ; {
		next, err := receive(stream, head)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if next.packet != nil {
			s.t.deliver(turn, next.packet, from)
			continue
		}
		batch := next.message.GetMessageBatch()
		if err := checkBatch(batch, s.t.address); err != nil {
			return fault(err)
		}
		for _, e := range batch.Envelopes {
			p := new(wire.Packet)
			if err := proto.Unmarshal(e.MessageData, p); err != nil {
				return fault(err)
			}
			s.t.deliver(turn, p, from)
		}
	}
}

// receive returns the next message that is not too large, in any way.
func receive(stream grpc.ServerStream, head remoteHead) (*remoteIncoming, error) {
	next := &remoteIncoming{head: head}
	switch err := stream.RecvMsg(next); status.Code(err) {
	case codes.OK:
	case codes.Canceled, codes.DeadlineExceeded, codes.Unavailable: // nobody's fault
		return nil, err
	default:
		if errors.Is(err, io.EOF) {
			return nil, err
		}
		return nil, remoteFault{status.Code(err), err}
	}
	if next.err != nil {
		return nil, fault(next.err)
	}
	return next, nil
}

func (t *remoteTransport) deliver(turn *remoteTurn, p *wire.Packet, from []string) {
	if !t.gate.enter() {
		return
	}
	defer t.gate.leave()
	turn.Lock()
	defer turn.Unlock()
	t.carrier.Receive(p, from)
}

// remoteTurns makes packets of one address come one after the other: for a moment
// there may be an old stream of it and a new one.
type remoteTurns struct {
	mu     sync.Mutex
	active map[string]*remoteTurn
}

type remoteTurn struct {
	sync.Mutex
	address string
	streams int
}

func (s *remoteTurns) take(address string) *remoteTurn {
	s.mu.Lock()
	defer s.mu.Unlock()
	turn := s.active[address]
	if turn == nil {
		turn = &remoteTurn{address: address}
		if s.active == nil {
			s.active = make(map[string]*remoteTurn)
		}
		s.active[address] = turn
	}
	turn.streams++
	return turn
}

func (s *remoteTurns) leave(turn *remoteTurn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if turn.streams--; turn.streams == 0 {
		delete(s.active, turn.address)
	}
}
