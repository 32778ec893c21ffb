package prefork

import "slices"

// counts is how many workers are in each state.
type counts struct {
	by       [states]int
	live     int // all that have or will have a process
	unproved int // living, not asked to go, good start not yet shown
}

func (t *table) count() counts {
	var c counts
	for i := range t.slots {
		s := &t.slots[i]
		c.by[s.state]++
		if s.state == StateDead {
			continue
		}
		c.live++
		if !s.proved && !s.asked {
			c.unproved++
		}
	}
	return c
}

// reconcile runs after every message (P79): it ends a stopped pool or adds
// workers to a running one.
func (t *table) reconcile() {
	c := t.count()
	if t.stopping {
		if c.live == 0 {
			t.done = true
			t.out = append(t.out, action{kind: actDone, err: t.reason})
		}
		return
	}
	for range t.wanted(c) {
		t.spawn()
	}
}

// wanted is how many workers to add now: all of the first ones when there is
// nobody (P75), else what is missing of the spare ones, where those still
// starting count as spare (P78). MaxClients is above both (P4).
func (t *table) wanted(c counts) int {
	room := t.maxClients - c.live
	if c.live == 0 {
		return t.boots.allow(min(t.start, room), c.unproved, t.now)
	}
	missing := min(t.minSpare-c.by[StateIdle]-c.by[StateStarting], room)
	if missing <= 0 {
		return 0
	}
	n := t.boots.allow(t.ramp.grant(missing), c.unproved, t.now)
	t.ramp.left -= n
	return n
}

func (t *table) spawn() {
	for i := range t.slots {
		if s := &t.slots[i]; s.state == StateDead {
			s.state, s.since = StateStarting, t.now
			s.generation++
			t.do(actSpawn, s)
			return
		}
	}
}

// wants tells whether a spawn that was ordered is still to be done: a shutdown
// may have been decided since (P77). If not, answer it with msgSpawnFailed.
func (t *table) wants(a action) bool {
	s := t.find(a.slot, a.generation)
	return s != nil && s.state == StateStarting
}

// shrink asks surplus idle workers to retire, the oldest first (P75, P76). They
// count as draining from here on, so the next look does not ask others (P78).
func (t *table) shrink() {
	if t.maxSpare == Unlimited {
		return
	}
	var idle []*slot
	for i := range t.slots {
		if s := &t.slots[i]; s.state == StateIdle {
			idle = append(idle, s)
		}
	}
	surplus := len(idle) - t.maxSpare
	if surplus <= 0 {
		return
	}
	slices.SortStableFunc(idle, func(a, b *slot) int { return a.since.Compare(b.since) })
	for _, s := range idle[:surplus] {
		t.retire(s)
	}
}
