package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/usher-go/usher/components/cluster/wire"
)

// remoteRun is one connection to a peer, from the first packet to its end, and what
// waits for it. It is two goroutines: one connects and writes, one waits for the end.
type remoteRun struct {
	path   *remotePath
	ctx    context.Context
	cancel context.CancelCauseFunc

	mu        sync.Mutex
	queue     []remoteItem
	connected bool
	last      bool          // nothing follows what is queued
	wake      chan struct{} // of one: there is something new
}

// remoteItem is a packet, or where there are some.
type remoteItem struct {
	packet *wire.Packet
	next   func() *wire.Packet
}

var (
	errNoAnswer = errors.New("no answer")
	errLeaving  = errors.New("the peer has ended the connection")
	errDropped  = errors.New("dropped")
)

func newRemoteRun(p *remotePath) *remoteRun {
	r := &remoteRun{path: p, wake: make(chan struct{}, 1)}
	r.ctx, r.cancel = context.WithCancelCause(context.Background())
	return r
}

func (r *remoteRun) push(p remoteItem) {
	r.mu.Lock()
	r.queue = append(r.queue, p)
	r.mu.Unlock()
	r.rouse()
}

// finish lets the run end when its queue is sent. It reports false if it is not
// connected.
func (r *remoteRun) finish() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last = true
	r.rouse()
	return r.connected
}

func (r *remoteRun) rouse() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// next waits for what there is to send; nothing is the end.
func (r *remoteRun) next() []remoteItem {
	for {
		r.mu.Lock()
		list, last := r.queue, r.last
		r.queue = nil
		r.mu.Unlock()
		if len(list) > 0 || last {
			return list
		}
		select {
		case <-r.wake:
		case <-r.ctx.Done():
			return nil
		}
	}
}

func (r *remoteRun) run() {
	defer r.path.t.runs.Done()
	err := r.exchange()
	if r.ctx.Err() != nil {
		err = context.Cause(r.ctx)
	}
	r.cancel(err)
	switch status.Code(err) {
	case codes.InvalidArgument, codes.PermissionDenied, codes.Unauthenticated, codes.Unimplemented:
		err = fmt.Errorf("%w: %w", ErrRefused, err)
	}
	r.path.ended(r, err)
}

// exchange returns when the connection has ended, and is closed.
func (r *remoteRun) exchange() error {
	// "passthrough": an address is never the name of one of gRPC's resolvers.
	cc, err := grpc.NewClient("passthrough:///"+r.path.address, r.path.t.dialOptions()...)
	if err != nil {
		return err
	}
	defer cc.Close()
	stream, err := r.greet(remote.NewRemotingClient(cc))
	if err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		// A peer has nothing more to say but that it leaves.
		_, err := stream.Recv()
		if err == nil || errors.Is(err, io.EOF) {
			err = errLeaving
		}
		r.cancel(err)
	}()
	if err := r.write(stream); err != nil && !errors.Is(err, io.EOF) { // of an EOF Recv knows more
		r.cancel(err)
	}
	_ = stream.CloseSend()
	<-ended // when the peer has taken everything, or the run is dropped
	return nil
}

// greet connects. A peer that accepts and says nothing is given up.
func (r *remoteRun) greet(c remote.RemotingClient) (remote.Remoting_ReceiveClient, error) {
	late := time.AfterFunc(remoteDialling, func() { r.cancel(fmt.Errorf("%w within %v", errNoAnswer, remoteDialling)) })
	defer late.Stop()
	stream, err := c.Receive(r.ctx)
	if err != nil {
		return nil, err
	}
	greeting := &remote.RemoteMessage{MessageType: &remote.RemoteMessage_ConnectRequest{ConnectRequest: &remote.ConnectRequest{
		ConnectionType: &remote.ConnectRequest_ServerConnection{ServerConnection: &remote.ServerConnection{Address: r.path.t.address}},
	}}}
	if err := stream.Send(greeting); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	answer, err := stream.Recv()
	if err != nil {
		return nil, err
	}
	if a := answer.GetConnectResponse(); a == nil || a.Blocked {
		return nil, fmt.Errorf("%w: the peer answers %v", ErrRefused, answer)
	}
	if !late.Stop() {
		return nil, context.Cause(r.ctx)
	}
	r.mu.Lock()
	r.connected = true
	r.mu.Unlock()
	r.path.connected(r)
	return stream, nil
}

// write sends packets until there are no more.
func (r *remoteRun) write(stream remote.Remoting_ReceiveClient) error {
	names, err := provenNames(stream.Context())
	if err != nil {
		return err
	}
	w := remoteWriter{stream: stream, path: r.path, names: names, next: remoteOutgoing{head: newRemoteHead(r.path.address)}}
	for list := r.next(); len(list) > 0; list = r.next() {
		for _, item := range list {
			if err := w.send(item); err != nil {
				return err
			}
		}
	}
	return nil
}

// remoteWriter sends packets. Proto.Actor's messages have batches, but nodes make
// packets of many events: more of them in one could pass the limit of its length, and be
// lost together.
type remoteWriter struct {
	stream remote.Remoting_ReceiveClient
	path   *remotePath
	names  []string // that the peer has proved; nil without TLS
	next   remoteOutgoing
	shared bool // the last packet that was fetched had several events
}

func (w *remoteWriter) send(item remoteItem) error {
	if item.next == nil {
		return w.sendPacket(item.packet)
	}
	if w.shared {
		runtime.Gosched() // whoever can run may have something for the same packet
	}
	for p := item.next(); p != nil; p = item.next() {
		w.shared = p.GetCount() > 1
		if err := w.sendPacket(p); err != nil {
			return err
		}
	}
	return nil
}

// sendPacket sends nothing to a peer whose certificate is not the receiver's: it is for
// the host that was dialled, where another node may listen.
func (w *remoteWriter) sendPacket(p *wire.Packet) error {
	if to := p.GetTo(); w.names != nil && to != "" && !slices.Contains(w.names, to) {
		return fmt.Errorf("%w: a packet for node %s, to %s, whose certificate is for %q; issue one that has the node's name, or correct the node's address", ErrRefused, to, w.path.address, w.names)
	}
	w.next.packet, w.next.size = p, proto.Size(p)
	if err := w.path.t.tooLarge(w.next.size); err != nil {
		w.path.lose(err)
		return nil
	}
	return w.stream.SendMsg(&w.next)
}
