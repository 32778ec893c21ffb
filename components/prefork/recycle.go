package prefork

import "slices"

// overdue are the workers that are too old or too big, the oldest first, and how
// many others are on their way out for that reason.
func (t *table) overdue() (due []*slot, leaving int) {
	for i := range t.slots {
		s := &t.slots[i]
		switch {
		case s.recycled:
			leaving++
		case !s.serves() || t.fresh(s):
		case s.fat, !s.expires.IsZero() && !t.now.Before(s.expires):
			due = append(due, s)
		}
	}
	slices.SortStableFunc(due, func(a, b *slot) int { return a.since.Compare(b.since) })
	return due, leaving
}

// recyclable is how many of due workers may go now, as far as the limit on how
// many are replaced at once says. None during a reload, which replaces all.
func (t *table) recyclable(c counts, due, leaving int) int {
	if t.reload.active {
		return 0
	}
	most := t.maxRecycling
	if most == 0 {
		most = (c.serving() + 9) / 10
	}
	return max(0, min(due, most-leaving))
}

// recycle asks overdue workers to retire, as long as enough idle ones remain.
// When there are not enough, wanted has one more started for each, even beyond
// maxClients, and in place of that one a worker may go that is busy.
func (t *table) recycle() {
	due, leaving := t.overdue()
	c := t.count()
	for _, s := range due[:t.recyclable(c, len(due), leaving)] {
		idle, serving := c.by[StateIdle], c.serving()-1
		if s.state == StateIdle {
			idle--
		}
		if idle < t.minSpare && serving < t.maxClients {
			continue
		}
		c.by[s.state]--
		s.recycled = true
		t.retire(s)
	}
}
