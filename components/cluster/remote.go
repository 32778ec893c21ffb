package cluster

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"

	"github.com/usher-go/usher/components/cluster/wire"
)

// remoteTransport carries packets by the protocol of Proto.Actor's remote: a gRPC
// stream of its service from each node to each other, with its greeting, and batches
// for one actor, usherName. Who is let in is in remote_door.go, what a peer may send in
// remote_check.go, and the way to an address in remote_path.go and remote_run.go.
//
// The messages and the service are package remote's; what runs them is not. Its Start
// writes gRPC's logger, a variable of the process, while connections read it
// (server.go:61): a second node, or a client of etcd, is a data race. Besides, its
// writers sleep for two seconds after a failure, leak connections, and lose packets
// without a word, and its readers do to actors what strangers say.
//
// After each packet that is lost at this end Carrier.Broken is called, but for those
// that Drop and Close throw away.
type remoteTransport struct {
	cfg     remoteConfig
	carrier Carrier
	server  *grpc.Server
	door    *remoteDoor
	address string
	gate    remoteGate // Sends, and calls of the Carrier
	turns   remoteTurns

	mu    sync.Mutex
	state remoteState
	paths map[string]*remotePath
	runs  sync.WaitGroup
}

type remoteState int

const (
	remoteNew remoteState = iota
	remoteRunning
	remoteEnded
)

var (
	_ Transport = (*remoteTransport)(nil)
	_ puller    = (*remoteTransport)(nil)
)

// usherName is the actor that packets are for. There is no other.
const usherName = "usher"

// newRemote checks a configuration. Errors are ErrConfig.
func newRemote(cfg remoteConfig) (*remoteTransport, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	return &remoteTransport{cfg: cfg, paths: make(map[string]*remotePath)}, nil
}

// Start listens. It may block for as long as ctx allows to look a host name up.
func (t *remoteTransport) Start(ctx context.Context, c Carrier) (string, error) {
	at, err := t.cfg.resolve(ctx)
	if err != nil {
		return "", err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.state != remoteNew {
		return "", errors.New("the transport was started or closed before; make another")
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", at)
	if err != nil {
		return "", fmt.Errorf("Config.Listen %q: %w; choose another address", t.cfg.Listen, err)
	}
	t.carrier = c
	t.address = t.cfg.advertised(l.Addr())
	t.door = newRemoteDoor(t.cfg.server, t.refused)
	t.server = grpc.NewServer(t.serverOptions()...)
	remote.RegisterRemotingServer(t.server, remoteServer{t: t})
	t.state = remoteRunning
	go func() { _ = t.server.Serve(l) }() // until Close
	return t.address, nil
}

// Send queues a packet for the goroutine that writes to the address. While the address
// rests after a failure the packet is thrown away.
func (t *remoteTransport) Send(address string, p *wire.Packet) {
	if !t.gate.enter() {
		return
	}
	defer t.gate.leave()
	for !t.path(address, true).send(remoteItem{packet: p}) {
	}
}

// Pull queues for the same goroutine that it is to fetch packets.
func (t *remoteTransport) Pull(address string, next func() *wire.Packet) {
	if !t.gate.enter() {
		return
	}
	defer t.gate.leave()
	for !t.path(address, true).send(remoteItem{next: next}) {
	}
}

// Drop ends what there is to an address and forgets it. The Carrier is told nothing.
func (t *remoteTransport) Drop(address string) {
	if !t.gate.enter() {
		return
	}
	defer t.gate.leave()
	if p := t.path(address, false); p != nil {
		p.drop()
	}
}

// Wake ends an address's rest after a failure. The Carrier is told nothing.
func (t *remoteTransport) Wake(address string) {
	if !t.gate.enter() {
		return
	}
	defer t.gate.leave()
	if p := t.path(address, false); p != nil {
		p.wake()
	}
}

// Close sends what is queued for nodes that are connected and take it at once, ends
// all connections and stops the server. It blocks for half a second at most. It must
// not be called by a method of the Carrier, for which it waits.
func (t *remoteTransport) Close() error {
	t.gate.close()
	t.mu.Lock()
	was, paths := t.state, slices.Collect(maps.Values(t.paths))
	t.state = remoteEnded
	t.mu.Unlock()
	if was != remoteRunning {
		return nil
	}
	for _, p := range paths {
		p.finish()
	}
	drop := func() {
		for _, p := range paths {
			p.drop()
		}
	}
	late := time.AfterFunc(remoteFlush, drop)
	t.runs.Wait()
	late.Stop()
	drop() // what rests
	t.door.close()
	t.server.Stop() // waits for its handlers
	return nil
}

// path finds an address's, or makes it if it is wanted.
func (t *remoteTransport) path(address string, wanted bool) *remotePath {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.paths[address]
	if p == nil && wanted {
		p = &remotePath{t: t, address: address}
		t.paths[address] = p
	}
	return p
}

// forget takes a path out that nothing is left of.
func (t *remoteTransport) forget(p *remotePath) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.paths[p.address] == p {
		delete(t.paths, p.address)
	}
}

// refused reports a peer to the node.
func (t *remoteTransport) refused(peer string, err error) {
	if t.gate.enter() {
		defer t.gate.leave()
		t.carrier.Refused(peer, fmt.Errorf("%w: %w", ErrRefused, err))
	}
}
