package prefork

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
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
	ended    bool   // actDone seen
}

// proc is what the slot's process has been through.
type proc struct {
	generation      uint64 // 0: no process
	running, killed bool
	mustGo          bool // was told to end
	heard           bool // has reported, at readyAt
	readyAt         time.Time
	proved          bool // has served, or was ready for long enough
}

func newModel(l limits) *model {
	return &model{
		table: newTable(l, func() float64 { return 0 }),
		now:   someday,
		procs: make([]proc, l.maxClients),
	}
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
	for i, p := range m.procs {
		add := func(name string, msg message) {
			msg.slot, msg.generation = i, p.generation
			all = append(all, step{fmt.Sprint(name, " ", i), msg})
		}
		switch {
		case p.generation == 0:
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
	if !gaveUp && errors.Is(m.table.reason, ErrGaveUp) && m.failures < m.table.failedBoots {
		return fmt.Errorf("gave up after %d failed starts", m.failures)
	}
	return m.tracked()
}

// account follows the processes, and says whether the pool must give up now.
func (m *model) account(msg message) (mustGiveUp bool) {
	prove := func(p *proc) {
		if !p.proved {
			p.proved = true
			m.failures = 0
		}
	}
	grown := func(p *proc) bool {
		return p.heard && m.now.Sub(p.readyAt) >= m.table.youth
	}
	p := &m.procs[msg.slot]
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
		if !p.heard && !p.mustGo {
			p.heard, p.readyAt = true, m.now
		}
		if msg.state == StateBusy {
			prove(p)
		}
	case msgSpawnFailed, msgExited:
		if p.running && grown(p) {
			prove(p)
		}
		failed := !p.proved && !p.mustGo && !m.table.stopping
		*p = proc{}
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
	case actSpawn:
		if m.table.stopping {
			return fmt.Errorf("%v while stopping", a)
		}
		if p.generation != 0 {
			return fmt.Errorf("%v, where one lives", a)
		}
		if *gaveUp {
			return fmt.Errorf("%v after giving up", a)
		}
		p.generation = a.generation
	case actRetire, actSignal:
		if p.generation != a.generation || !p.running {
			return fmt.Errorf("%v: no such process", a)
		}
		if a.pid != pidOf(a.slot) {
			return fmt.Errorf("%v goes to pid %d", a, a.pid)
		}
		if p.killed {
			return fmt.Errorf("%v after KILL", a)
		}
		p.mustGo = true
		p.killed = strings.HasPrefix(a.String(), "KILL")
	}
	return nil
}

// tracked compares the table's workers with the living processes.
func (m *model) tracked() error {
	live := 0
	for i, p := range m.procs {
		if m.table.stopping && p.generation != 0 {
			m.procs[i].mustGo = true
		}
		if p.generation != 0 {
			live++
		}
		if (p.generation != 0) != (m.table.slots[i].state != StateDead) {
			return fmt.Errorf("slot %d is %v, its process lives: %v", i, m.table.slots[i].state, p.generation != 0)
		}
	}
	if live > m.table.maxClients {
		return fmt.Errorf("%d workers live, at most %d may", live, m.table.maxClients)
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
	fmt.Fprint(&b, t.ramp, t.boots.failures, rel(t.boots.notBefore), t.stopping, t.forced, t.done, m.failures)
	for i := range t.slots {
		s := t.slots[i]
		fmt.Fprint(&b, "|", s.state, s.pid, rel(s.since), rel(s.ready), rel(s.killAt), s.proved, s.asked, s.killed)
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
				s.msg.kind == msgReport && s.msg.state == StateIdle && !p.heard,
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
	c := m.table.count()
	switch idle := c.by[StateIdle]; {
	case m.table.stopping:
		return errors.New("left in peace, the shutdown never ends")
	case idle < m.table.minSpare && c.live < m.table.maxClients, idle > m.table.maxSpare:
		return fmt.Errorf("left in peace, %d idle of %d workers; want %d to %d idle", idle, c.live, m.table.minSpare, m.table.maxSpare)
	}
	return nil
}

// TestP75_P85_Model visits every state that a small pool can reach in a number
// of steps, and checks in each what must always hold: never more than MaxClients
// workers (P4, P48), no spawn while stopping (P77), every process tracked until
// reaped (P82, P87), no signal to a process that is not ours, giving up exactly
// at the limit (P57), one end. From each, a quiet pool fulfils the spare rules.
func TestP75_P85_Model(t *testing.T) {
	first := newModel(limits{
		start: 2, minSpare: 1, maxSpare: 2, maxClients: 3,
		grace: 2 * time.Second, keepOnError: true, youth: 2 * time.Second, failedBoots: 3,
		backoff: defaultBackoff,
	})
	const depth = 8
	type node struct {
		*model
		path []string
	}
	seen := map[string]bool{first.key(): true}
	level, visited := []node{{first, nil}}, 0
	for range depth {
		var next []node
		for _, n := range level {
			visited++
			if err := n.clone().settle(); err != nil {
				t.Fatalf("%v\nafter %v", err, n.path)
			}
			for _, s := range n.steps() {
				m := n.clone()
				path := append(slices.Clip(slices.Clone(n.path)), s.name)
				if err := m.do(s); err != nil {
					t.Fatalf("%v\nafter %v", err, path)
				}
				if k := m.key(); !seen[k] {
					seen[k] = true
					next = append(next, node{m, path})
				}
			}
		}
		level = next
	}
	if visited < 1000 {
		t.Fatalf("only %d states visited; the model explores too little", visited)
	}
	t.Logf("%d states visited", visited)
}
