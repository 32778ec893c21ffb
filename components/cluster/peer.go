package cluster

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/usher-go/usher/components/cluster/wire"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel/filter"
)

// peer is another node, as this one sees it.
type peer struct {
	n    *Node
	name string

	mu      sync.Mutex // guards what follows; it may be taken with recv held, never the other way
	address string
	epoch   uint64 // which start of it is known; 0: none yet
	behind  uint64 // an earlier one that it still sends as, and that was reported
	state   State
	heard   time.Time // its last sign that both directions work …
	since   time.Time // … and when its state began
	asked   time.Time // the last ping
	rtt     time.Duration
	trouble string // why there was no connection, or none that served, since its last answer
	forgot  bool   // it has to hear that it was lost
	out     outlink
	settled uint64 // of out: acknowledgements up to this number have arrived
	acks    acks
	pulling bool // the transport is going to come for packets
	full    bool // somebody got ErrQueueFull and is to hear when that is over
	calls   map[uint64]*call
	counts  Counts
	aliases []string        // that it has said to have
	topics  map[string]bool // that it subscribes to
	kinds   []string        // that it runs sessions of

	recv      sync.Mutex // guards what follows: one packet's events at a time
	in        inlink
	inEpoch   uint64
	frames    *filter.EventFilter // read to the end; nil: to be made
	strangers strangers
	last      lastSender
	kept      kept
	streams   map[int]uint64 // of each shard, the last stream that was refused; see lanes

	received atomic.Uint64 // its events
	busy     atomic.Int64  // its calls that run here
	closing  atomic.Bool   // it was lost: its link is to be closed
}

func (n *Node) newPeer(m Member) *peer {
	now := n.k.Now()
	p := &peer{
		n: n, name: m.Name, address: m.Address, epoch: m.Epoch, state: Connecting, heard: now, since: now,
		calls: map[uint64]*call{}, topics: map[string]bool{}, streams: map[int]uint64{},
	}
	p.out.number = n.lastLink.Add(1)
	p.strangers.all = n.k.Strangers()
	return p
}

// post sends an event, or a message between nodes where to is empty. done, if there is
// one, is told once what became of it, unless post returns an error.
func (p *peer) post(to string, id uint64, o kernel.Outgoing, done func(error)) error {
	args, err := pack(o.Args)
	if err != nil {
		return err
	}
	f := filter.Frame{Name: o.Event, Args: args, ID: id, Cause: o.Cause, To: to, From: string(o.From)}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.room(); err != nil {
		return err
	}
	return p.append(f, waiting{o: o, done: done})
}

// room says why no event is accepted, nil if one is.
func (p *peer) room() error {
	switch {
	case p.n.left.Load():
		return ErrLeft
	case p.state == Lost:
		return fmt.Errorf("%w: %s was lost %v ago%s", kernel.ErrNoNode, p.name, p.n.k.Now().Sub(p.since).Round(time.Millisecond), p.because())
	case p.state == Left:
		return fmt.Errorf("%w: %s has left", kernel.ErrNoNode, p.name)
	case p.out.outstanding() >= p.n.cfg.MaxOutstanding, p.out.bytes >= p.n.cfg.MaxOutstandingBytes:
		p.full = true
		return fmt.Errorf("%w: %d events of %d bytes wait for %s (Config.MaxOutstanding, MaxOutstandingBytes)", kernel.ErrQueueFull, p.out.outstanding(), p.out.bytes, p.name)
	}
	return nil
}

// because is why the other node is out of reach, as far as known.
func (p *peer) because() string {
	if p.trouble == "" {
		return ""
	}
	return ": " + p.trouble
}

// append queues a frame, and sends it if it can be.
func (p *peer) append(f filter.Frame, w waiting) error {
	frames, err := p.n.writer.Append(p.out.buffer(), f)
	if err != nil {
		return encodingError(err)
	}
	p.out.push(w, frames)
	p.counts.Sent++
	p.pump()
	return nil
}

// tell sends a message between nodes, whatever waits already: there are few of them.
func (p *peer) tell(name string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tellLocked(name, args...)
}

func (p *peer) tellLocked(name string, args ...any) {
	if p.state == Lost || p.state == Left {
		return
	}
	if err := p.append(filter.Frame{Name: name, Args: args}, waiting{}); err != nil {
		p.n.k.Report("cluster", "message not sent", fmt.Errorf("%s to node %s: %w", name, p.name, err))
	}
}

// answer sends what became of a call.
func (p *peer) answer(a asking, f filter.Frame) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state == Lost || p.state == Left || p.epoch != a.epoch {
		return kernel.ErrNoNode
	}
	return p.append(f, waiting{})
}

func encodingError(err error) error {
	var long *filter.LimitError
	switch {
	case errors.As(err, &long):
		return fmt.Errorf("%w: an event of more than %d bytes; send less, or raise Config.MaxEvent on all nodes", ErrTooLarge, long.Limit)
	case errors.Is(err, filter.ErrNotEncodable):
		return fmt.Errorf("%w: %w", kernel.ErrNotEncodable, err)
	}
	return err
}

// pump sends what can be sent now, or has the transport come for it.
func (p *peer) pump() {
	if p.state != Up {
		return
	}
	if p.n.puller == nil {
		for packet := p.next(); packet != nil; packet = p.next() {
			p.transmit(packet)
		}
	} else if !p.pulling && (p.out.ready() || p.acks.urgent()) {
		p.pulling = true
		p.n.puller.Pull(p.address, p.pull)
	}
	if p.acks.due() && !p.pulling && !p.acks.armed {
		p.acks.armed = true
		p.n.after(ackAfter, p.acknowledge)
	}
}

// next is a packet that can be sent now; nil when there is none.
func (p *peer) next() *wire.Packet {
	if f, ok := p.out.cut(p.n.k.Now()); ok {
		return p.pack(f)
	}
	if p.acks.urgent() {
		return p.packet()
	}
	return nil
}

// pull is next for the transport.
func (p *peer) pull() *wire.Packet {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state == Up {
		if packet := p.next(); packet != nil {
			return packet
		}
	}
	p.pulling = false
	return nil
}

// repump is pump for when the transport may have forgotten to come.
func (p *peer) repump() {
	p.pulling = false
	p.pump()
}

// acknowledge sends what no other packet has taken along.
func (p *peer) acknowledge() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.acks.armed = false; p.acks.due() && p.state == Up {
		p.transmit(p.packet())
	}
}

// pack makes a packet of events, for the first time or again.
func (p *peer) pack(f flight) *wire.Packet {
	packet := p.packet()
	packet.Base, packet.First, packet.Count, packet.Frames = p.out.base, f.first, f.count, f.frames
	p.counts.Packets++
	return packet
}

// again sends what is on its way once more: some of it was lost.
func (p *peer) again() {
	if p.state != Up || p.out.paused {
		return
	}
	p.out.moved = p.n.k.Now()
	for _, f := range p.out.flight {
		p.counts.Again++
		p.transmit(p.pack(f))
	}
}

// packet begins one, with what is owed to the other node.
func (p *peer) packet() *wire.Packet {
	packet := &wire.Packet{Node: p.n.cfg.Name, Epoch: p.n.epoch, To: p.name, ToEpoch: p.epoch, Link: p.out.number, Settled: p.settled}
	p.acks.put(packet)
	return packet
}

func (p *peer) transmit(packet *wire.Packet) { p.n.transport.Send(p.address, packet) }

// finish does what outcomes ask for. It is called without locks.
func (p *peer) finish(outcomes []outcome) {
	for _, e := range outcomes {
		switch {
		case e.done != nil:
			e.done(e.err)
		case e.err != nil && e.o.To != "":
			p.n.lose(e.o, e.err)
		}
	}
}
