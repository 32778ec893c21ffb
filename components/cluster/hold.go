package cluster

import (
	"errors"
	"sync"

	"github.com/usher-go/usher/kernel"
)

// Hold keeps a session of another node alive for this one: until release is called,
// this session ends, or one of the nodes counts as lost to the other. event, unless
// empty, is posted once if it ends otherwise than by release: with the address, and the
// error why. A session that is not there is such an end: kernel.ErrNoSession. An address
// that names this node does the same here.
//
// kernel.ErrNoNode when the node is not known, or lost; ErrQueueFull as for a post;
// ErrLeft when this node has left.
func (n *Node) Hold(c *kernel.Context, to kernel.Address, event string) (release func(), err error) {
	g := &pledge{from: c.Self(), to: to, event: event, hold: true}
	if _, node := split(to); node == ownerNode {
		return nil, failed(kernel.Outgoing{To: to, Event: event}, errNotOneNode)
	}
	if local, here := n.Local(to); here {
		return n.holdHere(c, local, g)
	}
	if err := n.pledge(msgHold, g); err != nil {
		return nil, failed(kernel.Outgoing{To: to, Event: event}, err)
	}
	return func() { n.release(g.id) }, nil
}

// holdHere is Hold of a session of this node.
func (n *Node) holdHere(c *kernel.Context, local kernel.Address, g *pledge) (release func(), err error) {
	l, err := c.LeaseOn(local, "held by "+string(g.from))
	if errors.Is(err, kernel.ErrNoSession) || errors.Is(err, kernel.ErrStopped) {
		g.tell(n, err)
		return func() {}, nil
	}
	if err != nil {
		return nil, err
	}
	h := &ownHold{n: n, g: g, lease: l}
	for _, end := range []watched{holderEnd{h}, heldEnd{h}} {
		if err := n.until(end); err != nil {
			h.release()
			return nil, failed(kernel.Outgoing{To: g.to, Event: g.event}, err)
		}
	}
	return h.release, nil
}

// ownHold is a hold of a session of this node.
type ownHold struct {
	n     *Node
	g     *pledge
	lease *kernel.Lease
	once  sync.Once
}

// release ends it; the second time it does nothing.
func (h *ownHold) release() { h.end(nil) }

func (h *ownHold) end(why error) {
	h.once.Do(func() {
		h.n.ends.remove(holderEnd{h})
		h.n.ends.remove(heldEnd{h})
		h.lease.Release()
		if why != nil {
			h.g.tell(h.n, why)
		}
	})
}

// Both sessions' ends are one of the hold.
type (
	holderEnd struct{ *ownHold }
	heldEnd   struct{ *ownHold }
)

func (e holderEnd) owner() kernel.Address { return e.g.from }
func (e holderEnd) forget(*Node)          { e.end(nil) }
func (e heldEnd) owner() kernel.Address   { return e.lease.Address() }
func (e heldEnd) forget(*Node)            { e.end(kernel.ErrStopped) }
