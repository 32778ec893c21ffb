//go:build unix

package prefork

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel/filter"
)

// The master's session takes these beside evWord and evMute.
const (
	evTick          kernel.Event[struct{}]      = "tick"
	evExited        kernel.Event[exit]          = "exited"
	evShutdown      kernel.Event[struct{}]      = "shutdown"
	evReload        kernel.Event[chan error]    = "reload"
	evUpgrade       kernel.Event[chan error]    = "upgrade"
	evSuccessorGone kernel.Event[successorGone] = "successor_gone"
	evAlive         kernel.Event[time.Duration] = "alive"
)

// master is the pool's session: it does what the table decides.
type master struct {
	pool    *Pool
	cfg     Config
	table   *table
	spawner *spawner
	crew    map[int]*hand // by slot
	signal  string        // that ended the pool
	signals int           // so often it was asked to end by one …
	calls   int           // … and by Shutdown

	path               string       // of the program, for a reload
	waiting, following []chan error // for this reload, for the next
	lastReload         error

	successor    *successor // being started
	upgradeAsked chan error // who asked for it
	predecessor  net.Conn   // that this master takes over from

	pid       pidFile
	announced announced
}

func newMaster(p *Pool, cfg Config, l limits, from *handover) (*master, error) {
	path, err := invoked()
	if err != nil {
		return nil, err
	}
	program, err := thisProgram()
	if err != nil {
		return nil, err
	}
	m := &master{
		pool: p, cfg: cfg, path: path,
		table:   newTable(l, rand.Float64),
		spawner: &spawner{cfg.Name, p.board, p.endpoints, map[int]*software{1: program}, cfg.Tell},
		crew:    map[int]*hand{},
		pid:     pidFile{path: cfg.PIDFile, takeOver: from != nil},
	}
	if from != nil {
		m.predecessor = from.predecessor()
	}
	return m, nil
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
		session.On(evReload, m.reload),
		session.On(evUpgrade, m.askUpgrade),
		session.On(evSuccessorGone, m.successorGone),
		session.On(evAlive, m.lives),
		session.On(evShutdown, func(c *kernel.Context, _ struct{}) error {
			m.calls++
			return m.shutdown(c, m.calls)
		}),
	)
}

func (m *master) start(c *kernel.Context) error {
	masters.Add(1)
	for _, name := range signals {
		c.Sig(name, "signal")
	}
	if err := m.watched(c); err != nil {
		return err
	}
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
	m.tidy()
	m.show()
	if m.table.stopping {
		// Workers accept no more. A client that the master let connect would
		// wait for nobody.
		m.pool.closeEndpoints()
	}
	return m.announce(c)
}

func (m *master) perform(c *kernel.Context, a action) error {
	h := m.crew[a.slot]
	switch {
	case a.kind == actSpawn:
		return m.spawn(c, a)
	case a.kind == actLoad:
		return m.load(c, a.generation)
	case a.kind == actReloaded:
		m.reloaded(c, a)
	case a.kind == actSucceed:
		return m.succeed(c)
	case a.kind == actUpgraded:
		m.upgraded(c, a.err)
	case a.kind == actDone:
		return m.finish(c, a.err)
	case h == nil || h.life != a.life:
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
	failed := message{kind: msgSpawnFailed, slot: a.slot, life: a.life}
	if !m.table.wants(a) {
		return m.tell(c, failed)
	}
	m.pool.board.assign(a.slot, a.life, a.generation, c.Now())
	h, err := m.spawner.hire(c, a.slot, a.life, a.generation)
	if err != nil {
		m.pool.board.vacate(a.slot, a.life, c.Now())
		c.Kernel().Report("prefork", "cannot start a worker", err)
		failed.cause = err
		return m.tell(c, failed)
	}
	m.crew[a.slot] = h
	m.pool.started.Add(1)
	return m.tell(c, message{kind: msgStarted, slot: a.slot, life: a.life, pid: h.process.pid})
}

// tick reads the scoreboard, then has the numbers judged (P79).
func (m *master) tick(c *kernel.Context, _ struct{}) error {
	for _, w := range m.pool.board.snapshot(nil) {
		h := m.crew[w.Slot]
		if h == nil || h.life != w.Life {
			continue
		}
		if err := m.tell(c, message{
			kind: msgReport, slot: w.Slot, life: w.Life,
			state: w.State, served: w.Connections > 0, beat: w.Beat, rss: m.memory(h.process.pid),
		}); err != nil {
			return err
		}
	}
	if err := m.tell(c, message{kind: msgTick}); err != nil {
		return err
	}
	m.status(c)
	if !m.table.done {
		evTick.Delay(c, m.cfg.CheckSpares, struct{}{})
	}
	return nil
}

// word is what a worker says.
func (m *master) word(c *kernel.Context, f filter.Frame) error {
	if m.successor != nil && m.successor.control.ID() == c.Wheel() {
		if f.Name != wordReady {
			return nil
		}
		return m.tell(c, message{kind: msgUpgraded})
	}
	for slot, h := range m.crew {
		if h.control.ID() != c.Wheel() {
			continue
		}
		msg := message{kind: msgReport, slot: slot, life: h.life}
		switch f.Name {
		case wordReady:
			h.ready, msg.state = true, StateIdle
		case wordDrain:
			msg.state = StateDraining
		case wordSlow:
			m.pool.slow.Add(1)
			c.Kernel().Report("prefork", "worker silent", fmt.Errorf("slot %d, pid %d: no event handled for %v; "+
				"its standard error has the stacks of its goroutines", slot, h.process.pid, m.cfg.SoftTimeout))
			return nil
		default:
			return nil
		}
		return m.tell(c, msg)
	}
	return nil
}

// memory is measured only for who wants to know.
func (m *master) memory(pid int) int64 {
	if m.cfg.MaxRSS == 0 {
		return 0
	}
	return residentMemory(pid)
}
