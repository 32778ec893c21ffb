package prefork

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"
)

// model is a table and the processes around it, as far as they can be seen from
// outside. It keeps its own account of what the table must not get wrong.
type model struct {
	table    *table
	now      time.Time
	procs    []proc // by slot
	failures int    // failed starts in a row
	orders   int    // shutdowns ordered
	gaveUp   bool   // had to
	ended    bool   // actDone seen

	happens    happenings
	generation int // that has the work
	loading    int // that of the reload under way; 0: none
	again      bool
	need       int // new workers that must be ready
	upgrading  bool
}

// happenings are what may happen beside ticks, shutdowns and what processes do.
type happenings struct{ reloads, scaling, memory, upgrades bool }

// proc is what the slot's process has been through.
type proc struct {
	life            uint64 // 0: no process
	generation      int
	running, killed bool
	mustGo          bool // was told to end
	aborted         bool // by the watchdog
	drains          bool // said that it leaves
	heard           bool // has reported, at readyAt
	readyAt         time.Time
	proved          bool // has served, or was ready for long enough
}

func newModel(l limits, h happenings) *model {
	return &model{
		table: newTable(l, func() float64 { return 0 }),
		now:   someday,
		procs: make([]proc, l.maxClients+l.surplus),

		happens: h, generation: 1,
	}
}

// fresh tells whether a process is of a program that has not got the work.
func (m *model) fresh(p *proc) bool { return p.generation > m.generation }

// ready counts processes that are ready and not asked to go.
func (m *model) ready(which func(*proc) bool) (n int) {
	for i := range m.procs {
		if p := &m.procs[i]; p.heard && !p.mustGo && !p.aborted && which(p) {
			n++
		}
	}
	return n
}

func (m *model) clone() *model {
	c, t := *m, *m.table
	t.slots, t.out = slices.Clone(t.slots), nil
	c.table, c.procs = &t, slices.Clone(m.procs)
	return &c
}

// step is one thing that can happen.
type step struct {
	name string
	msg  message
}

// steps are all the things that can happen now.
func (m *model) steps() []step {
	all := []step{
		{"tick", message{kind: msgTick}},
		{"shutdown", message{kind: msgShutdown}},
	}
	if m.happens.reloads {
		all = append(all, step{"reload", message{kind: msgReload}})
		if m.loading > 0 {
			all = append(all, step{"load failed", message{kind: msgLoadFailed, generation: m.loading, cause: errBroken}})
		}
	}
	if m.happens.upgrades {
		all = append(all, step{"upgrade", message{kind: msgUpgrade}},
			step{"successor ready", message{kind: msgUpgraded}}, step{"successor gone", message{kind: msgUpgraded, cause: errBroken}})
	}
	if m.happens.scaling {
		all = append(all, step{"more", message{kind: msgMore}}, step{"less", message{kind: msgLess}})
	}
	for i, p := range m.procs {
		add := func(name string, msg message) {
			msg.slot, msg.life = i, p.life
			all = append(all, step{fmt.Sprint(name, " ", i), msg})
		}
		switch {
		case p.life == 0:
		case !p.running:
			add("started", message{kind: msgStarted, pid: pidOf(i)})
			add("spawn failed", message{kind: msgSpawnFailed, cause: ErrSpawn})
		case p.killed:
			add("exit", message{kind: msgExited, cause: errBroken})
		default:
			add("exit", message{kind: msgExited, cause: errBroken})
			add("idle", message{kind: msgReport, state: StateIdle})
			add("busy", message{kind: msgReport, state: StateBusy})
			add("draining", message{kind: msgReport, state: StateDraining})
			if m.happens.memory {
				add("big", message{kind: msgReport, state: StateIdle, rss: 2})
			}
		}
	}
	return all
}

// do lets it happen, and returns what the table did wrong.
func (m *model) do(s step) error {
	s.msg.at = m.now
	if s.msg.kind == msgTick {
		m.now = m.now.Add(time.Second)
		s.msg.at = m.now
	}
	gaveUp := m.account(s.msg)
	for _, a := range m.table.apply(s.msg) {
		if err := m.check(a, &gaveUp); err != nil {
			return err
		}
	}
	if gaveUp && !m.table.stopping {
		return fmt.Errorf("goes on after %d failed starts", m.failures)
	}
	m.gaveUp = m.gaveUp || gaveUp
	if !m.gaveUp && errors.Is(m.table.reason, ErrGaveUp) {
		return fmt.Errorf("gave up after %d failed starts", m.failures)
	}
	return m.tracked()
}

// account follows the processes, and says whether the pool must give up now.
func (m *model) account(msg message) (mustGiveUp bool) {
	prove := func(p *proc) {
		if !p.proved {
			p.proved = true
			if !m.fresh(p) {
				m.failures = 0
			}
		}
	}
	grown := func(p *proc) bool {
		return p.heard && m.now.Sub(p.readyAt) >= m.table.youth
	}
	p := &m.procs[msg.slot]
	if msg.kind >= msgStarted && p.life != msg.life {
		return false // too late
	}
	switch msg.kind {
	case msgShutdown:
		m.orders++
	case msgTick:
		for i := range m.procs {
			if p := &m.procs[i]; p.running && grown(p) {
				prove(p)
			}
		}
	case msgStarted:
		p.running = true
	case msgReport:
		if !p.heard && !p.mustGo && !p.aborted {
			p.heard, p.readyAt = true, m.now
		}
		if msg.state == StateDraining && !p.mustGo && !p.aborted {
			p.drains = true
		}
		if msg.state == StateBusy {
			prove(p)
		}
	case msgSpawnFailed, msgExited:
		if p.running && grown(p) {
			prove(p)
		}
		failed := !p.proved && !p.mustGo && !m.table.stopping && !m.fresh(p)
		if left := p.proved && p.drains && !p.mustGo && !p.aborted; left && p.generation == m.loading {
			m.need-- // it did what it was started for
		}
		shortage := !p.running
		*p = proc{}
		if failed && shortage && m.ready(func(p *proc) bool { return !p.drains && !m.fresh(p) }) > 0 {
			m.failures = min(m.failures, m.table.failedBoots-2)
		}
		if failed {
			m.failures++
		}
		return failed && m.failures == m.table.failedBoots
	}
	return false
}

// check judges one action.
func (m *model) check(a action, gaveUp *bool) error {
	if m.ended {
		return fmt.Errorf("%v after done", a)
	}
	if a.kind == actDone {
		m.ended = true
		return nil
	}
	p := &m.procs[a.slot]
	switch a.kind {
	case actLoad:
		if m.loading != 0 || a.generation <= m.generation {
			return fmt.Errorf("%v during %d, after %d", a, m.loading, m.generation)
		}
		m.loading, m.again = a.generation, false
		serve := m.ready(func(p *proc) bool { return !m.fresh(p) && !p.drains })
		m.need = max(1, min(serve, m.table.start, m.table.surplus))
	case actReloaded:
		return m.reloaded(a)
	case actSucceed:
		if m.upgrading || m.loading != 0 || m.table.stopping {
			return fmt.Errorf("%v beside another change", a)
		}
		m.upgrading = true
	case actUpgraded:
		if a.err == nil && !m.upgrading {
			return fmt.Errorf("%v without a successor", a)
		}
		m.upgrading = false
	case actSpawn:
		if a.generation != m.generation && (a.generation != m.loading || m.loading == 0) {
			return fmt.Errorf("%v of generation %d, which is neither old nor new", a, a.generation)
		}
		if m.table.stopping {
			return fmt.Errorf("%v while stopping", a)
		}
		if p.life != 0 {
			return fmt.Errorf("%v, where one lives", a)
		}
		if *gaveUp {
			return fmt.Errorf("%v after giving up", a)
		}
		*p = proc{life: a.life, generation: a.generation}
	case actRetire, actSignal:
		asked := a.kind == actRetire || a.signal == syscall.SIGTERM // and not the watchdog
		if asked && m.loading != 0 && !m.fresh(p) && !p.mustGo && !m.table.stopping && m.readyOf(m.loading) < m.need {
			return fmt.Errorf("%v before the reload, with %d of %d new workers ready", a, m.readyOf(m.loading), m.need)
		}
		if p.life != a.life || !p.running {
			return fmt.Errorf("%v: no such process", a)
		}
		if a.pid != pidOf(a.slot) {
			return fmt.Errorf("%v goes to pid %d", a, a.pid)
		}
		if p.killed {
			return fmt.Errorf("%v after KILL", a)
		}
		p.mustGo = p.mustGo || asked
		p.aborted = !asked
		p.killed = strings.HasPrefix(a.String(), "KILL")
	}
	return nil
}

func (m *model) readyOf(generation int) int {
	return m.ready(func(p *proc) bool { return p.generation == generation && (p.proved || !p.drains) })
}

// reloaded judges the end of a reload.
func (m *model) reloaded(a action) error {
	switch {
	case m.loading == 0 && !m.again && !m.upgrading && !m.table.stopping:
		return fmt.Errorf("%v, but none was under way", a)
	case a.err == nil && m.readyOf(m.loading) < m.need:
		return fmt.Errorf("%v with %d of %d new workers ready", a, m.readyOf(m.loading), m.need)
	}
	for i := range m.procs {
		p := &m.procs[i]
		if a.err == nil && p.generation < m.loading || a.err != nil && p.generation == m.loading {
			p.mustGo = true
		}
	}
	if a.err == nil {
		m.generation, m.failures = m.loading, 0
	}
	m.loading = 0
	return nil
}

// tracked compares the table's workers with the living processes.
func (m *model) tracked() error {
	live, own := 0, 0
	for i, p := range m.procs {
		if m.table.stopping && p.life != 0 {
			m.procs[i].mustGo = true
		}
		if p.life != 0 {
			live++
			if p.generation == m.generation {
				own++
			}
		}
		if (p.life != 0) != (m.table.slots[i].state != StateDead) {
			return fmt.Errorf("slot %d is %v, its process lives: %v", i, m.table.slots[i].state, p.life != 0)
		}
	}
	if most := m.table.maxClients + m.table.surplus; live > most {
		return fmt.Errorf("%d processes live, at most %d may", live, most)
	}
	if !m.happens.memory && own > m.table.maxClients {
		return fmt.Errorf("%d workers live, at most %d may", own, m.table.maxClients)
	}
	if m.table.stopping && m.upgrading {
		return errors.New("the upgrade outlives the pool")
	}
	if m.upgrading && m.loading != 0 {
		return errors.New("a reload beside an upgrade")
	}
	if m.table.stopping && m.loading != 0 {
		return fmt.Errorf("the reload to generation %d outlives the pool", m.loading)
	}
	if m.ended != (m.table.stopping && live == 0) {
		return fmt.Errorf("done: %v, with %d alive, stopping: %v", m.ended, live, m.table.stopping)
	}
	return nil
}

// key tells states apart as far as it matters: times relative to now, and no
// further back than the table looks.
func (m *model) key() string {
	var b strings.Builder
	t := m.table
	rel := func(at time.Time) time.Duration {
		if at.IsZero() {
			return -time.Hour
		}
		return max(at.Sub(m.now), -5*time.Second)
	}
	r := t.reload
	fmt.Fprint(&b, t.upgrade.active, rel(t.upgrade.deadline), r.active, r.again, r.need, r.left, rel(r.deadline), t.newest-t.generation, t.generation == 1, t.minSpare, "|")
	fmt.Fprint(&b, t.ramp, t.boots.failures, rel(t.boots.notBefore), t.stopping, t.forced, t.done, m.failures)
	for i := range t.slots {
		s := t.slots[i]
		fmt.Fprint(&b, "|", s.state, s.pid, rel(s.since), rel(s.ready), rel(s.killAt), s.proved, s.asked, s.killed,
			s.generation-t.generation, rel(s.expires), s.fat, s.recycled)
	}
	return b.String()
}

// settle plays a pool that is left in peace: processes start, draining ones end,
// nothing else happens but time. The spare rules must hold then.
func (m *model) settle() error {
	for range 25 {
		if m.ended {
			return nil
		}
		var next []step
		for _, s := range m.steps() {
			switch p := m.procs[s.msg.slot]; {
			case s.msg.kind == msgStarted,
				s.msg.kind == msgReport && s.msg.state == StateIdle && !p.heard && !p.aborted,
				s.msg.kind == msgExited && m.table.slots[s.msg.slot].state > StateBusy:
				next = append(next, s)
			}
		}
		for _, s := range append(next, m.steps()[0]) {
			if err := m.do(s); err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
		}
	}
	if m.upgrading {
		return errors.New("left in peace, the upgrade never ends")
	}
	if m.loading != 0 {
		return fmt.Errorf("left in peace, the reload to generation %d never ends", m.loading)
	}
	c := m.table.count()
	switch idle := c.by[StateIdle]; {
	case m.table.stopping:
		return errors.New("left in peace, the shutdown never ends")
	case c.fresh > 0:
		return fmt.Errorf("left in peace, %d workers of a reload that failed stay", c.fresh)
	case idle < m.table.minSpare && c.live < m.table.maxClients, idle > m.table.maxSpare:
		return fmt.Errorf("left in peace, %d idle of %d workers; want %d to %d idle", idle, c.live, m.table.minSpare, m.table.maxSpare)
	}
	return nil
}
