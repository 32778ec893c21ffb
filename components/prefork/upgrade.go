package prefork

import (
	"fmt"
	"time"
)

// upgrade is a change from this master to a new one, which is being started. The
// workers are not touched until the new one has its own.
type upgrade struct {
	active   bool
	deadline time.Time // zero: none
}

// askUpgrade begins an upgrade, but not beside another change.
func (t *table) askUpgrade() {
	switch {
	case t.stopping:
		t.endUpgrade(errShuttingDown)
	case t.reload.active:
		t.endUpgrade(errReloading)
	case t.upgrade.active: // answered by whoever asks
	default:
		t.upgrade.active = true
		if t.startTimeout > 0 {
			t.upgrade.deadline = t.now.Add(t.startTimeout)
		}
		t.out = append(t.out, action{kind: actSucceed})
	}
}

// upgraded is the successor's word that it serves, or why it does not.
func (t *table) upgraded(m message) {
	if !t.upgrade.active {
		return
	}
	t.endUpgrade(m.cause)
	if m.cause == nil {
		t.stop(nil, false)
	}
}

func (t *table) endUpgrade(cause error) {
	t.upgrade = upgrade{}
	a := action{kind: actUpgraded}
	if cause != nil {
		a.err = fmt.Errorf("%w: %w", ErrUpgrade, cause)
	}
	t.out = append(t.out, a)
}
