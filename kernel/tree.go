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

// move changes child's parent, if it still is from and the child has not ended.
func (t *tree) move(child, from, to *session) {
	t.Lock()
	moved := child.parent == from && !child.unlinked
	if moved {
		t.unlink(child)
		t.link(child, to)
	}
	t.Unlock()
	if moved {
		from.k.obs.moved(child, from, to)
		from.unhold(HoldChild, string(child.addr))
	}
}

// remove takes a dead session out. Children it made in its _stop go to its
// parent without a word (K35).
func (t *tree) remove(s *session) {
	t.Lock()
	p := s.parent
	var orphans []*session
	for c := s.firstChild; c != nil; c = s.firstChild {
		t.unlink(c)
		t.link(c, p)
		orphans = append(orphans, c)
	}
	t.unlink(s)
	s.unlinked = true
	t.Unlock()
	for _, c := range orphans {
		s.k.obs.moved(c, s, p)
		s.letGo(HoldChild, string(c.addr))
	}
	p.unhold(HoldChild, string(s.addr))
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
