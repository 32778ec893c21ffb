package prefork

import (
	"testing"
	"time"
)

// mixed has one worker each: starting, idle, busy, draining.
func mixed(t *testing.T, grace time.Duration) *rig {
	r := newRig(t, func(l *limits) { l.start, l.minSpare, l.maxClients, l.grace = 4, 1, 4, grace })
	r.started(r.tick())
	r.report(1, StateIdle)
	r.report(2, StateBusy)
	r.report(3, StateDraining)
	r.wantStates("S_WG")
	return r
}

func TestP22_P35_P85_ShutdownAsksThenKillsAndWaits(t *testing.T) {
	r := mixed(t, 3*time.Second)
	r.want(r.apply(message{kind: msgShutdown}), "TERM 0", "retire 1", "retire 2")
	r.wantStates("XGGG")
	r.want(r.exit(1, nil))
	r.want(r.tick())
	r.want(r.tick())
	r.want(r.tick(), "KILL 0", "KILL 2", "KILL 3") // P82
	for range 3 {
		r.want(r.tick()) // once is enough
	}
	r.wantStates("X.XX")
	r.want(r.exit(0, errBroken))
	r.want(r.exit(2, errBroken))
	acts := r.exit(3, errBroken)
	r.want(acts, "done")
	if acts[0].err != nil {
		t.Fatalf("an ordered shutdown ended with %v", acts[0].err)
	}
	r.want(r.tick())
	r.want(r.apply(message{kind: msgShutdown, force: true}))
}

func TestP85_SecondShutdownForces(t *testing.T) {
	r := mixed(t, Unlimited)
	r.apply(message{kind: msgShutdown})
	r.wait(time.Hour)
	r.want(r.tick()) // endless patience
	r.want(r.apply(message{kind: msgShutdown}), "KILL 0", "KILL 1", "KILL 2", "KILL 3")
	r.want(r.apply(message{kind: msgShutdown}))
}

func TestP30_ForcedShutdownKillsAtOnce(t *testing.T) {
	r := mixed(t, 10*time.Second)
	r.want(r.apply(message{kind: msgShutdown, force: true}), "KILL 0", "KILL 1", "KILL 2", "KILL 3")
	r.wantStates("XXXX")
}

func TestP85_ShutdownWithoutWorkersIsDoneAtOnce(t *testing.T) {
	r := newRig(t, nil)
	r.want(r.apply(message{kind: msgShutdown}), "done")
}

func TestP77_ShutdownReachesAWorkerBeingSpawned(t *testing.T) {
	for _, c := range []struct {
		force bool
		want  string
	}{{false, "TERM 0"}, {true, "KILL 0"}} {
		r := newRig(t, func(l *limits) { l.start, l.maxClients = 1, 1 })
		spawned := r.tick()
		r.want(r.apply(message{kind: msgShutdown, force: c.force}))
		r.want(r.started(spawned), c.want)
		r.want(r.exit(0, errBroken), "done")
	}
}

func TestP64_ReportsDoNotStopAShutdown(t *testing.T) {
	r := mixed(t, time.Second)
	r.apply(message{kind: msgShutdown})
	r.want(r.report(0, StateIdle))
	r.want(r.report(1, StateBusy))
	r.wantStates("XGGG")
}

func TestP80_SilentLongerThanTimeoutIsEnded(t *testing.T) {
	r := newRig(t, func(l *limits) { l.start, l.maxClients, l.timeout, l.grace = 2, 2, 5*time.Second, 2*time.Second })
	r.started(r.tick())
	r.report(0, StateIdle)
	r.wait(4 * time.Second)
	r.want(r.tick()) // as long as the timeout is not longer
	r.about(0, message{kind: msgReport, state: StateIdle, beat: r.now})
	r.want(r.tick(), "ABRT 1") // it never reported: its start counts (P58)
	r.wantStates("_X")
}

func TestP81_P82_AbortedWorkerIsKilledAndTrackedUntilReaped(t *testing.T) {
	for grace, wait := range map[time.Duration]int{3 * time.Second: 3, Unlimited: 2} {
		r := newRig(t, func(l *limits) { l.start, l.maxClients, l.timeout, l.grace = 2, 2, 2*time.Second, grace })
		r.started(r.tick())
		r.report(0, StateIdle)
		r.report(1, StateBusy)
		r.wait(time.Second)
		r.about(0, message{kind: msgReport, state: StateIdle, beat: r.now.Add(time.Hour)}) // asked for patience
		r.wait(time.Second)
		r.want(r.tick(), "ABRT 1")
		for range wait - 1 {
			r.want(r.tick())
		}
		r.want(r.tick(), "KILL 1")
		r.wait(time.Hour / 2)
		r.want(r.tick())
		r.wantStates("_X")
		r.want(r.exit(1, errBroken))
		r.wantStates("_.")
		if n := r.table.boots.failures; n != 0 {
			t.Fatalf("%d failed starts; a worker that served and hung is none", n)
		}
	}
}

func TestP83_ReplacementForASilentWorkerOnlyIfSparesAreMissing(t *testing.T) {
	for _, c := range []struct {
		minSpare int
		want     []string
	}{
		{1, []string{"ABRT 0", "ABRT 1"}},
		{3, []string{"ABRT 0", "ABRT 1", "spawn 3", "spawn 4"}}, // the ramp alone would allow one
	} {
		r := newRig(t, func(l *limits) { l.start, l.minSpare, l.maxClients, l.timeout = 3, c.minSpare, 6, 5*time.Second })
		r.boot(r.tick())
		r.wait(5 * time.Second)
		r.report(2, StateIdle)
		r.want(r.tick(), c.want...)
	}
}

func TestP82_ShutdownDoesNotExtendADeadline(t *testing.T) {
	r := newRig(t, func(l *limits) {
		l.start, l.maxClients, l.timeout, l.grace = 1, 1, 3*time.Second, 2*time.Second
	})
	r.boot(r.tick())
	r.wait(3 * time.Second)
	r.want(r.tick(), "ABRT 0")
	r.wait(time.Second)
	r.want(r.apply(message{kind: msgShutdown}))
	r.want(r.tick(), "KILL 0")
}

func TestP61_OnlyNewerBeatsCount(t *testing.T) {
	r := newRig(t, func(l *limits) { l.start, l.maxClients, l.timeout = 1, 1, 2*time.Second })
	r.boot(r.tick())
	r.wait(2 * time.Second)
	r.report(0, StateIdle)
	r.about(0, message{kind: msgReport, state: StateIdle, beat: someday}) // an old sample
	r.want(r.tick())
}

func TestP31_FailuresDuringAShutdownDoNotForceIt(t *testing.T) {
	r := newRig(t, func(l *limits) { l.start, l.minSpare, l.maxClients, l.failedBoots = 4, 1, 4, 1 })
	acts := r.tick()
	r.started(acts[:3])
	r.report(0, StateBusy)
	r.report(1, StateDraining)
	r.want(r.apply(message{kind: msgShutdown}), "retire 0", "TERM 2")
	r.want(r.exit(1, errBroken))
	r.want(r.exit(2, errBroken))
	r.want(r.about(3, message{kind: msgSpawnFailed, cause: ErrSpawn}))
	r.wantStates("G...")
}

func TestP67_DrainingWorkerLivesAsLongAsItShowsLife(t *testing.T) {
	r := newRig(t, func(l *limits) { l.start, l.maxClients, l.timeout = 2, 2, 2*time.Second })
	r.boot(r.tick())
	r.report(0, StateDraining)
	for range 20 {
		r.about(0, message{kind: msgReport, state: StateDraining, beat: r.now})
		r.about(1, message{kind: msgReport, state: StateIdle, beat: r.now})
		r.want(r.tick())
	}
	r.tick()
	r.want(r.tick(), "ABRT 0", "ABRT 1")
}

func TestP49_NoTimeoutNoWatchdog(t *testing.T) {
	r := newRig(t, func(l *limits) { l.start, l.maxClients = 1, 1 }).running()
	r.wait(1000 * time.Hour)
	r.want(r.tick())
}

func TestP57_WorkerThatIsNotReadyInTimeIsEnded(t *testing.T) {
	r := newRig(t, func(l *limits) { l.start, l.maxClients, l.startTimeout, l.failedBoots = 2, 2, 5*time.Second, 1 })
	r.started(r.tick())
	r.report(0, StateIdle)
	r.wait(4 * time.Second)
	r.want(r.tick()) // as long as StartTimeout is not longer
	r.want(r.tick(), "ABRT 1")
	r.wantStates("_X")
	r.want(r.exit(1, errBroken), "retire 0") // a failed start, and here one is enough
	r.want(r.exit(0, nil), "done")
}

func TestP57_StartTimeoutUnlimited(t *testing.T) {
	r := newRig(t, func(l *limits) { l.start, l.maxClients, l.startTimeout = 1, 1, Unlimited })
	r.started(r.tick())
	r.wait(1000 * time.Hour)
	r.want(r.tick())
}
