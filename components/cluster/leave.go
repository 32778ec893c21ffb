package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Leave takes the node out of the cluster in order: sessions that are here for their
// keys stop, what was posted is sent and acknowledged, calls of other nodes that run here
// are answered if that takes no longer than 2 s, or ctx ends; the directory and the
// other nodes hear of it, and connections are closed. Calls and posts to other
// nodes are kernel.ErrNoNode afterwards. The kernel goes on. More than once does no
// harm; another one's Leave is waited for.
//
// It blocks for that: in a serial kernel let a goroutine of its own call it. From inside a
// handler, no session for a key can end meanwhile: what waits for it is lost after 2 s.
//
// When the kernel is stopped, the node leaves by itself, without waiting.
func (n *Node) Leave(ctx context.Context) error {
	err := n.flush(ctx)
	if n.leave(ctx) {
		n.dismiss()
	}
	select {
	case <-n.over:
	case <-ctx.Done():
		err = errors.Join(err, ctx.Err())
	}
	return err
}

// flush waits until keys are given up, calls are answered, and nothing waits to be
// acknowledged.
func (n *Node) flush(ctx context.Context) error {
	n.keys.leave()
	late := n.k.Now().Add(drainLimit)
	for !n.left.Load() && !(n.keys.left() && (n.running() == 0 || n.k.Now().After(late)) && n.outstanding() == 0) {
		if err := n.pause(ctx, time.Millisecond); err != nil {
			return fmt.Errorf("cluster: %d events were not acknowledged, %d calls not answered: %w", n.outstanding(), n.running(), err)
		}
	}
	return nil
}

// running is how many calls of nodes that are up run here.
func (n *Node) running() (sum int) {
	for _, p := range n.list() {
		p.mu.Lock()
		if p.state == Up {
			sum += int(p.busy.Load())
		}
		p.mu.Unlock()
	}
	return sum
}

// outstanding is how many events for nodes that are up are not acknowledged.
func (n *Node) outstanding() int {
	sum := 0
	for _, p := range n.list() {
		p.mu.Lock()
		if p.state == Up {
			sum += p.out.outstanding()
		}
		p.mu.Unlock()
	}
	return sum
}

// leave ends the node at once, but for its session.
func (n *Node) leave(ctx context.Context) (first bool) {
	n.leaveOnce.Do(func() {
		first = true
		defer close(n.over)
		n.mu.Lock()
		n.leaving.Store(true)
		m := n.membership // nil while it joins
		n.mu.Unlock()
		n.keys.close()
		if m != nil {
			if err := m.Leave(ctx); err != nil {
				n.k.Report("cluster", "directory", err)
			}
		}
		for _, p := range n.list() {
			p.farewell()
		}
		n.left.Store(true)
		for _, p := range n.list() {
			p.gone(Left)
		}
		n.keys.lanes.close()
		n.k.Describe("cluster", nil) // from detach on it may be the next node's
		n.detach()
		_ = n.transport.Close()
		n.runners.end()
	})
	return first
}
