package cluster

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/usher-go/usher/components/cluster/wire"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel/filter"
)

var _ Carrier = (*Node)(nil)

// Receive is for the Transport.
func (n *Node) Receive(packet *wire.Packet, from []string) {
	if n.left.Load() || !n.ready.Load() {
		return
	}
	p := n.peer(packet.GetNode())
	switch {
	case packet.GetTo() != n.cfg.Name:
		n.refuse(packet, "is for node %.64q; do two nodes share an address?", packet.GetTo())
	case from != nil && !slices.Contains(from, packet.GetNode()):
		n.refuse(packet, "comes with a certificate for %q; issue one that has the node's name", from)
	case p == nil:
		n.refuse(packet, "comes from no node that the directory has")
	default:
		p.receive(packet)
	}
}

func (n *Node) refuse(packet *wire.Packet, format string, args ...any) {
	n.k.Report("cluster", "packet refused", fmt.Errorf("a packet of node %.64q %s", packet.GetNode(), fmt.Sprintf(format, args...)))
}

// Connected is for the Transport.
func (n *Node) Connected(address string) {
	for _, p := range n.peersAt(address) {
		p.mu.Lock()
		p.out.missed = 0 // what was sent again may be lost as well
		p.ping()
		p.repump()
		p.mu.Unlock()
	}
}

// Broken is for the Transport.
func (n *Node) Broken(address string, err error) {
	why := "it does not say why"
	if err != nil {
		why = errorText(err)
	}
	for _, p := range n.peersAt(address) {
		p.mu.Lock()
		p.asked = time.Time{} // ask at once when there is a connection
		fresh := p.trouble != why
		p.trouble = why
		p.mu.Unlock()
		if fresh && errors.Is(err, ErrRefused) { // it will not go away by itself
			n.k.Report("cluster", "link refused", fmt.Errorf("node %s: %w", p.name, err))
		}
	}
}

// Refused is for the Transport.
func (n *Node) Refused(peer string, err error) {
	n.refusals.Add(1)
	n.k.Report("cluster", "peer refused", fmt.Errorf("%s: %w", peer, err))
}

// receive takes a packet from the other node.
func (p *peer) receive(packet *wire.Packet) {
	p.recv.Lock()
	defer p.recv.Unlock()
	p.n.outdated(packet)
	p.overdue()
	if !p.meet(packet) {
		return
	}
	if packet.GetToEpoch() == p.n.epoch {
		if p.in.settle(packet.GetLink(), packet.GetSettled()) {
			p.mu.Lock()
			p.acks.refused = p.in.ack().refused
			p.mu.Unlock()
		}
		if packet.GetCount() > 0 {
			p.takeEvents(packet)
		}
	}
	if d := packet.GetDirectory(); len(d) > 0 {
		p.n.membership.Receive(p.name, d)
	}
	if packet.GetLeaving() {
		p.gone(Left)
	}
}

// began is when a start was, by its node's clock.
func began(epoch uint64) string {
	return time.Unix(0, int64(epoch)).UTC().Format(time.RFC3339Nano)
}

// outdated reports that others know a later start of this node, and take no packets of
// this one.
func (n *Node) outdated(packet *wire.Packet) {
	if later := packet.GetToEpoch(); later > n.epoch && n.later.Swap(later) != later {
		n.k.Report("cluster", "another start", fmt.Errorf("node %s knows a start of node %s of %v, and this one is of %v; if the clock was set back, start again when it is right; if there are two nodes of that name, end one",
			packet.GetNode(), n.cfg.Name, began(later), began(n.epoch)))
	}
}

// meet takes what a packet says of the other node and of this one's own events. It
// reports false for a packet of an earlier start.
func (p *peer) meet(packet *wire.Packet) bool {
	p.restarted(packet.GetEpoch())
	now := p.n.k.Now()
	p.mu.Lock()
	if packet.GetEpoch() < p.epoch {
		last, behind := p.epoch, p.state == Lost && p.behind != packet.GetEpoch()
		if behind {
			p.behind = packet.GetEpoch()
		}
		p.mu.Unlock()
		if behind {
			p.n.refuse(packet, "comes from a start of %v, and there was one of %v; if its clock was set back, start it again when that is right",
				began(packet.GetEpoch()), began(last))
		}
		return false
	}
	var ended []outcome
	up := false
	p.epoch = packet.GetEpoch()
	fresh := p.inEpoch != p.epoch
	if fresh {
		p.inEpoch, p.in = p.epoch, inlink{}
		clear(p.streams)
		p.acks.ack, p.acks.owed = ack{}, 0
	}
	if p.state != Up && p.n.waker != nil {
		p.n.waker.Wake(p.address) // it is there, and needs answers, such as of acceptors
	}
	mine := packet.GetToEpoch() == p.n.epoch
	if mine && packet.GetAckLink() == p.out.number {
		ended = p.acknowledged(packet, now)
	}
	if ping := packet.GetPing(); ping != 0 {
		reply := p.packet()
		reply.Pong = ping
		p.transmit(reply)
	}
	if pong := packet.GetPong(); pong != 0 && mine {
		p.rtt = max(0, now.Sub(time.Unix(0, int64(pong)))) // a clock may have been set back
		up = p.alive(now)
	}
	p.pump()
	p.mu.Unlock()
	if fresh {
		p.kept.drop() // what an earlier start's last events asked for, after restarted
	}
	p.finish(ended)
	if up {
		p.n.tellWatchers(p.change())
		p.offered()
	}
	return true
}

// acknowledged is what the other node says of this one's events.
func (p *peer) acknowledged(packet *wire.Packet, now time.Time) []outcome {
	before := p.out.acked
	ended := p.out.ack(packet.GetAckLink(), packet.GetAck(), packet.GetRefused(), p.name, now)
	p.settled = p.out.acked
	if p.out.acked > before && p.state == Up {
		p.heard = now
	}
	for _, r := range packet.GetRefused() {
		if n := r.GetNumber(); n > before && n <= p.out.acked {
			p.counts.Refused++
			p.acks.again = true // to tell that it is settled
		}
	}
	p.out.paused = packet.GetPause()
	switch {
	case packet.GetGap() && packet.GetAck() < before: // it has forgotten what it had taken
		ended = append(ended, p.out.end(fmt.Errorf("%w: %s has forgotten the link", kernel.ErrNoNode, p.name), p.n.lastLink.Add(1))...)
	case packet.GetClosed():
		p.out.reopen(p.n.lastLink.Add(1))
		p.again()
	case packet.GetGap() && !p.out.paused && p.out.behind():
		p.again()
	}
	if p.full && p.out.outstanding() <= p.n.cfg.MaxOutstanding/2 && p.out.bytes <= p.n.cfg.MaxOutstandingBytes/2 {
		p.full = false
		p.n.tellWatchers(Change{Node: p.name, State: p.state, Epoch: p.epoch, Drained: true})
	}
	return ended
}

// takeEvents delivers a packet's events, each once and in order.
func (p *peer) takeEvents(packet *wire.Packet) {
	if p.closing.Swap(false) {
		p.in.closed = true
	}
	v, skip := p.in.look(packet.GetLink(), packet.GetBase(), packet.GetFirst(), uint64(packet.GetCount()))
	if v == verdictTake {
		p.deliverAll(packet, skip)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if v != verdictIgnore {
		before := p.acks.taken
		if p.acks.link != p.in.number {
			before = packet.GetBase()
		}
		p.acks.ack = p.in.ack()
		p.acks.owed += p.in.taken - before
		p.acks.packets++
		p.acks.again = p.acks.again || v != verdictTake
		p.look()
		p.pump()
	}
}

// deliverAll delivers what a packet has, but for the first skip events. From one on that
// cannot be told from the next, such as one above this node's MaxEvent, all are refused.
func (p *peer) deliverAll(packet *wire.Packet, skip uint64) {
	frames := p.frames
	if p.frames = nil; frames == nil {
		frames = p.n.newFilter()
	}
	frames.Feed(packet.GetFrames())
	var broken error
	for range packet.GetCount() {
		var f filter.Frame
		err := broken
		if broken == nil {
			if f, err = nextFrame(frames); err != nil && !isFrameError(err) {
				err = encodingError(err)
				broken = err
				p.n.refuse(packet, "has events that cannot be read: %v", err)
			}
		}
		if skip > 0 {
			skip--
			continue
		}
		if p.in.full() {
			p.in.gap = true // the rest is to be sent again
			break
		}
		if err == nil {
			err = p.deliver(f)
		} else if of, ok := errors.AsType[*filter.FrameError](err); ok && of.Frame.ReplyTo != 0 {
			p.unreadable(of.Frame.ReplyTo, err)
		}
		p.in.take(err)
	}
	if broken == nil && len(frames.Pending()) == 0 {
		p.frames = frames
	}
}

func nextFrame(frames *filter.EventFilter) (filter.Frame, error) {
	f, ok, err := frames.Next()
	if !ok && err == nil {
		err = fmt.Errorf("%w: the packet ends early", filter.ErrMalformed)
	}
	return f, err
}

func isFrameError(err error) bool {
	_, ok := errors.AsType[*filter.FrameError](err)
	return ok
}

// look decides whether too many of the other node's events wait here.
func (p *peer) look() {
	waiting := p.strangers.waiting()
	switch {
	case !p.acks.pause && waiting > p.n.cfg.MaxPending:
		p.acks.pause, p.acks.again = true, true
		p.counts.Pauses++
		p.n.after(pauseLook, p.lookAgain)
	case p.acks.pause && waiting <= p.n.cfg.MaxPending/2:
		p.acks.pause, p.acks.again = false, true
	}
}

// pauseLook is how often is looked whether a pause is over.
const pauseLook = 2 * time.Millisecond

func (p *peer) lookAgain() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.look(); p.acks.pause {
		p.n.after(pauseLook, p.lookAgain)
		return
	}
	p.pump()
}
