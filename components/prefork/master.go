//go:build unix

package prefork

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel/filter"
)

// The master's session takes these beside evWord and evMute.
const (
	evTick     kernel.Event[struct{}] = "tick"
	evExited   kernel.Event[exit]     = "exited"
	evShutdown kernel.Event[struct{}] = "shutdown"
)

// lastGrace is how long workers have to end when the master's session is ended
// from outside, before they are killed.
const lastGrace = time.Second

// master is the pool's session: it does what the table decides.
type master struct {
	pool    *Pool
	cfg     Config
	table   *table
	spawner *spawner
	crew    map[int]*hand // by slot
	signal  string        // that ended the pool
}

func newMaster(p *Pool, cfg Config, l limits) *master {
	return &master{
		pool: p, cfg: cfg,
		table:   newTable(l, rand.Float64),
		spawner: &spawner{cfg.Name, p.board, p.endpoints},
		crew:    map[int]*hand{},
	}
}

func (m *master) session() *session.Session {
	return session.New(
		session.Handle("_start", m.start),
		session.Handle("_stop", m.stop),
		session.Handle("signal", m.caught),
		session.On(evTick, m.tick),
		session.On(evExited, m.exited),
		session.On(evWord, m.word),
		session.On(evMute, func(*kernel.Context, error) error { return nil }), // its end is seen when it is reaped
		session.On(evShutdown, func(c *kernel.Context, _ struct{}) error { return m.shutdown(c) }),
	)
}

func (m *master) start(c *kernel.Context) error {
	c.Sig("INT", "signal")
	c.Sig("TERM", "signal")
	return evTick.Yield(c, struct{}{})
}

// tell gives the table what happened, and does what it decides.
func (m *master) tell(c *kernel.Context, msg message) error {
	msg.at = c.Now()
	for _, a := range m.table.apply(msg) {
		if err := m.perform(c, a); err != nil {
			return err
		}
	}
	if m.table.stopping {
		// Workers accept no more. A client that the master let connect would
		// wait for nobody.
		m.pool.closeEndpoints()
	}
	return nil
}

func (m *master) perform(c *kernel.Context, a action) error {
	h := m.crew[a.slot]
	switch {
	case a.kind == actSpawn:
		return m.spawn(c, a)
	case a.kind == actDone:
		return m.finish(c, a.err)
	case h == nil || h.generation != a.generation:
	case a.kind == actRetire:
		h.retire()
	case a.kind == actSignal:
		if err := h.process.signal(a.signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
			c.Kernel().Report("prefork", "signal failed", err)
		}
	}
	return nil
}

func (m *master) spawn(c *kernel.Context, a action) error {
	failed := message{kind: msgSpawnFailed, slot: a.slot, generation: a.generation}
	if !m.table.wants(a) {
		return m.tell(c, failed)
	}
	m.pool.board.assign(a.slot, a.generation, c.Now())
	h, err := m.spawner.hire(c, a.slot, a.generation)
	if err != nil {
		m.pool.board.vacate(a.slot, a.generation, c.Now())
		c.Kernel().Report("prefork", "cannot start a worker", err)
		failed.cause = err
		return m.tell(c, failed)
	}
	m.crew[a.slot] = h
	m.pool.started.Add(1)
	return m.tell(c, message{kind: msgStarted, slot: a.slot, generation: a.generation, pid: h.process.pid})
}

// tick reads the scoreboard, then has the numbers judged (P79).
func (m *master) tick(c *kernel.Context, _ struct{}) error {
	for _, w := range m.pool.board.snapshot(nil) {
		if h := m.crew[w.Slot]; h == nil || h.generation != w.Generation {
			continue
		}
		if err := m.tell(c, message{
			kind: msgReport, slot: w.Slot, generation: w.Generation,
			state: w.State, served: w.Connections > 0, beat: w.Beat,
		}); err != nil {
			return err
		}
	}
	if err := m.tell(c, message{kind: msgTick}); err != nil {
		return err
	}
	if !m.table.done {
		evTick.Delay(c, m.cfg.CheckSpares, struct{}{})
	}
	return nil
}

// word is what a worker says.
func (m *master) word(c *kernel.Context, f filter.Frame) error {
	for slot, h := range m.crew {
		if h.control.ID() != c.Wheel() {
			continue
		}
		msg := message{kind: msgReport, slot: slot, generation: h.generation}
		switch f.Name {
		case wordReady:
			msg.state = StateIdle
		case wordDrain:
			msg.state = StateDraining
		default:
			return nil
		}
		return m.tell(c, msg)
	}
	return nil
}

func (m *master) exited(c *kernel.Context, e exit) error {
	h := m.crew[e.slot]
	delete(m.crew, e.slot)
	h.release()
	last := m.pool.board.status(e.slot) // it knows better than the last tick
	m.pool.board.vacate(e.slot, e.generation, c.Now())
	cause := e.err
	if cause == nil && !e.state.Success() {
		cause = errors.New(e.state.String())
	}
	if cause != nil {
		m.pool.lost.Add(1)
		c.Kernel().Report("prefork", "worker lost", fmt.Errorf("slot %d, pid %d: %w", e.slot, h.process.pid, cause))
	}
	if last.Connections > 0 {
		if err := m.tell(c, message{
			kind: msgReport, slot: e.slot, generation: e.generation, state: StateDead, served: true,
		}); err != nil {
			return err
		}
	}
	return m.tell(c, message{kind: msgExited, slot: e.slot, generation: e.generation, cause: cause})
}

// passedOn is the argument of a signal that a pool has dealt with and passes on.
type passedOn struct{}

// caught is INT or TERM. The pool needs time, so it saves everyone for now. What
// another pool passes on was meant for this one, too, and reached it before.
func (m *master) caught(c *kernel.Context) error {
	c.SigHandled()
	if _, again := c.Arg(1).(passedOn); again {
		return nil
	}
	m.signal, _ = c.Arg(0).(string)
	return m.shutdown(c)
}

// shutdown asks the workers to finish; a second time it kills them.
func (m *master) shutdown(c *kernel.Context) error {
	return m.tell(c, message{kind: msgShutdown})
}

// finish ends the pool: no worker is left. A failure goes on to Run as an
// exception, a signal that ended the pool to the rest of the kernel.
func (m *master) finish(c *kernel.Context, err error) error {
	if err != nil {
		return err
	}
	c.Sig("INT", "")
	c.Sig("TERM", "")
	if m.signal != "" {
		_ = c.Signal("", m.signal, passedOn{})
	}
	c.Stop()
	return nil
}

// stop sees to it that no worker outlives its master's session, whatever ended
// that, and that the pool is seen to have ended.
func (m *master) stop(c *kernel.Context) error {
	c.Kernel().Describe(m.pool.name, nil)
	m.pool.ended.Store(true)
	m.pool.closeEndpoints()
	disband(m.crew, lastGrace)
	_ = m.pool.board.close()
	return nil
}
