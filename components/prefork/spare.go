package prefork

import "slices"

// counts is how many workers are in each state.
type counts struct {
	by       [states]int // without fresh ones
	live     int         // all that have or will have a process
	fresh    int         // of them, those whose generation has not taken over
	former   int         // and those whose generation a reload has replaced: they only finish
	unproved int         // living, not fresh, not asked to go, good start not yet shown
}

func (c counts) serving() int { return c.by[StateIdle] + c.by[StateBusy] }

// own are those that work, or will, or finish, for the generation that has taken over.
func (c counts) own() int { return c.live - c.fresh - c.former }

func (t *table) count() counts {
	var c counts
	for i := range t.slots {
		s := &t.slots[i]
		if s.state == StateDead {
			c.by[s.state]++
			continue
		}
		c.live++
		if t.fresh(s) {
			c.fresh++
			continue
		}
		if s.generation < t.generation {
			c.former++
		}
		c.by[s.state]++
		if !s.proved && !s.asked {
			c.unproved++
		}
	}
	return c
}

// reconcile runs after every message (P79): it ends a stopped pool, or adds
// workers to a running one.
func (t *table) reconcile() {
	if t.stopping {
		if t.count().live == 0 {
			t.done = true
			t.out = append(t.out, action{kind: actDone, err: t.reason})
		}
		return
	}
	if t.reload.active {
		t.reloadOn()
	}
	for range t.wanted(t.count()) {
		t.spawn(t.generation)
	}
}

// wanted is how many workers to add now: all of the first ones when there is
// nobody (P75), else what is missing of the spare ones, where those still
// starting count as spare (P78).
func (t *table) wanted(c counts) int {
	due, leaving := t.overdue()
	relief := t.recyclable(c, len(due), leaving)
	room := min(t.room(c)+min(relief, t.surplus), len(t.slots)-c.live)
	if c.own() == 0 {
		return t.boots.allow(min(t.start, room), c.unproved, t.now)
	}
	missing := min(t.minSpare+relief-c.by[StateIdle]-c.by[StateStarting], room)
	if missing <= 0 {
		return 0
	}
	n := t.boots.allow(t.ramp.grant(missing), c.unproved, t.now)
	t.ramp.left -= n
	return n
}

// room is how many there may be more: MaxClients is above the spare ones (P4), but for
// the successors of workers that are to be recycled. What a reload has replaced may have
// one connection for days. It counts, so that the next reload has room, but does not keep
// away whom StartServers asks for: in the end nobody would serve.
func (t *table) room(c counts) int {
	return max(t.maxClients-c.own()-c.former, t.start-c.own())
}

func (t *table) spawn(generation int) {
	for i := range t.slots {
		if s := &t.slots[i]; s.state == StateDead {
			s.state, s.since, s.generation = StateStarting, t.now, generation
			s.life++
			t.do(actSpawn, s)
			return
		}
	}
}

// wants tells whether a spawn that was ordered is still to be done: a shutdown
// may have been decided since (P77), or the reload has failed. If not, answer it
// with msgSpawnFailed.
func (t *table) wants(a action) bool {
	s := t.find(a.slot, a.life)
	return s != nil && s.state == StateStarting
}

// shrink asks surplus idle workers to retire, the oldest first (P75, P76). They
// count as draining from here on, so the next look does not ask others (P78).
// During a reload nobody is asked: it does so itself.
func (t *table) shrink() {
	if t.maxSpare == Unlimited || t.reload.active {
		return
	}
	idle := t.idle()
	for _, s := range idle[:max(0, len(idle)-t.maxSpare)] {
		t.retire(s)
	}
}

// idle are the idle workers, the oldest first, without fresh ones.
func (t *table) idle() (idle []*slot) {
	for i := range t.slots {
		if s := &t.slots[i]; s.state == StateIdle && !t.fresh(s) {
			idle = append(idle, s)
		}
	}
	slices.SortStableFunc(idle, func(a, b *slot) int { return a.since.Compare(b.since) })
	return idle
}
