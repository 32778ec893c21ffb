package cluster

import (
	"fmt"
	"sync"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel/filter"
)

// maxKept is how many monitors and holds one node may have here.
const maxKept = 100_000

// kept is what this node does for another one: its monitors and holds, by the other
// node's numbers.
type kept struct {
	mu sync.Mutex
	of map[uint64]*request
}

// request is the other node's wish for a monitor or a hold.
type request struct {
	p    *peer
	id   uint64
	to   kernel.Address
	hold bool

	// Guarded by kept.mu, and set once it has begun.
	at    kernel.Address // the session's ID
	lease *kernel.Lease  // a hold's
}

var _ watched = (*request)(nil)

func (r *request) owner() kernel.Address { return r.at }
func (r *request) forget(*Node)          { r.ended(kernel.ErrStopped) }

func (t *kept) add(r *request) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case len(t.of) >= maxKept:
		return fmt.Errorf("%w: the node has %d monitors and holds here", kernel.ErrQueueFull, maxKept)
	case t.of[r.id] != nil:
		return fmt.Errorf("%w: the node has a monitor or hold of number %d here already", ErrRefused, r.id)
	}
	if t.of == nil {
		t.of = make(map[uint64]*request)
	}
	t.of[r.id] = r
	return nil
}

// begun notes what a request has got; wanted is false when it was taken back meanwhile,
// and first asks for the session's monitor.
func (t *kept) begun(r *request, at kernel.Address, l *kernel.Lease) (wanted, first bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.of[r.id] != r {
		return false, false
	}
	r.at, r.lease = at, l
	return true, r.p.n.ends.add(r)
}

func (t *kept) get(id uint64) *request {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.of[id]
}

// take ends a request; false when it had ended.
func (t *kept) take(r *request) bool {
	t.mu.Lock()
	ok := r != nil && t.of[r.id] == r
	if ok {
		delete(t.of, r.id)
	}
	t.mu.Unlock()
	if ok {
		r.release()
	}
	return ok
}

// drop ends all.
func (t *kept) drop() {
	t.mu.Lock()
	all := t.of
	t.of = nil
	t.mu.Unlock()
	for _, r := range all {
		r.release()
	}
}

func (t *kept) len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.of)
}

// keep has the node's session see to a request. recv is held.
func (p *peer) keep(f filter.Frame) error {
	a := Arrival{Node: p.name, From: p.sender(f.From), To: kernel.Address(text(f.Args, 1))}
	if err := p.n.admit(&a, false); err != nil {
		return err
	}
	r := &request{p: p, id: number(f.Args, 0), to: a.To, hold: f.Name == msgHold}
	if err := p.kept.add(r); err != nil {
		return err
	}
	return p.n.session.Post(evKeep, r)
}

// begin runs in the node's session.
func (r *request) begin(c *kernel.Context) {
	n := r.p.n
	at, ok := n.k.Resolve(r.to)
	if !ok {
		r.ended(failed(kernel.Outgoing{To: r.to}, kernel.ErrNoSession))
		return
	}
	var l *kernel.Lease
	if r.hold {
		var err error
		if l, err = c.LeaseOn(at, "held by node "+r.p.name); err != nil {
			r.ended(err)
			return
		}
	}
	wanted, first := r.p.kept.begun(r, at, l)
	switch {
	case !wanted && l != nil:
		l.Release()
	case first: // what is held may be stopped all the same
		n.watch(c, at)
	}
}

// ended tells the other node, once.
func (r *request) ended(why error) {
	if r.p.kept.take(r) {
		code, text := encodeError(why)
		r.p.tell(msgEnded, r.id, code, text)
	}
}

// release is for who has taken it away.
func (r *request) release() {
	if r.at != "" {
		r.p.n.ends.remove(r)
	}
	if r.lease != nil {
		r.lease.Release()
	}
}
