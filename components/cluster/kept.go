package cluster

import (
	"cmp"
	"fmt"
	"slices"
	"sync"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel/filter"
)

// maxKept is how many monitors and holds one node may have here.
const maxKept = 100_000

// kept is what this node does for another one: its monitors and holds, by the other
// node's numbers. A nil lease is a monitor's, or that of a hold that has not begun.
type kept struct {
	mu sync.Mutex
	of map[uint64]*kernel.Lease
}

func (t *kept) add(id uint64) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.of) >= maxKept {
		return fmt.Errorf("%w: the node has %d monitors and holds here", kernel.ErrQueueFull, maxKept)
	}
	if t.of == nil {
		t.of = make(map[uint64]*kernel.Lease)
	}
	t.of[id] = nil
	return nil
}

// lease puts in what a hold has got; false when it is not wanted any more.
func (t *kept) lease(id uint64, l *kernel.Lease) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ok := t.of[id]; !ok {
		return false
	}
	t.of[id] = l
	return true
}

// release ends one; false when it had ended.
func (t *kept) release(id uint64) bool {
	t.mu.Lock()
	l, ok := t.of[id]
	delete(t.of, id)
	t.mu.Unlock()
	if l != nil {
		l.Release()
	}
	return ok
}

// drop ends all.
func (t *kept) drop() {
	t.mu.Lock()
	all := t.of
	t.of = nil
	t.mu.Unlock()
	for _, l := range all {
		if l != nil {
			l.Release()
		}
	}
}

func (t *kept) len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.of)
}

// request is the other node's wish for a monitor or a hold.
type request struct {
	p    *peer
	id   uint64
	to   kernel.Address
	hold bool
}

// keep has the node's session see to a request. recv is held.
func (p *peer) keep(f filter.Frame) error {
	a := Arrival{Node: p.name, From: p.sender(f.From), To: kernel.Address(text(f.Args, 1))}
	if err := p.n.admit(&a, false); err != nil {
		return err
	}
	r := request{p: p, id: number(f.Args, 0), to: a.To, hold: f.Name == msgHold}
	if err := p.kept.add(r.id); err != nil {
		return err
	}
	return p.n.session.Post(evKeep, r)
}

// begin runs in the node's session.
func (r request) begin(c *kernel.Context) {
	if !r.hold {
		if err := c.Monitor(r.to, evEnded, r); err != nil {
			r.ended(err)
		}
		return
	}
	l, err := c.LeaseOn(r.to, "held by node "+r.p.name)
	if err != nil {
		r.ended(err)
		return
	}
	if !r.p.kept.lease(r.id, l) {
		l.Release()
		return
	}
	if err := c.Monitor(r.to, evEnded, r); err != nil { // it may be stopped all the same
		r.ended(err)
	}
}

// ended tells the other node, once.
func (r request) ended(why error) {
	if r.p.kept.release(r.id) {
		code, text := encodeError(why)
		r.p.tell(msgEnded, r.id, code, text)
	}
}

func sortPledges(all []*pledge) {
	slices.SortFunc(all, func(a, b *pledge) int { return cmp.Compare(a.id, b.id) })
}
