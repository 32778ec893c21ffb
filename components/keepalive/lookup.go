package keepalive

// lookup resolves one host name, for all requests that want it (A48).
type lookup struct {
	id      lookupID
	host    string
	waiting []*request
}

// joinLookup waits for the address of r's host. Answers are not kept: there is
// a new lookup when none is under way (A55).
func (t *table) joinLookup(r *request) {
	l := t.lookupOf[r.key.Addr]
	if l == nil {
		t.lastLookup++
		l = &lookup{id: t.lastLookup, host: r.key.Addr}
		t.lookups[l.id], t.lookupOf[l.host] = l, l
		t.do(lookUp{l.id, l.host})
	}
	l.waiting = append(l.waiting, r)
	r.lookup = l
}

// leaveLookup ends the lookup with its last request, and only then (A53, A54).
func (t *table) leaveLookup(r *request) {
	l := r.lookup
	r.lookup = nil
	l.waiting = without(l.waiting, r)
	if len(l.waiting) == 0 {
		t.endLookup(l)
		t.do(dropLookup{l.id})
	}
}

// lookedUp lets every waiting request go on or fail (A51). A lookup that was
// dropped is not known any more (A52).
func (t *table) lookedUp(m lookedUp) {
	l := t.lookups[m.lookup]
	if l == nil {
		return
	}
	t.endLookup(l)
	err := m.err
	if err == nil && len(m.addrs) == 0 {
		err = ErrNoAddress
	}
	for _, r := range l.waiting {
		r.lookup = nil
		if err != nil {
			t.refuse(r, "resolve", err)
			continue
		}
		r.addrs = m.addrs
		t.enqueue(r)
	}
}

func (t *table) endLookup(l *lookup) {
	delete(t.lookups, l.id)
	delete(t.lookupOf, l.host)
}
