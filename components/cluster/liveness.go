package cluster

import (
	"fmt"
	"time"

	"github.com/usher-go/usher/components/cluster/wire"
	"github.com/usher-go/usher/kernel"
)

// A node counts as up while it answers pings, or acknowledges events: signs that both
// directions work. That its packets arrive is none.

// beat is the node's heartbeat.
func (n *Node) beat() {
	if n.left.Load() {
		return
	}
	for _, p := range n.list() {
		p.beat()
	}
	n.sayAliases()
	n.keys.tick()
	if n.keys.lanes.drained() {
		n.tellWatchers(Change{Node: ownerNode, State: Up, Drained: true})
	}
	n.after(n.cfg.Heartbeat/2, n.beat)
}

func (p *peer) beat() {
	cfg, now := &p.n.cfg, p.n.k.Now()
	p.mu.Lock()
	if p.state == Left {
		p.mu.Unlock()
		return
	}
	if p.silentTooLong(now) {
		p.mu.Unlock()
		p.gone(Lost)
		return
	}
	if now.Sub(p.asked) >= cfg.Heartbeat {
		p.ping()
	}
	if p.out.stalled(now, cfg.Heartbeat) && now.Sub(p.heard) < 2*cfg.Heartbeat {
		p.again()
	}
	p.repump()
	p.mu.Unlock()
}

func (p *peer) silentTooLong(now time.Time) bool {
	return (p.state == Up || p.state == Connecting) && now.Sub(p.heard) >= p.n.cfg.LostAfter
}

// overdue loses the other node before a packet of it is looked at, if it is silent for
// too long and this node has not noticed, because it was paused itself.
func (p *peer) overdue() {
	p.mu.Lock()
	late := p.state == Up && p.silentTooLong(p.n.k.Now())
	p.mu.Unlock()
	if late {
		p.gone(Lost)
	}
}

// ping asks for a sign of life.
func (p *peer) ping() {
	if p.state == Left {
		return
	}
	p.asked = p.n.k.Now()
	packet := p.packet()
	packet.Ping = uint64(p.asked.UnixNano())
	p.transmit(packet)
}

// alive notes a sign that both directions work; true when it is the first one.
func (p *peer) alive(now time.Time) bool {
	p.heard = now
	p.trouble = "" // a connection alone shows little: who is refused behind it has one each time
	if p.state == Up || p.state == Left {
		return false
	}
	p.state, p.since = Up, now
	if p.forgot {
		p.forgot = false
		p.tellLocked(msgForgot)
	}
	p.n.introduce(p)
	return true
}

// gone ends everything that depends on the other node, which is lost or has left.
func (p *peer) gone(s State) {
	now := p.n.k.Now()
	p.mu.Lock()
	if p.state == s || p.state == Left {
		p.mu.Unlock()
		return
	}
	was := p.state
	silent := now.Sub(p.heard)
	p.state, p.since = s, now
	p.forgot = p.forgot || was == Up
	p.closing.Store(true)
	ended, calls := p.end(fmt.Errorf("%w: %s is %v%s", kernel.ErrNoNode, p.name, s, p.because()))
	epoch, address := p.epoch, p.address
	p.mu.Unlock()
	if !p.n.left.Load() { // else Close follows, which sends the last words
		p.n.transport.Drop(address)
	}
	p.after(ended, calls)
	p.n.tellWatchers(Change{Node: p.name, State: s, Epoch: epoch, Silent: silent})
	p.n.keys.reach(p.name, false)
}

// rejoin begins anew with a node that the directory has again.
func (p *peer) rejoin() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state == Left {
		p.state, p.since = Connecting, p.n.k.Now()
		p.heard, p.asked = p.since, time.Time{}
	}
}

// restarted ends everything that depended on the other node's earlier start, if it has
// one that is known. A directory may know of the new one before a packet of it comes: what
// is posted from then on is for the new one.
func (p *peer) restarted(epoch uint64) {
	p.mu.Lock()
	if p.epoch == 0 || epoch <= p.epoch {
		p.mu.Unlock()
		return
	}
	was := p.state
	p.state, p.since, p.forgot = Connecting, p.n.k.Now(), false
	p.heard, p.asked = p.since, time.Time{}
	ended, calls := p.end(fmt.Errorf("%w: %s was started anew", kernel.ErrNoNode, p.name))
	old := p.epoch
	p.epoch = epoch
	clear(p.topics)
	p.kinds = nil
	p.aliases = nil
	p.mu.Unlock()
	p.after(ended, calls)
	p.n.keys.reach(p.name, false)
	if was != Lost && was != Left {
		p.n.tellWatchers(Change{Node: p.name, State: Lost, Epoch: old})
	}
}

// end gives up what waits: events and calls.
func (p *peer) end(why error) ([]outcome, []*call) {
	p.settled, p.full = 0, false
	ended := p.out.end(why, p.n.lastLink.Add(1))
	for _, o := range ended {
		if o.err == ErrUnknownOutcome {
			p.counts.Unknown++
		}
	}
	var calls []*call
	for id, c := range p.calls {
		calls = append(calls, c)
		delete(p.calls, id)
	}
	return ended, calls
}

// after tells those whom it concerns.
func (p *peer) after(ended []outcome, calls []*call) {
	p.finish(ended)
	for _, c := range calls {
		c.end(nil, &NodeError{Node: p.name, Text: "the node was lost before it answered", Err: ErrUnknownOutcome})
	}
	p.n.pledges.lost(p.name)
	p.kept.drop()
}

// farewell says that this node leaves, and what it has taken. The other one may have
// heard of it before this one of the other.
func (p *peer) farewell() {
	p.recv.Lock() // a packet whose events are just being delivered is to be acknowledged
	defer p.recv.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state != Left {
		packet := p.packet()
		packet.Leaving = true
		p.transmit(packet)
	}
}

// sendDirectory is Host.Send.
func (p *peer) sendDirectory(message []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state == Left {
		return kernel.ErrNoNode
	}
	packet := &wire.Packet{Node: p.n.cfg.Name, Epoch: p.n.epoch, To: p.name, ToEpoch: p.epoch, Directory: message}
	p.transmit(packet)
	return nil
}
