package cluster

import (
	"fmt"
	"slices"
	"sync"

	"github.com/usher-go/usher/kernel"
)

// watchers are sessions that hear how other nodes are.
type watchers struct {
	mu   sync.Mutex
	list []*watcher
}

type watcher struct {
	who   kernel.Address
	event string
}

// watchEnd is a session's, who watches.
type watchEnd struct{ who kernel.Address }

func (e watchEnd) owner() kernel.Address { return e.who }
func (e watchEnd) forget(n *Node)        { n.watchers.remove(e.who) }

func (t *watchers) remove(who kernel.Address) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.list = slices.DeleteFunc(slices.Clone(t.list), func(w *watcher) bool { return w.who == who })
}

// set reports whether the session watched nothing before.
func (t *watchers) set(w *watcher) (fresh bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := slices.Clone(t.list)
	i := slices.IndexFunc(list, func(old *watcher) bool { return old.who == w.who })
	if i >= 0 {
		list[i] = w
	} else {
		list = append(list, w)
	}
	t.list = list
	return i < 0
}

// Watch has event posted to this session with a Change: one for each node as it is now,
// then one whenever that changes, and when a node, or the owners of keys, take events
// again after kernel.ErrQueueFull. However many events wait for this session, a Change
// does not count. An empty event ends it, as does the session's end, which it does
// not put off. The error is ErrLeft when this node has left.
func (n *Node) Watch(c *kernel.Context, event string) error {
	if event == "" {
		n.watchers.remove(c.Self())
		n.ends.remove(watchEnd{c.Self()})
		return nil
	}
	if n.left.Load() {
		return fmt.Errorf("cluster: Watch: %w", ErrLeft)
	}
	w := &watcher{c.Self(), event}
	fresh := n.watchers.set(w)
	for _, p := range n.list() {
		if err := p.tellNow(w); err != nil {
			return fmt.Errorf("cluster: Watch: %w", err)
		}
	}
	if !fresh {
		return nil
	}
	return n.until(watchEnd{w.who})
}

// tellNow says how the other node is. It holds the lock until that is queued: what
// changes from here on is told behind it.
func (p *peer) tellNow(w *watcher) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.n.k.Tell(w.who, w.event, p.changeLocked())
}

func (p *peer) change() Change {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.changeLocked()
}

func (p *peer) changeLocked() Change {
	return Change{Node: p.name, State: p.state, Epoch: p.epoch, Silent: p.silent()}
}

func (n *Node) tellWatchers(c Change) {
	n.watchers.mu.Lock()
	list := n.watchers.list
	n.watchers.mu.Unlock()
	for _, w := range list {
		_ = n.k.Tell(w.who, w.event, c) // its end takes the watch away
	}
}
