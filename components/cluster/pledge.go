package cluster

import (
	"cmp"
	"fmt"
	"slices"
	"sync"

	"github.com/usher-go/usher/kernel"
)

// pledge is what another node does for a session here: it watches one of its own
// sessions (Context.Monitor), or keeps one alive (Node.Hold).
type pledge struct {
	id    uint64
	node  string
	from  kernel.Address // for whom
	to    kernel.Address
	event string
	args  []any
	hold  bool
}

func (g *pledge) owner() kernel.Address { return g.from }
func (g *pledge) forget(n *Node)        { n.release(g.id) }

// pledges are those of all nodes.
type pledges struct {
	n  *Node
	mu sync.Mutex
	id uint64
	of map[uint64]*pledge
}

func (t *pledges) add(g *pledge) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.of == nil {
		t.of = make(map[uint64]*pledge)
	}
	t.id++
	g.id = t.id
	t.of[g.id] = g
}

func (t *pledges) remove(id uint64) *pledge {
	t.mu.Lock()
	defer t.mu.Unlock()
	g := t.of[id]
	delete(t.of, id)
	return g
}

// ended tells whom it concerns, once.
func (t *pledges) ended(id uint64, node string, why error) {
	t.mu.Lock()
	g := t.of[id]
	if g == nil || g.node != node {
		t.mu.Unlock()
		return
	}
	delete(t.of, id)
	t.mu.Unlock()
	t.n.ends.remove(g)
	g.tell(t.n, why)
}

// lost ends all of a node, and returns their numbers.
func (t *pledges) lost(node string) (ids []uint64) {
	t.mu.Lock()
	var all []*pledge
	for id, g := range t.of {
		if g.node == node {
			all = append(all, g)
			delete(t.of, id)
		}
	}
	t.mu.Unlock()
	slices.SortFunc(all, func(a, b *pledge) int { return cmp.Compare(a.id, b.id) })
	for _, g := range all {
		t.n.ends.remove(g)
		g.tell(t.n, fmt.Errorf("%w: %s was lost", kernel.ErrNoNode, node))
		ids = append(ids, g.id)
	}
	return ids
}

func (g *pledge) tell(n *Node, why error) {
	if g.event == "" {
		return
	}
	args := append([]any{g.to}, g.args...)
	if g.hold {
		args = []any{g.to, why}
	}
	_ = n.k.Tell(g.from, g.event, args...) // who has ended does not care any more
}

// MonitorRemote is for the kernel.
func (n *Node) MonitorRemote(o kernel.Outgoing) error {
	return failed(o, n.pledge(msgMonitor, &pledge{from: o.From, to: o.To, event: o.Event, args: o.Args}))
}

var errNotOneNode = fmt.Errorf("%w: monitors and holds are of one node's session; name the node", kernel.ErrArgument)

// pledge asks another node for one.
func (n *Node) pledge(message string, g *pledge) error {
	local, node := split(g.to)
	if node == everyNode || node == ownerNode {
		return errNotOneNode
	}
	p, err := n.find(g.to)
	if err != nil {
		return err
	}
	g.node = node
	n.pledges.add(g)
	err = n.until(g) // before there can be an answer
	if err == nil {
		o := kernel.Outgoing{Event: message, Args: []any{g.id, string(local)}}
		err = p.post("", 0, o, func(err error) {
			if err != nil {
				n.pledges.ended(g.id, node, err)
			}
		})
	}
	if err != nil {
		n.pledges.remove(g.id)
		n.ends.remove(g)
	}
	return err
}

// release gives a pledge back.
func (n *Node) release(id uint64) {
	if g := n.pledges.remove(id); g != nil {
		n.ends.remove(g)
		if p := n.peer(g.node); p != nil {
			p.tell(msgRelease, id)
		}
	}
}
