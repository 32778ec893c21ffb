//go:build unix

package prefork

import (
	"fmt"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"github.com/usher-go/usher/kernel"
)

// announced is what the world outside has been told of a pool.
type announced struct {
	ready, reloading, stopping bool
	status                     string
}

// announce tells the world what has changed: the PID file appears when the pool
// is ready, and the service manager hears of it (sd_notify(3)).
func (m *master) announce(c *kernel.Context) error {
	t, count := m.table, m.table.count()
	was := m.announced
	if !was.ready && !t.stopping && count.serving() >= min(t.minSpare, t.maxClients) {
		if err := m.pid.write(); err != nil {
			return err
		}
		m.announced.ready = true
		m.takeOver(c)
	}
	m.announced.reloading = t.reload.active
	m.announced.stopping = t.stopping
	now := m.announced
	switch {
	case !m.cfg.Notify:
	case now.stopping && !was.stopping:
		m.notify(c, daemon.SdNotifyStopping)
	case now.reloading && !was.reloading:
		m.notify(c, daemon.SdNotifyReloading+"\n"+daemon.SdNotifyMonotonicUsec())
	case now.ready && !was.ready, now.ready && !now.reloading && was.reloading:
		m.notify(c, daemon.SdNotifyReady)
	}
	return nil
}

// status says in a line how the pool is, when that has changed.
func (m *master) status(c *kernel.Context) {
	if !m.cfg.Notify {
		return
	}
	t, n := m.table, m.table.count()
	s := fmt.Sprintf("STATUS=%d idle, %d busy, %d processes; generation %d", n.by[StateIdle], n.by[StateBusy], n.live, t.generation)
	if s != m.announced.status {
		m.announced.status = s
		m.notify(c, s)
	}
}

// lives keeps the service manager's watchdog quiet, as long as the master handles
// events.
func (m *master) lives(c *kernel.Context, every time.Duration) error {
	m.notify(c, daemon.SdNotifyWatchdog)
	evAlive.Delay(c, every, every)
	return nil
}

// watched begins that, if the service manager asks for it.
func (m *master) watched(c *kernel.Context) error {
	if !m.cfg.Notify {
		return nil
	}
	limit, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		c.Kernel().Report("prefork", "unusable WATCHDOG_USEC", err)
	}
	if err != nil || limit <= 0 {
		return nil
	}
	return m.lives(c, limit/2)
}

func (m *master) notify(c *kernel.Context, s string) {
	if _, err := daemon.SdNotify(false, s); err != nil {
		c.Kernel().Report("prefork", "cannot tell the service manager", err)
	}
}
