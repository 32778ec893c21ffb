package prefork

import (
	"fmt"
	"time"
)

// limits are the numbers that the table decides by.
type limits struct {
	start, minSpare, maxClients int
	maxSpare                    int           // or Unlimited
	surplus                     int           // processes beyond maxClients while workers are replaced
	reloadReady                 int           // new workers that must be ready; 0: as many as serve
	maxAge                      time.Duration // 0: any age
	maxRSS                      int64         // 0: any size
	maxRecycling                int           // 0: a tenth of those that serve
	timeout                     time.Duration // 0: no watchdog
	startTimeout                time.Duration // or Unlimited
	drainTimeout                time.Duration // 0: as long as it takes
	grace                       time.Duration // or Unlimited
	keepOnError                 bool
	youth                       time.Duration // ready for this long is a good start
	failedBoots                 int           // in a row end the pool
	backoff                     backoff
	unseen                      time.Duration // between two messages counts at most; 0: all
}

// table is the master's view of its workers. It is plain data: apply takes what
// happened and returns what to do, and nothing else in the package decides. It
// has no clock and no lock; one goroutine owns it.
type table struct {
	limits
	jitter func() float64 // in [0,1)

	slots  []slot        // maxClients+surplus of them; a worker keeps its slot until reaped
	now    time.Time     // without the time asleep
	at     time.Time     // of the last message
	asleep time.Duration // in which nobody looked
	ramp   ramp
	boots  boots

	generation int // of the program that workers are started from
	newest     int // generation that was tried last; numbers are not used again
	reload     reload
	upgrade    upgrade

	stopping, forced, done bool
	reason                 error // why it stops; nil when asked to

	out []action
}

// slot is one worker, or the place of one.
type slot struct {
	index      int
	state      State
	life       uint64 // counts the workers that had this slot
	generation int    // of the program it runs
	pid        int    // 0 until msgStarted

	since   time.Time // when the spawn was ordered
	ready   time.Time // zero until it first reported
	beat    time.Time // last sign of life (P61)
	expires time.Time // when it is too old; zero: never
	killAt  time.Time // zero: no deadline

	proved   bool // has served, or was ready for long enough
	asked    bool // the master wants it gone: its end is no failure
	killed   bool // SIGKILL was sent
	fat      bool // was above maxRSS when last measured
	recycled bool // was asked to go for its age or size
}

func newTable(l limits, jitter func() float64) *table {
	t := &table{limits: l, jitter: jitter, slots: make([]slot, l.maxClients+l.surplus), generation: 1, newest: 1}
	for i := range t.slots {
		t.slots[i].index = i
	}
	return t
}

// clear frees the slot of a process that is gone, or never was.
func (s *slot) clear() { *s = slot{index: s.index, life: s.life} }

// asked tells whether a living worker was asked to go.
func (t *table) asked(slot int, life uint64) bool {
	s := t.find(slot, life)
	return s != nil && s.asked
}

// serves tells whether a worker takes connections.
func (s *slot) serves() bool { return s.state == StateIdle || s.state == StateBusy }

// apply takes one message and returns what must be done about it, in order. The
// slice is the caller's. After actDone nothing more happens.
func (t *table) apply(m message) []action {
	if t.done {
		return nil
	}
	t.pass(m.at)
	t.out = nil
	switch m.kind {
	case msgTick:
		t.tick()
	case msgShutdown:
		t.stop(nil, m.force)
	case msgReload:
		t.askReload()
	case msgLoadFailed:
		t.loadFailed(m)
	case msgUpgrade:
		t.askUpgrade()
	case msgUpgraded:
		t.upgraded(m)
	case msgMore:
		t.more()
	case msgLess:
		t.less()
	default:
		if s := t.find(m.slot, m.life); s != nil {
			t.worker(m, s)
		}
	}
	t.reconcile()
	return t.out
}

// pass moves time on. What passes while nobody looks counts only in part: a master that
// was stopped, perhaps with its whole container, would find every worker silent and late
// at once, and they would have had no time either. A clock that goes back stands still.
func (t *table) pass(at time.Time) {
	if gap := at.Sub(t.at); !t.at.IsZero() {
		switch {
		case gap < 0:
			t.asleep += gap
		case t.unseen > 0 && gap > t.unseen:
			t.asleep += gap - t.unseen
		}
	}
	t.at, t.now = at, at.Add(-t.asleep)
}

// find returns the living worker that a message speaks of, or nil.
func (t *table) find(slot int, life uint64) *slot {
	if slot < 0 || slot >= len(t.slots) {
		return nil
	}
	if s := &t.slots[slot]; s.state != StateDead && s.life == life {
		return s
	}
	return nil
}

func (t *table) worker(m message, s *slot) {
	switch m.kind {
	case msgStarted:
		t.started(s, m.pid)
	case msgSpawnFailed:
		t.spawnFailed(s, m)
	case msgReport:
		t.report(s, m)
	case msgExited:
		t.exited(s, m)
	}
}

func (t *table) started(s *slot, pid int) {
	s.pid, s.beat = pid, t.now
	if t.maxAge > 0 { // a tenth less at most: those started together shall not go together
		s.expires = t.now.Add(t.maxAge - time.Duration(t.jitter()*float64(t.maxAge/10)))
	}
	if s.state == StateStopping { // ordered to stop while it had no pid
		t.terminate(s)
	}
}

func (t *table) spawnFailed(s *slot, m message) {
	was := *s
	s.clear()
	switch {
	case t.stopping || was.asked:
	case t.fresh(&was):
		t.failReload(&was, m.cause)
	case t.keepOnError:
		if t.count().serving() > 0 { // a shortage is no reason to end those who serve
			t.boots.failures = min(t.boots.failures, t.failedBoots-2)
		}
		t.bootFailed(m)
	default:
		t.stop(m.cause, false)
	}
}

// report follows a worker's own word. It cannot bring a draining or stopping
// worker back, and a worker without a pid could not be ended again.
func (t *table) report(s *slot, m message) {
	if s.pid == 0 {
		return
	}
	beat := t.now
	if !m.beat.IsZero() {
		beat = m.beat.Add(-t.asleep)
	}
	if beat.After(s.beat) {
		s.beat = beat
	}
	if m.rss > 0 {
		s.fat = t.maxRSS > 0 && m.rss > t.maxRSS
	}
	if m.served || m.state == StateBusy {
		t.prove(s)
	}
	if s.state > StateBusy || m.state < StateIdle || m.state > StateDraining {
		return
	}
	s.state = m.state
	if s.ready.IsZero() {
		s.ready = t.now
	}
	if m.state == StateDraining {
		t.lost(s)
		t.drains(s)
	}
}

func (t *table) exited(s *slot, m message) {
	if t.grown(s) {
		t.prove(s)
	}
	if s.state < StateDraining {
		t.lost(s)
	}
	was := *s
	s.clear()
	switch {
	case t.fresh(&was):
		t.freshExited(&was, m) // costs the reload at most, not the pool
	case !was.proved && !was.asked:
		t.bootFailed(m)
	}
}

// lost makes room in the ramp for the successor of a worker that served and
// goes without having been asked to: one that was starting, idle or busy.
func (t *table) lost(s *slot) {
	if s.proved && !t.fresh(s) {
		t.ramp.replace(t.maxClients)
	}
}

// grown tells whether a worker has been ready for so long that it started well.
func (t *table) grown(s *slot) bool {
	return !s.ready.IsZero() && t.now.Sub(s.ready) >= t.youth
}

// prove marks a good start, which ends a row of failed ones.
func (t *table) prove(s *slot) {
	if s.proved {
		return
	}
	s.proved = true
	if !t.fresh(s) {
		t.boots = boots{}
	}
}

func (t *table) bootFailed(m message) {
	t.boots.failed(t.now, t.backoff, t.jitter())
	if t.boots.failures == t.failedBoots {
		t.stop(fmt.Errorf("%w: %d in a row ended before they served, the last in slot %d: %w; "+
			"read what the workers wrote to standard error and mend what ends them",
			ErrGaveUp, t.boots.failures, m.slot, causeOf(m.cause)), false)
	}
}

func causeOf(err error) error {
	if err == nil {
		return errExitedEarly
	}
	return err
}

// do orders something from or about a worker.
func (t *table) do(kind actionKind, s *slot) {
	t.out = append(t.out, action{kind: kind, slot: s.index, life: s.life, generation: s.generation, pid: s.pid})
}
