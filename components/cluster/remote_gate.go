package cluster

import "sync"

// remoteGate counts who is inside, and lets nobody in any more once it is closed.
// Who is inside may enter again, unlike with a sync.RWMutex.
type remoteGate struct {
	mu     sync.Mutex
	closed bool
	inside sync.WaitGroup
}

// enter reports whether the gate is open. If so, leave must follow.
func (g *remoteGate) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.closed {
		g.inside.Add(1)
	}
	return !g.closed
}

func (g *remoteGate) leave() { g.inside.Done() }

// close waits until nobody is inside.
func (g *remoteGate) close() {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.inside.Wait()
}
