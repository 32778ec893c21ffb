//go:build unix

package prefork

import (
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel/filter"
)

// signals are those that the master watches.
var signals = []string{"INT", "TERM", "HUP", "USR1", "USR2", "TTIN", "TTOU"}

// passedOn is the argument of a signal that a pool has dealt with and passes on.
type passedOn struct{}

// caught is a signal. On INT and TERM the pool needs time, so it saves everyone
// for now. What another pool passes on was meant for this one, too, and reached it
// before.
func (m *master) caught(c *kernel.Context) error {
	c.SigHandled()
	if _, again := c.Arg(1).(passedOn); again {
		return nil
	}
	switch name, _ := c.Arg(0).(string); name {
	case "HUP":
		return m.reload(c, nil)
	case "USR1":
		return m.reopen(c)
	case "USR2":
		return m.askUpgrade(c, nil)
	case "TTIN":
		return m.tell(c, message{kind: msgMore})
	case "TTOU":
		return m.tell(c, message{kind: msgLess})
	default:
		m.signal = name
		m.signals++
		asked := m.signals
		if c.Kernel().Cancelled() { // that is one of them
			asked--
		}
		return m.shutdown(c, asked)
	}
}

// reopen has log files reopened, here and in every worker.
func (m *master) reopen(c *kernel.Context) error {
	for _, h := range m.crew {
		_ = h.control.Put(filter.Frame{Name: wordReopen})
	}
	if m.cfg.Reopen != nil {
		m.cfg.Reopen()
	}
	return nil
}
