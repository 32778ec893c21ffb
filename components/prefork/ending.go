//go:build unix

package prefork

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/usher-go/usher/kernel"
)

// lastGrace is how long workers have to end when the master's session is ended
// from outside, before they are killed.
const lastGrace = time.Second

// exited clears up after a worker and says how it ended (P87).
func (m *master) exited(c *kernel.Context, e exit) error {
	h := m.crew[e.slot]
	if h == nil || h.life != e.life {
		return nil // hire gave it up
	}
	delete(m.crew, e.slot)
	h.release()
	last := m.pool.board.status(e.slot) // it knows better than the last tick
	m.pool.board.vacate(e.slot, e.life, c.Now())
	cause := e.err
	if cause == nil && !e.state.Success() {
		cause = errors.New(e.state.String())
	}
	why := cause
	switch asked := m.table.asked(e.slot, e.life); {
	case asked && terminated(e.state):
		cause = nil // as it should
	case !asked && !h.ready && last.Connections == 0:
		why = h.process.said.explain(cause)
		cause = why // also with status 0: it was to stay
	}
	if cause != nil {
		m.pool.lost.Add(1)
		c.Kernel().Report("prefork", "worker lost", fmt.Errorf("slot %d, pid %d: %w", e.slot, h.process.pid, why))
	}
	if last.Connections > 0 {
		if err := m.tell(c, message{
			kind: msgReport, slot: e.slot, life: e.life, state: StateDead, served: true,
		}); err != nil {
			return err
		}
	}
	return m.tell(c, message{kind: msgExited, slot: e.slot, life: e.life, cause: why})
}

// terminated tells whether it was SIGTERM that ended a process.
func terminated(s *os.ProcessState) bool {
	if s == nil {
		return false
	}
	status, ok := s.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGTERM
}

// shutdown asks the workers to finish; who asks a second time has them killed. What
// comes in another way is no second time: a program that calls Shutdown on a signal, or
// gives Run the context of signal.NotifyContext, has both for one.
func (m *master) shutdown(c *kernel.Context, asked int) error {
	if m.table.stopping && asked < 2 {
		return nil
	}
	return m.tell(c, message{kind: msgShutdown})
}

// finish ends the pool: no worker is left. A failure goes on to Run as an
// exception, a signal that ended the pool to the rest of the kernel.
func (m *master) finish(c *kernel.Context, err error) error {
	if err != nil {
		return err
	}
	for _, name := range signals {
		c.Sig(name, "")
	}
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
	masters.Add(-1)
	m.pid.remove()
	if m.successor != nil {
		m.successor.dismiss(m.cfg.Grace)
		m.successor.lease.Release()
	}
	if m.predecessor != nil {
		_ = m.predecessor.Close()
	}
	for _, p := range m.spawner.programs {
		p.close()
	}
	_ = c.AliasRemove(m.pool.name) // whoever waits for the end may begin anew
	close(m.pool.over)
	return nil
}
