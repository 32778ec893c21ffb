package cluster

import (
	"cmp"
	"slices"
	"sync"

	"github.com/usher-go/usher/kernel"
)

// watched is something that ends with its session. Values are compared.
type watched interface {
	owner() kernel.Address // the session's ID
	forget(*Node)
}

// ends are sessions of this node, by ID, and what ends with them. A monitor of the kernel
// cannot be taken back: with one for each wish, a session that lives long would gather
// those of everybody who ever asked. So there is one for each session.
type ends struct {
	mu   sync.Mutex
	next uint64
	of   map[kernel.Address]map[watched]uint64 // numbers, for the order
}

// add notes a wish; first asks for the session's monitor.
func (t *ends) add(w watched) (first bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.of == nil {
		t.of = make(map[kernel.Address]map[watched]uint64)
	}
	list := t.of[w.owner()]
	if first = list == nil; first {
		list = make(map[watched]uint64)
		t.of[w.owner()] = list
	}
	t.next++
	list[w] = t.next
	return first
}

// remove takes a wish back. The monitor stays.
func (t *ends) remove(w watched) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.of[w.owner()], w)
}

// over takes what ends with a session, in the order of add.
func (t *ends) over(id kernel.Address) []watched {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := t.of[id]
	delete(t.of, id)
	all := make([]watched, 0, len(list))
	for w := range list {
		all = append(all, w)
	}
	slices.SortFunc(all, func(a, b watched) int { return cmp.Compare(list[a], list[b]) })
	return all
}

// until has w end with its session. A node that has left hears of no ends: ErrLeft.
func (n *Node) until(w watched) error {
	if n.left.Load() {
		return ErrLeft
	}
	if n.ends.add(w) {
		return n.session.Post(evWatch, endOf{w.owner()})
	}
	return nil
}

// endOf goes with the events that ends brings about.
type endOf struct{ id kernel.Address }

// watch has the node's session hear of another's end. It runs in the former.
func (n *Node) watch(c *kernel.Context, id kernel.Address) {
	if c.Monitor(id, evEnded, endOf{id}) != nil {
		n.ended(id) // already
	}
}

// ended ends what ends with a session.
func (n *Node) ended(id kernel.Address) {
	for _, w := range n.ends.over(id) {
		w.forget(n)
	}
}
