package cluster

import (
	"context"
	"errors"
	"sync"

	"google.golang.org/protobuf/proto"

	"github.com/usher-go/usher/components/cluster/wire"
)

// pipes is a network of pipe transports, in memory, with goroutines.
type pipes struct {
	mu sync.Mutex
	at map[string]*pipe
}

// pipe is a transport of one node. Faults are decided by lose.
type pipe struct {
	net     *pipes
	address string
	carrier Carrier
	mu      sync.Mutex
	queue   []*wire.Packet
	wake    chan struct{}
	closed  chan struct{}
	over    sync.WaitGroup
	lose    func(*wire.Packet) bool // nil: nothing is lost
	isOff   bool
}

func (n *pipes) pipe(address string) *pipe {
	return &pipe{net: n, address: address, wake: make(chan struct{}, 1), closed: make(chan struct{})}
}

func (p *pipe) Start(_ context.Context, c Carrier) (string, error) {
	p.carrier = c
	p.net.mu.Lock()
	defer p.net.mu.Unlock()
	if p.net.at == nil {
		p.net.at = map[string]*pipe{}
	}
	if p.net.at[p.address] != nil {
		return "", errors.New("address in use")
	}
	p.net.at[p.address] = p
	p.over.Go(p.work)
	return p.address, nil
}

func (p *pipe) Send(address string, packet *wire.Packet) {
	p.net.mu.Lock()
	to := p.net.at[address]
	p.net.mu.Unlock()
	if to == nil || p.loses(packet) || to.isCut() {
		return
	}
	b, err := proto.Marshal(packet)
	if err != nil {
		return // as a connection that breaks each time
	}
	arrives := new(wire.Packet)
	if err := proto.Unmarshal(b, arrives); err != nil {
		panic(err)
	}
	to.mu.Lock()
	to.queue = append(to.queue, arrives)
	to.mu.Unlock()
	select {
	case to.wake <- struct{}{}:
	default:
	}
}

func (p *pipe) work() {
	for {
		select {
		case <-p.closed:
			return
		case <-p.wake:
		}
		p.mu.Lock()
		all := p.queue
		p.queue = nil
		p.mu.Unlock()
		for _, packet := range all {
			p.carrier.Receive(packet, nil)
		}
	}
}

// cut ends, or allows, all that goes to and from this node.
func (p *pipe) cut(off bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.isOff = off
}

func (p *pipe) isCut() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.isOff
}

// drop loses some of what the node sends.
func (p *pipe) drop(lose func(*wire.Packet) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lose = lose
}

func (p *pipe) loses(packet *wire.Packet) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.isOff || p.lose != nil && p.lose(packet)
}

func (p *pipe) Drop(string) {}

func (p *pipe) Close() error {
	p.net.mu.Lock()
	if p.net.at[p.address] == p {
		delete(p.net.at, p.address)
	}
	p.net.mu.Unlock()
	close(p.closed)
	p.over.Wait()
	return nil
}
