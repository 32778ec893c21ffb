package prefork

import (
	"fmt"
	"time"
)

// reload is a change from one generation of workers to the next: new ones are
// started beside the old, and when enough of them are ready the old are asked to
// finish. Until then the table takes nothing away from the old.
type reload struct {
	active     bool
	again      bool // asked for during this one: another follows
	generation int  // of the new workers
	need       int  // new workers that must be ready
	left       int  // new workers that served, and have left by themselves
	deadline   time.Time
}

// fresh tells whether a worker belongs to a generation that has not taken over:
// that of a reload under way, or of one that failed and whose workers still end.
func (t *table) fresh(s *slot) bool { return s.generation > t.generation }

// askReload begins a reload. One that is asked for during another follows it:
// the program may have changed since the other began. All that are asked for
// meanwhile are one.
func (t *table) askReload() {
	refuse := func(why error) {
		t.out = append(t.out, action{kind: actReloaded, generation: t.newest, err: fmt.Errorf("%w: %w", ErrReload, why)})
	}
	switch {
	case t.stopping:
		refuse(errShuttingDown)
	case t.upgrade.active:
		refuse(errUpgrading)
	case t.reload.active:
		t.reload.again = true
	default:
		t.beginReload()
	}
}

func (t *table) beginReload() {
	serving := 0
	for i := range t.slots {
		if s := &t.slots[i]; s.serves() && !t.fresh(s) {
			serving++
		}
	}
	need := t.reloadReady
	if need == 0 {
		need = max(1, min(serving, t.start))
	}
	t.newest++
	t.reload = reload{active: true, generation: t.newest, need: min(need, t.surplus)}
	if t.startTimeout > 0 {
		t.reload.deadline = t.now.Add(t.startTimeout)
	}
	t.out = append(t.out, action{kind: actLoad, generation: t.newest})
}

// reloadOn starts what is missing of the new generation, or completes the
// reload. Those that the end of an earlier reload has yet to end are in the way.
func (t *table) reloadOn() {
	r := &t.reload
	ready, starting, room := r.left, 0, t.surplus
	for i := range t.slots {
		s := &t.slots[i]
		if s.state == StateDead || !t.fresh(s) {
			continue
		}
		room--
		switch {
		case s.generation != r.generation:
		case s.state == StateStarting:
			starting++
		case s.serves(), s.state == StateDraining && s.proved:
			ready++
		}
	}
	if ready >= r.need {
		t.takeOver()
		return
	}
	for range min(r.need-ready-starting, room) {
		t.spawn(r.generation)
	}
}

// lateReload is why a reload took too long: its workers did, or those of earlier ones
// have left no room for them.
func (t *table) lateReload() error {
	if c := t.count(); c.former > 0 && c.live == len(t.slots) && c.fresh+t.reload.left < t.reload.need {
		return fmt.Errorf("%w: %d of %d processes are workers of earlier generations that finish", errNoRoom, c.former, c.live)
	}
	return errNotReady
}

// takeOver gives the work to the new generation.
func (t *table) takeOver() {
	t.generation = t.reload.generation
	t.boots = boots{} // another program, another chance
	for i := range t.slots {
		if s := &t.slots[i]; s.state != StateDead && s.generation < t.generation {
			t.dismiss(s)
		}
	}
	t.endReload(action{})
}

// failReload ends the new generation: the old one stays. s may be nil.
func (t *table) failReload(s *slot, cause error) {
	r := &t.reload
	if !r.active || s != nil && s.generation != r.generation {
		return
	}
	a := action{err: fmt.Errorf("%w: generation %d: %w", ErrReload, r.generation, causeOf(cause))}
	if s != nil {
		a.slot, a.life = s.index, s.life
	}
	for i := range t.slots {
		if s := &t.slots[i]; s.state != StateDead && s.generation == r.generation {
			t.dismiss(s)
		}
	}
	t.endReload(a)
}

func (t *table) endReload(a action) {
	again := t.reload.again
	a.kind, a.generation = actReloaded, t.reload.generation
	t.reload = reload{}
	t.out = append(t.out, a)
	if again {
		t.askReload()
	}
}

// loadFailed: the new program is not there.
func (t *table) loadFailed(m message) {
	if m.generation == t.reload.generation {
		t.failReload(nil, m.cause)
	}
}

// freshExited is the end of a worker whose generation has not taken over. Only
// one that served and left by itself, as MaxRequests has it, does not fail a
// reload.
func (t *table) freshExited(s *slot, m message) {
	switch {
	case s.asked:
	case s.state == StateDraining && s.proved && s.generation == t.reload.generation:
		t.reload.left++
	default:
		t.failReload(s, m.cause)
	}
}

// dismiss ends a worker that is no longer wanted: what it serves is finished.
func (t *table) dismiss(s *slot) {
	switch s.state {
	case StateStarting:
		t.terminate(s)
		t.deadline(s)
	case StateIdle, StateBusy:
		t.retire(s)
	}
	s.asked = true
}
