//go:build unix

package prefork

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel/filter"
)

// masters counts the pools of this process that run.
var masters atomic.Int64

// successor is the next master, while it is being started.
type successor struct {
	process *os.Process
	control *controlWheel
	lease   *kernel.Lease
}

// Upgrade replaces the master as well as the workers by the program that is on
// disk now, and waits for the result. So does USR2, which tells nobody but the
// observer of the kernel (Kernel.Report) when it fails.
//
// The program is started as a new master. For addresses that both have in
// Config.Listen it inherits the listeners, which stay open all the time. When its
// own workers are ready it writes the PID file, and this pool ends as if by TERM:
// workers finish what they have, for Config.Grace at most, and the signal goes on
// to the rest of the kernel. Upgrade returns nil then. If the new program ends,
// or is not ready within Config.StartTimeout, it is ended, this pool goes on, and
// the error, which matches ErrUpgrade, says why.
//
// It is refused during a reload or another upgrade, and where several pools share
// the process. As Reload, do not call it from a handler in serial mode; when ctx
// ends first, the upgrade goes on.
func (p *Pool) Upgrade(ctx context.Context) error { return p.ask(ctx, evUpgrade, ErrUpgrade) }

func (m *master) askUpgrade(c *kernel.Context, result chan error) error {
	if result == nil {
		result = make(chan error, 1) // a signal
	}
	var refused error
	switch {
	case m.table.upgrade.active:
		refused = errUpgrading
	case masters.Load() > 1:
		refused = errSeveral
	default:
		m.upgradeAsked = result
		return m.tell(c, message{kind: msgUpgrade})
	}
	refused = fmt.Errorf("%w: %w", ErrUpgrade, refused)
	c.Kernel().Report("prefork", "upgrade failed", refused)
	result <- refused
	return nil
}

// succeed starts the next master.
func (m *master) succeed(c *kernel.Context) error {
	s, err := m.startSuccessor(c)
	if err != nil {
		return m.tell(c, message{kind: msgUpgraded, cause: err})
	}
	m.successor = s
	return nil
}

func (m *master) startSuccessor(c *kernel.Context) (*successor, error) {
	program, err := onDisk(m.path)
	if err != nil {
		return nil, err
	}
	defer program.close()
	cmd, conn, err := m.spawner.startMaster(program)
	if err != nil {
		return nil, err
	}
	s := &successor{process: cmd.Process, lease: c.Lease("successor")}
	go func() {
		err := cmd.Wait()
		if err == nil {
			err = errExitedEarly
		}
		_ = s.lease.Post(evSuccessorGone.Name(), successorGone{s, err}) // a master that has ended need not know
	}()
	if s.control, err = newControl(c, conn); err != nil {
		_ = conn.Close()
		s.dismiss(m.cfg.Grace)
		return nil, err
	}
	return s, nil
}

// successorGone is the end of a successor.
type successorGone struct {
	who *successor
	err error
}

func (m *master) successorGone(c *kernel.Context, g successorGone) error {
	g.who.lease.Release()
	if g.who != m.successor {
		return nil
	}
	return m.tell(c, message{kind: msgUpgraded, cause: fmt.Errorf("%w; read what it wrote to standard error", g.err)})
}

// upgraded tells everybody how an upgrade ended, and hands over if it succeeded.
func (m *master) upgraded(c *kernel.Context, err error) {
	if m.upgradeAsked != nil {
		m.upgradeAsked <- err
	}
	s := m.successor
	m.upgradeAsked, m.successor = nil, nil
	if s != nil && s.control != nil {
		s.control.Close()
	}
	if err != nil {
		if !errors.Is(err, errShuttingDown) {
			c.Kernel().Report("prefork", "upgrade failed", err)
		}
		if s != nil {
			s.dismiss(m.cfg.Grace)
		}
		return
	}
	s.lease.Release() // it lives on without its parent
	for _, e := range m.pool.endpoints {
		e.file = nil // the socket files are its own now
	}
	m.signal, m.signals = "TERM", 1
	if m.cfg.Notify {
		m.announced.stopping = true // the service does not stop
		m.notify(c, fmt.Sprintf("MAINPID=%d\n%s", s.process.Pid, daemon.SdNotifyReady))
	}
}

// dismiss ends a successor that is not wanted; its workers finish what they have.
func (s *successor) dismiss(grace time.Duration) {
	_ = s.process.Signal(syscall.SIGTERM)
	if grace != Unlimited {
		time.AfterFunc(grace, func() { _ = s.process.Kill() })
	}
}

// takeOver tells the predecessor that this master has workers, and takes over its
// socket files.
func (m *master) takeOver(c *kernel.Context) {
	if m.predecessor == nil {
		return
	}
	for _, e := range m.pool.endpoints {
		if e.network == "unix" && e.file == nil {
			e.file, _ = os.Lstat(e.target) // nil: somebody has removed it already
		}
	}
	if control, err := newControl(c, m.predecessor); err == nil {
		_ = control.Put(filter.Frame{Name: wordReady}) // one that is gone need not know
		control.CloseFlushed()
	}
	m.predecessor = nil
}
