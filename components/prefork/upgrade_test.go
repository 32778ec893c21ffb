package prefork

import (
	"errors"
	"testing"
	"time"
)

func upgradeError(t *testing.T, acts []action) error {
	t.Helper()
	for _, a := range acts {
		if a.kind == actUpgraded {
			return a.err
		}
	}
	t.Fatalf("no upgrade ended in %q", words(acts))
	return nil
}

func TestIII18_UpgradeStopsTheOldMasterWhenTheNewOneServes(t *testing.T) {
	r := newRig(t, func(l *limits) { l.start, l.maxClients = 2, 2 }).running()
	r.want(r.apply(message{kind: msgUpgrade}), "succeed")
	r.want(r.apply(message{kind: msgUpgrade})) // one is enough
	r.want(r.tick())
	r.want(r.apply(message{kind: msgUpgraded}), "upgraded", "retire 0", "retire 1")
	r.want(r.apply(message{kind: msgUpgraded, cause: errBroken})) // what happens to it now is its own affair
	r.exit(0, nil)
	r.want(r.exit(1, nil), "done")
}

func TestIII18_FailedUpgradeChangesNothing(t *testing.T) {
	r := newRig(t, func(l *limits) { l.start, l.maxClients, l.surplus = 2, 2, 2 }).running()
	r.apply(message{kind: msgUpgrade})
	acts := r.apply(message{kind: msgUpgraded, cause: errBroken})
	r.want(acts, "upgrade failed")
	if err := upgradeError(t, acts); !errors.Is(err, ErrUpgrade) || !errors.Is(err, errBroken) {
		t.Error(err)
	}
	r.want(r.apply(message{kind: msgUpgrade}), "succeed")
	reload := r.apply(message{kind: msgReload})
	r.want(reload, "reload failed 1")
	if err := reloadError(t, reload); !errors.Is(err, errUpgrading) {
		t.Error(err)
	}
	r.wait(r.table.startTimeout)
	acts = r.tick()
	r.want(acts, "upgrade failed")
	if err := upgradeError(t, acts); !errors.Is(err, errNotReady) {
		t.Error(err)
	}
	r.wantStates("__..")
	r.started(r.apply(message{kind: msgReload}))
	acts = r.apply(message{kind: msgUpgrade})
	r.want(acts, "upgrade failed")
	if err := upgradeError(t, acts); !errors.Is(err, errReloading) {
		t.Error(err)
	}
}

func TestIII18_ShutdownEndsAnUpgrade(t *testing.T) {
	r := newRig(t, func(l *limits) { l.start, l.maxClients, l.startTimeout = 1, 1, Unlimited }).running()
	r.apply(message{kind: msgUpgrade})
	r.wait(1000 * time.Hour)
	r.want(r.tick())
	acts := r.apply(message{kind: msgShutdown})
	r.want(acts, "upgrade failed", "retire 0")
	acts = r.apply(message{kind: msgUpgrade})
	r.want(acts, "upgrade failed")
	if err := upgradeError(t, acts); !errors.Is(err, errShuttingDown) {
		t.Error(err)
	}
}
