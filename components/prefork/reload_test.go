package prefork

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// reloading is a pool of two idle workers and a busy one, three of them of
// generation 1, that has been asked to reload: "__WSSS.." with the new ones last.
func reloading(t *testing.T, change func(*limits)) *rig {
	t.Helper()
	r := newRig(t, func(l *limits) {
		l.start, l.maxClients, l.surplus = 3, 5, 3
		if change != nil {
			change(l)
		}
	}).running()
	r.report(2, StateBusy)
	acts := r.apply(message{kind: msgReload})
	r.want(acts, "load 2", "spawn 3", "spawn 4", "spawn 5")
	r.want(r.started(acts))
	r.wantStates("__WSSS..")
	return r
}

func reloadError(t *testing.T, acts []action) error {
	t.Helper()
	for _, a := range acts {
		if a.kind == actReloaded {
			return a.err
		}
	}
	t.Fatalf("no reload ended in %q", words(acts))
	return nil
}

func TestIII1_OldWorkersServeUntilEnoughNewOnesAreReady(t *testing.T) {
	r := reloading(t, nil)
	r.want(r.report(3, StateIdle))
	r.want(r.report(4, StateBusy)) // it serves already: the listeners are shared
	r.wantStates("__W_WS..")
	r.want(r.report(5, StateIdle), "retire 0", "retire 1", "retire 2", "reloaded 2")
	r.wantStates("GGG_W_..")
	for slot := range 3 {
		r.want(r.exit(slot, nil))
	}
	r.wait(r.table.youth)
	r.want(r.tick())
	r.want(r.exit(3, errBroken))
	acts := r.exit(5, errBroken)
	r.want(acts, "spawn 0")
	if g := acts[0].generation; g != 2 {
		t.Fatalf("the successor runs generation %d, want 2", g)
	}
}

// replaced is a pool of two, and two workers of an earlier program that have not
// finished yet: "GG__", and room for others than these two.
func replaced(t *testing.T, others int) *rig {
	t.Helper()
	r := newRig(t, func(l *limits) {
		l.start, l.maxClients, l.surplus, l.startTimeout = 2, 2+others, 2, 3*time.Second
	}).running()
	r.want(r.started(r.apply(message{kind: msgReload})))
	r.want(r.report(2, StateIdle))
	r.want(r.report(3, StateIdle), "retire 0", "retire 1", "reloaded 2")
	r.wait(r.table.youth)
	r.want(r.tick())
	return r
}

// A connection that lasts for days must not keep others from being served.
func TestIII1_P84_LostWorkersAreReplacedWhileEarlierOnesFinish(t *testing.T) {
	r := replaced(t, 0)
	r.want(r.report(2, StateBusy))
	r.boot(r.exit(3, errBroken))
	r.wantStates("GGW_")
	r.wait(r.table.youth)
	r.want(r.tick())
	r.want(r.exit(2, errBroken))
	r.boot(r.exit(3, errBroken)) // the last one that served
	r.wantStates("GG__")
}

// But the new program does not grow into the room that the next reload needs.
func TestIII1_P48_FinishingWorkersOfAnEarlierProgramCount(t *testing.T) {
	r := replaced(t, 1)
	r.want(r.exit(0, nil))
	r.want(r.report(2, StateBusy))
	r.want(r.report(3, StateBusy))
	r.want(r.tick())
	r.wantStates(".GWW.")
	r.want(r.apply(message{kind: msgReload}), "load 3", "spawn 0", "spawn 4")
}

func TestIII1_WithoutRoomAReloadSaysSo(t *testing.T) {
	r := replaced(t, 0)
	r.want(r.apply(message{kind: msgReload}), "load 3")
	r.wait(r.table.startTimeout)
	err := reloadError(t, r.tick())
	if !errors.Is(err, errNoRoom) || !errors.Is(err, ErrReload) || !strings.Contains(err.Error(), "2 of 4 processes") {
		t.Error(err)
	}
	r.wantStates("GG__")
}

// Where there is just enough room, it was not the room that was missing.
func TestIII1_SlowWorkersInTheLastRoomAreNotReady(t *testing.T) {
	r := replaced(t, 0)
	r.want(r.exit(3, nil))
	r.wantStates("GG_.")
	r.want(r.apply(message{kind: msgReload}), "load 3", "spawn 3")
	r.wait(r.table.startTimeout)
	if err := reloadError(t, r.tick()); !errors.Is(err, errNotReady) || errors.Is(err, errNoRoom) {
		t.Error(err)
	}
}

func TestIII1_NeedFollowsTheConfigOrTheLoad(t *testing.T) {
	for _, c := range []struct {
		name          string
		start, config int
		serving, want int
	}{
		{"as many as serve", 4, 0, 2, 2},
		{"up to StartServers", 2, 0, 4, 2},
		{"nobody serves", 4, 0, 0, 1},
		{"as configured", 4, 3, 1, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, func(l *limits) {
				l.start, l.minSpare, l.maxSpare, l.maxClients, l.surplus, l.reloadReady = c.start, 1, 2, 4, 4, c.config
			})
			r.started(r.tick())
			for slot := range c.serving {
				r.started(r.report(slot, StateBusy))
			}
			loads := r.apply(message{kind: msgReload})
			spawned := 0
			for _, a := range loads {
				if a.kind == actSpawn && a.generation == 2 {
					spawned++
				}
			}
			if spawned != c.want {
				t.Fatalf("%d new workers are started, want %d: %v", spawned, c.want, words(loads))
			}
		})
	}
}

func TestIII1_FailedBootKeepsTheOldWorkers(t *testing.T) {
	for name, c := range map[string]struct {
		fail func(r *rig) []action
		more []string // what is ordered about the others
		want error
	}{
		"exits":                    {func(r *rig) []action { return r.exit(5, errBroken) }, []string{"retire 3", "TERM 4"}, errBroken},
		"exits well, but too soon": {func(r *rig) []action { return r.exit(5, nil) }, []string{"retire 3", "TERM 4"}, errExitedEarly},
		"dies when ready":          {func(r *rig) []action { return r.exit(3, errBroken) }, []string{"TERM 4", "TERM 5"}, errBroken},
		"leaves at once": {func(r *rig) []action {
			r.report(5, StateDraining)
			return r.exit(5, nil)
		}, []string{"retire 3", "TERM 4"}, errExitedEarly},
		"is not ready in time": {func(r *rig) []action {
			r.wait(r.table.startTimeout)
			return r.tick()
		}, []string{"ABRT 4", "retire 3", "TERM 5"}, errNotReady},
		"is not there": {func(r *rig) []action {
			return r.apply(message{kind: msgLoadFailed, generation: 2, cause: errBroken})
		}, []string{"retire 3", "TERM 4", "TERM 5"}, errBroken},
	} {
		t.Run(name, func(t *testing.T) {
			r := reloading(t, func(l *limits) { l.failedBoots = 1 })
			r.report(3, StateIdle)
			acts := c.fail(r)
			last := len(c.more)
			if name == "is not ready in time" {
				// Slot 5 came after 4 at the same moment and is not asked twice.
				r.want(acts, "ABRT 4", "retire 3", "TERM 5", "reload failed 2")
			} else {
				r.want(acts, append(c.more[:last:last], "reload failed 2")...)
			}
			err := reloadError(t, acts)
			if !errors.Is(err, ErrReload) || !errors.Is(err, c.want) {
				t.Fatalf("the reload failed with %v, want %v", err, c.want)
			}
			if !strings.HasPrefix(r.table.String(), "__W") {
				t.Fatalf("workers are %s: the old ones were disturbed", r.table)
			}
			for slot := 3; slot < 6; slot++ { // its remains are no failed starts of the pool
				r.want(r.exit(slot, errBroken))
			}
			r.want(r.tick())
			r.boot(r.exit(0, errBroken))
			if r.table.generation != 1 || r.table.stopping {
				t.Fatalf("generation %d, stopping: %v", r.table.generation, r.table.stopping)
			}
			acts = r.apply(message{kind: msgReload})
			if acts[0].kind != actLoad || acts[0].generation != 3 {
				t.Fatalf("the next reload begins with %v", words(acts))
			}
		})
	}
}

func TestIII1_ForkFailureFailsTheReloadNotThePool(t *testing.T) {
	r := newRig(t, func(l *limits) { l.start, l.maxClients, l.surplus = 2, 2, 2 }).running()
	acts := r.apply(message{kind: msgReload})
	r.want(acts, "load 2", "spawn 2", "spawn 3")
	r.want(r.about(2, message{kind: msgSpawnFailed, cause: ErrSpawn}), "reload failed 2")
	if r.table.wants(acts[2]) {
		t.Fatal("the second new worker is still to be started")
	}
	r.want(r.about(3, message{kind: msgSpawnFailed}))
	r.wantStates("__..")
	r.want(r.tick())
}

func TestIII1_OldWorkerKilledDuringAReloadIsReplacedByAnOldOne(t *testing.T) {
	r := reloading(t, func(l *limits) { l.minSpare = 2 })
	acts := r.exit(0, errBroken)
	r.want(acts, "spawn 0")
	if g := acts[0].generation; g != 1 {
		t.Fatalf("it runs generation %d, want 1", g)
	}
	// When the new ones are ready it is ended, though it has not started yet.
	r.report(3, StateIdle)
	r.report(4, StateIdle)
	r.want(r.report(5, StateIdle), "retire 1", "retire 2", "reloaded 2")
	if r.table.wants(acts[0]) {
		t.Fatal("a worker of the old program is still to be started")
	}
	r.want(r.about(0, message{kind: msgSpawnFailed}))
}

func TestIII1_ReloadDuringAReloadFollowsIt(t *testing.T) {
	r := reloading(t, nil)
	for range 3 {
		r.want(r.apply(message{kind: msgReload})) // all of them are one
	}
	r.report(3, StateIdle)
	r.report(4, StateIdle)
	r.want(r.report(5, StateIdle), "retire 0", "retire 1", "retire 2", "reloaded 2", "load 3")
	acts := r.tick()
	r.want(acts, "spawn 6", "spawn 7") // as far as there is room
	r.want(r.exit(0, nil), "spawn 0")
	r.want(r.apply(message{kind: msgShutdown}), "reload failed 3", "retire 3", "retire 4", "retire 5")
}

func TestIII1_ShutdownEndsEveryReload(t *testing.T) {
	r := reloading(t, nil)
	r.want(r.apply(message{kind: msgReload}))
	acts := r.apply(message{kind: msgShutdown})
	r.want(acts, "TERM 3", "TERM 4", "TERM 5", "reload failed 2", "reload failed 2", "retire 0", "retire 1", "retire 2")
	if err := reloadError(t, acts); !errors.Is(err, errShuttingDown) {
		t.Fatal(err)
	}
	r.want(r.apply(message{kind: msgReload}), "reload failed 2")
	for slot := range 5 {
		r.want(r.exit(slot, nil))
	}
	r.want(r.exit(5, errBroken), "done")
}

func TestIII1_NewWorkersThatServedAndLeftCount(t *testing.T) {
	r := reloading(t, nil)
	r.want(r.report(3, StateBusy))
	r.want(r.report(3, StateDraining)) // MaxRequests
	r.want(r.exit(3, nil))
	r.want(r.report(4, StateIdle))
	r.want(r.report(5, StateIdle), "retire 0", "retire 1", "retire 2", "reloaded 2")
}

func TestIII1_NobodyIsAskedToGoDuringAReload(t *testing.T) {
	r := reloading(t, func(l *limits) { l.maxAge = time.Minute })
	r.table.maxSpare = 1
	r.wait(time.Minute / 2)
	r.want(r.tick()) // one idle worker too many
	r.wait(time.Minute/2 - 2*time.Second)
	r.want(r.tick())
	r.want(r.apply(message{kind: msgLess}))
	r.wantStates("__WSSS..")
}

func TestIII1_RemainsOfAFailedReloadAreInTheWayButNotForEver(t *testing.T) {
	r := reloading(t, nil)
	for slot := 3; slot < 5; slot++ {
		r.report(slot, StateBusy)
	}
	r.exit(5, errBroken)
	r.wantStates("__WGG...")
	r.want(r.apply(message{kind: msgReload}), "load 3", "spawn 5")
	r.want(r.started([]action{{kind: actSpawn, slot: 5}}))
	r.want(r.report(5, StateIdle))
	r.wait(r.table.startTimeout)
	r.want(r.tick(), "retire 5", "reload failed 3")
}

func TestIII4_NewProgramGetsANewChance(t *testing.T) {
	r := newRig(t, func(l *limits) { l.start, l.maxClients, l.surplus = 1, 1, 1 })
	r.started(r.tick())
	for range 3 {
		r.exit(0, errBroken)
		r.wait(time.Minute)
		r.started(r.tick())
	}
	if r.table.boots.failures != 3 {
		t.Fatal(r.table.boots.failures)
	}
	r.started(r.apply(message{kind: msgReload}))
	r.want(r.report(1, StateIdle), "TERM 0", "reloaded 2")
	if r.table.boots.failures != 0 {
		t.Fatal("failures of the old program are held against the new one")
	}
	r.want(r.exit(0, errBroken))
}
