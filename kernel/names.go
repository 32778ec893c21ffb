package kernel

import (
	"slices"
	"strings"
	"sync"
)

// Names knows the aliases of sessions from what an observer is told, because an
// observer must not ask the kernel. Call its methods from the observer's functions
// of the same names; they are for any goroutine. The zero value is ready.
type Names struct {
	mu sync.RWMutex
	of map[Address]*aliases
}

type aliases struct {
	sorted []string
	fixed  bool // it is stopping: keep what it had
}

// Held follows aliases as they come and go.
func (n *Names) Held(r HoldRecord) {
	if r.Kind != HoldAlias {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	a := n.of[r.Session]
	if a == nil {
		if n.of == nil {
			n.of = make(map[Address]*aliases)
		}
		a = &aliases{}
		n.of[r.Session] = a
	}
	i, found := slices.BinarySearch(a.sorted, r.Detail)
	switch {
	case r.Up && !found:
		a.sorted = slices.Insert(a.sorted, i, r.Detail)
	case !r.Up && found && !a.fixed:
		a.sorted = slices.Delete(a.sorted, i, i+1)
	}
}

// Stopping keeps the aliases that the session has now until Stopped.
func (n *Names) Stopping(r StopRecord) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if a := n.of[r.Session]; a != nil {
		a.fixed = true
	}
}

// Stopped forgets a session.
func (n *Names) Stopped(session Address) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.of, session)
}

// Of is a session as people know it: "#7 (agent, logger)", with its aliases
// sorted (D17); "kernel" for the empty address.
func (n *Names) Of(session Address) string {
	n.mu.RLock()
	defer n.mu.RUnlock()
	if a := n.of[session]; a != nil && len(a.sorted) > 0 {
		return string(session) + " (" + strings.Join(a.sorted, ", ") + ")"
	}
	return session.String()
}
