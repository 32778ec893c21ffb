package kernel

import "sync"

// tree is who created whom. It is ours, not Proto.Actor's, because sessions
// change parents and stop in an order of their own. A child holds its parent.
type tree struct{ sync.Mutex }

func (t *tree) add(child, parent *session) {
	t.Lock()
	t.link(child, parent)
	t.Unlock()
}

// link makes child the last child of parent; of parent's parent, if that is gone
// already: in parallel mode several stops can be under way.
func (t *tree) link(child, parent *session) {
	for parent.unlinked {
		parent = parent.parent
	}
	child.parent = parent
	child.prevSibling = parent.lastChild
	if parent.lastChild != nil {
		parent.lastChild.nextSibling = child
	} else {
		parent.firstChild = child
	}
	parent.lastChild = child
	parent.hold(HoldChild, string(child.addr))
}

func (t *tree) unlink(child *session) {
	p := child.parent
	if child.prevSibling != nil {
		child.prevSibling.nextSibling = child.nextSibling
	} else {
		p.firstChild = child.nextSibling
	}
	if child.nextSibling != nil {
		child.nextSibling.prevSibling = child.prevSibling
	} else {
		p.lastChild = child.prevSibling
	}
	child.prevSibling, child.nextSibling = nil, nil
}

// move gives from's child another parent; false when it is not from's, or its
// end is being told. from stays held until the caller, having told it, unholds it.
func (t *tree) move(child, from, to *session) bool {
	t.Lock()
	defer t.Unlock()
	return t.relink(child, from, to)
}

// leave moves a child to the kernel, and returns whose it was; nil when it was the
// kernel's, or its end is being told.
func (t *tree) leave(child, root *session) (from *session) {
	t.Lock()
	defer t.Unlock()
	if from = child.parent; from == root || !t.relink(child, from, root) {
		return nil
	}
	return from
}

// relink is called with the lock.
func (t *tree) relink(child, from, to *session) bool {
	if child.parent != from || child.mourned || child.unlinked {
		return false
	}
	t.unlink(child)
	t.link(child, to)
	from.k.obs.moved(child, from, child.parent)
	return true
}

// mourner is who is to hear of s's end: its parent, which from now on stays that.
func (t *tree) mourner(s *session) *session {
	t.Lock()
	defer t.Unlock()
	s.mourned = true
	return s.parent
}

// remove takes a dead session out, and returns its parent, which it still holds.
// Children it made in its _stop go there without a word (K35).
func (t *tree) remove(s *session) (parent *session) {
	t.Lock()
	defer t.Unlock()
	p := s.parent
	var orphans []*session
	for c := s.firstChild; c != nil; c = s.firstChild {
		t.unlink(c)
		t.link(c, p)
		orphans = append(orphans, c)
	}
	t.unlink(s)
	s.unlinked = true
	for _, c := range orphans {
		s.k.obs.moved(c, s, c.parent)
		s.letGo(HoldChild, string(c.addr))
	}
	return p
}

func (t *tree) parentOf(s *session) *session {
	t.Lock()
	defer t.Unlock()
	return s.parent
}

func (t *tree) childrenOf(s *session) []*session {
	t.Lock()
	defer t.Unlock()
	var kids []*session
	for c := s.firstChild; c != nil; c = c.nextSibling {
		kids = append(kids, c)
	}
	return kids
}

// below lists s and its descendants, deepest generation first, s last (K124).
func (t *tree) below(s *session) []*session {
	t.Lock()
	defer t.Unlock()
	list := []*session{s}
	for i := 0; i < len(list); i++ {
		for c := list[i].firstChild; c != nil; c = c.nextSibling {
			list = append(list, c)
		}
	}
	for i, j := 0, len(list)-1; i < j; i, j = i+1, j-1 {
		list[i], list[j] = list[j], list[i]
	}
	return list
}

// above lists s's ancestors, nearest first, without the kernel.
func (t *tree) above(s *session) []*session {
	t.Lock()
	defer t.Unlock()
	var list []*session
	for p := s.parent; p != nil && p.parent != nil; p = p.parent {
		list = append(list, p)
	}
	return list
}
