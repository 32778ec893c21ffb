package cluster

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/usher-go/usher/kernel"
)

// host is what a Directory sees of the node.
type host struct{ n *Node }

var _ Host = host{}

func (h host) Now() time.Time { return h.n.k.Now() }

func (h host) AfterFunc(d time.Duration, f func()) (stop func() bool) { return h.n.k.AfterFunc(d, f) }

func (h host) Chance(n int64) int64 {
	h.n.chance.Lock()
	defer h.n.chance.Unlock()
	return h.n.chance.Int64N(max(n, 1))
}

func (h host) Failed(err error) { h.n.k.Report("cluster", "directory", err) }

func (h host) Owner(o Ownership) { h.n.keys.owner(o) }

func (h host) Send(node string, message []byte) error {
	p := h.n.peer(node)
	if p == nil {
		return fmt.Errorf("%w: %.64q", kernel.ErrNoNode, node)
	}
	return p.sendDirectory(message)
}

// Members adds nodes that are new, and ends those that are in the directory no more.
func (h host) Members(list []Member) {
	n := h.n
	var gone, back []*peer
	n.mu.Lock()
	keep := make(map[string]*peer, len(list))
	for _, m := range list {
		if m.Name == n.cfg.Name || checkName(m.Name) != nil {
			continue
		}
		p := n.peers[m.Name]
		if p == nil {
			if p = n.former[m.Name]; p == nil {
				p = n.newPeer(m)
			}
			back = append(back, p)
			delete(n.former, m.Name)
		}
		keep[m.Name] = p
	}
	for name, p := range n.peers {
		if keep[name] == nil {
			gone = append(gone, p)
			n.former[name] = p
		}
	}
	n.peers = keep
	n.ordered = make([]*peer, 0, len(keep))
	for _, p := range keep {
		n.ordered = append(n.ordered, p)
	}
	slices.SortFunc(n.ordered, func(a, b *peer) int { return strings.Compare(a.name, b.name) })
	n.mu.Unlock()
	for _, m := range list {
		if p := keep[m.Name]; p != nil {
			p.restarted(m.Epoch)
			p.move(m.Address)
		}
	}
	for _, p := range back {
		p.rejoin() // behind restarted: one that had left is not lost besides
	}
	for _, p := range gone {
		p.gone(Left)
	}
	n.forget()
}

// formerFor is how long a node is remembered that the directory has no more: far longer
// than anything can be under way.
const formerFor = time.Hour

// forget lets former nodes go: where each start has a name of its own they would add up.
func (n *Node) forget() {
	n.mu.RLock()
	all := slices.Collect(maps.Values(n.former))
	n.mu.RUnlock()
	now := n.k.Now()
	for _, p := range all {
		p.mu.Lock()
		long := p.state == Left && now.Sub(p.since) > formerFor
		p.mu.Unlock()
		if !long {
			continue
		}
		n.mu.Lock()
		if n.former[p.name] == p {
			delete(n.former, p.name)
		}
		n.mu.Unlock()
	}
}

// move takes a new address.
func (p *peer) move(address string) {
	p.mu.Lock()
	old := p.address
	if p.address = address; old != address {
		p.asked, p.trouble = time.Time{}, ""
	}
	p.mu.Unlock()
	if old != address {
		p.n.transport.Drop(old)
	}
}
