//go:build unix

package prefork

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

// The master's session takes these.
const (
	evTick     kernel.Event[struct{}]     = "tick"
	evExited   kernel.Event[exit]         = "exited"
	evWord     kernel.Event[filter.Frame] = "word" // from a worker
	evMute     kernel.Event[error]        = "mute" // its control socket ended
	evShutdown kernel.Event[struct{}]     = "shutdown"
	evStats    kernel.Event[struct{}]     = "stats" // called
)

// What master and worker tell each other over the control socket: event frames,
// as between any two kernels.
const (
	wordReady  = "ready"  // worker: I accept; slot's generation
	wordRetire = "retire" // master: finish and leave
	wordDrain  = "drain"  // worker: I accept no more (P19, P66)
)

// exit is how a worker ended.
type exit struct {
	slot       int
	generation uint64
	state      *os.ProcessState
	err        error
}

// hand is a worker process with its control socket.
type hand struct {
	generation uint64
	process    *process
	control    *wheel.ReadWrite[filter.Frame, filter.Frame]
	lease      *kernel.Lease
}

// master is the pool's session: it does what the table decides.
type master struct {
	pool    *Pool
	cfg     Config
	table   *table
	spawner *spawner
	crew    map[int]*hand // by slot
	started int
	lost    int
	signal  string // that ended the pool
	done    bool
}

func (m *master) states() []session.State {
	return []session.State{
		session.Handle("_start", m.start),
		session.Handle("_stop", m.stop),
		session.Handle("signal", m.caught),
		session.On(evTick, m.tick),
		session.On(evExited, m.exited),
		session.On(evWord, m.word),
		session.On(evMute, func(*kernel.Context, error) error { return nil }), // its end is seen when it is reaped
		session.On(evShutdown, func(c *kernel.Context, _ struct{}) error { return m.shutdown(c) }),
		session.On(evStats, m.stats),
	}
}

func (m *master) start(c *kernel.Context) error {
	c.Sig("INT", "signal")
	c.Sig("TERM", "signal")
	return evTick.Yield(c, struct{}{})
}

// tick reads the scoreboard, then has the numbers judged (P79).
func (m *master) tick(c *kernel.Context, _ struct{}) error {
	now := c.Now()
	var acts []action
	for _, w := range m.pool.board.snapshot(nil) {
		if h := m.crew[w.Slot]; h != nil && h.generation == w.Generation {
			acts = append(acts, m.table.apply(message{
				kind: msgReport, at: now, slot: w.Slot, generation: w.Generation,
				state: w.State, served: w.Connections > 0, beat: w.Beat,
			})...)
		}
	}
	acts = append(acts, m.table.apply(message{kind: msgTick, at: now})...)
	if !m.done {
		evTick.Delay(c, m.cfg.CheckSpares, struct{}{})
	}
	return m.do(c, acts)
}

func (m *master) apply(c *kernel.Context, msg message) error {
	msg.at = c.Now()
	return m.do(c, m.table.apply(msg))
}

func (m *master) do(c *kernel.Context, acts []action) error {
	for _, a := range acts {
		if err := m.perform(c, a); err != nil {
			return err
		}
	}
	return nil
}

func (m *master) perform(c *kernel.Context, a action) error {
	h := m.crew[a.slot]
	switch a.kind {
	case actSpawn:
		return m.spawn(c, a)
	case actRetire:
		if h != nil && h.control != nil {
			_ = h.control.Put(filter.Frame{Name: wordRetire}) // a worker that cannot hear is ended by the grace period
		}
	case actSignal:
		if h != nil {
			if err := h.process.signal(a.signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
				c.Kernel().Report("prefork", "signal failed", err)
			}
		}
	case actDone:
		m.finish(c, a.err)
	}
	return nil
}

// spawn starts the worker of a slot. Its exit comes as an event, also when it
// dies before spawn returns.
func (m *master) spawn(c *kernel.Context, a action) error {
	if !m.table.wants(a) {
		return m.apply(c, message{kind: msgSpawnFailed, slot: a.slot, generation: a.generation})
	}
	m.pool.board.assign(a.slot, a.generation, c.Now())
	lease := c.Lease(fmt.Sprintf("worker in slot %d", a.slot))
	p, err := m.spawner.spawn(a.slot, a.generation, func(s *os.ProcessState, err error) {
		_ = lease.Post(evExited.Name(), exit{a.slot, a.generation, s, err})
	})
	if err != nil {
		lease.Release()
		c.Kernel().Report("prefork", "cannot start a worker", err)
		return m.apply(c, message{kind: msgSpawnFailed, slot: a.slot, generation: a.generation, cause: err})
	}
	m.started++
	h := &hand{generation: a.generation, process: p, lease: lease}
	m.crew[a.slot] = h
	if h.control, err = control(c, p.control); err != nil {
		return err
	}
	return m.apply(c, message{kind: msgStarted, slot: a.slot, generation: a.generation, pid: p.pid})
}

// control puts a wheel on a control socket's end.
func control(c *kernel.Context, conn net.Conn) (*wheel.ReadWrite[filter.Frame, filter.Frame], error) {
	f, err := filter.NewEvent(filter.EventConfig{MaxFrame: 64 << 10})
	if err != nil {
		return nil, err
	}
	return wheel.NewReadWrite(c, conn, wheel.ReadWriteConfig[filter.Frame, filter.Frame]{
		Filter: f, InputEvent: evWord, CloseEvent: evMute,
	})
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
			msg.state, msg.served = StateDraining, true
		default:
			return nil
		}
		return m.apply(c, msg)
	}
	return nil
}

func (m *master) exited(c *kernel.Context, e exit) error {
	h := m.crew[e.slot]
	delete(m.crew, e.slot)
	h.control.Close()
	h.lease.Release()
	served := false
	for _, w := range m.pool.board.snapshot(nil) {
		served = served || w.Slot == e.slot && w.Generation == e.generation && w.Connections > 0
	}
	m.pool.board.vacate(e.slot, e.generation, c.Now())
	cause := e.err
	if cause == nil && e.state != nil && !e.state.Success() {
		cause = errors.New(e.state.String())
	}
	if cause != nil {
		m.lost++
		c.Kernel().Report("prefork", "worker lost", fmt.Errorf("slot %d, pid %d: %w", e.slot, h.process.pid, cause))
	}
	if served { // the scoreboard knows better than the last tick
		acts := m.table.apply(message{
			kind: msgReport, at: c.Now(), slot: e.slot, generation: e.generation, state: StateDead, served: true,
		})
		if err := m.do(c, acts); err != nil {
			return err
		}
	}
	return m.apply(c, message{kind: msgExited, slot: e.slot, generation: e.generation, cause: cause})
}

// caught is INT or TERM. The pool needs time, so it saves everyone for now.
func (m *master) caught(c *kernel.Context) error {
	c.SigHandled()
	m.signal, _ = c.Arg(0).(string)
	return m.shutdown(c)
}

// shutdown asks the workers to finish; a second time it kills them. When they
// have closed their listeners, too, nobody waits in vain to be accepted.
func (m *master) shutdown(c *kernel.Context) error {
	m.pool.closeEndpoints()
	return m.apply(c, message{kind: msgShutdown, force: m.table.stopping})
}

// finish ends the pool: no worker is left. A signal that ended it goes on to the
// others, a failure to Run.
func (m *master) finish(c *kernel.Context, err error) {
	m.done = true
	c.AlarmClear(evTick.Name())
	c.Sig("INT", "")
	c.Sig("TERM", "")
	m.pool.closeEndpoints()
	if m.signal != "" {
		_ = c.Signal("", m.signal)
	}
	if err == nil {
		c.Stop()
		return
	}
	c.State("gave up", func(*kernel.Context) error { return err }) // as an exception, which Run returns
	_ = c.Yield("gave up")
}

func (m *master) stats(c *kernel.Context, _ struct{}) error {
	s := Stats{Started: m.started, Lost: m.lost}
	for _, w := range m.pool.board.snapshot(nil) {
		s.Letters += string(w.State.Letter())
		if w.State != StateDead {
			s.Workers = append(s.Workers, w)
		}
	}
	c.Return(s)
	return nil
}

// lastGrace is how long workers have to end when the master's session is ended
// from outside, before they are killed.
const lastGrace = time.Second

// stop sees to it that no worker outlives its master's session, whatever ended
// that: the control sockets close, workers get TERM, and KILL after lastGrace.
func (m *master) stop(c *kernel.Context) error {
	c.Kernel().Describe(m.pool.name, nil)
	m.pool.closeEndpoints()
	for _, h := range m.crew {
		h.control.Close()
		_ = h.process.signal(syscall.SIGTERM)
	}
	deadline := time.Now().Add(lastGrace)
	for _, h := range m.crew {
		if !h.process.reaped(time.Until(deadline)) {
			_ = h.process.signal(syscall.SIGKILL)
			h.process.reaped(lastGrace)
		}
	}
	return nil
}
