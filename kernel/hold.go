package kernel

import (
	"fmt"
	"slices"
	"sync"
)

// Hold keeps Run from returning while no session is left, and the kernel from
// being idle, until release is called or the whole kernel is stopped (Stop, or a
// TERM that nobody handles). tag shows in Explain("").
func (k *Kernel) Hold(tag string) (release func()) {
	h := &heldBy{tag, k.site()}
	k.held.add(h)
	k.kept.Add(1)
	k.active.Add(1)
	return sync.OnceFunc(func() {
		k.held.remove(h)
		k.active.Add(-1)
		k.kept.Add(-1)
		k.recheck()
	})
}

// heldBy is one Hold.
type heldBy struct {
	tag  string
	made *site
}

// heldOpen is who holds the kernel.
type heldOpen struct {
	mu sync.Mutex
	by map[*heldBy]struct{}
}

func (o *heldOpen) add(h *heldBy) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.by == nil {
		o.by = make(map[*heldBy]struct{})
	}
	o.by[h] = struct{}{}
}

func (o *heldOpen) remove(h *heldBy) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.by, h)
}

// lines are for Explain, sorted.
func (o *heldOpen) lines() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	var list []string
	for h := range o.by {
		list = append(list, fmt.Sprintf("hold %q%s", h.tag, h.made.made()))
	}
	slices.Sort(list)
	return list
}
