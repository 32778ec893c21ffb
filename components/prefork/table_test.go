package prefork

import (
	"testing"
	"time"
)

func TestP46_StartServersAtFirst(t *testing.T) {
	r := newRig(t, func(l *limits) { l.start, l.maxClients = 3, 8 })
	r.want(r.tick(), "spawn 0", "spawn 1", "spawn 2")
	r.wantStates("SSS.....")
	r.want(r.tick())
}

func TestP75_NobodyLeftStartsAgain(t *testing.T) {
	r := newRig(t, func(l *limits) { l.start, l.maxClients = 2, 4 }).running()
	r.want(r.exit(0, errBroken))
	r.want(r.exit(1, errBroken), "spawn 0", "spawn 1")
}

func TestP66_RetiringWorkerIsReplacedOnce(t *testing.T) {
	r := newRig(t, func(l *limits) { l.start, l.minSpare, l.maxClients = 2, 2, 4 }).running()
	r.want(r.about(0, message{kind: msgReport, state: StateDraining, served: true}), "spawn 2")
	r.wantStates("G_S.")
	r.want(r.report(0, StateDraining))
	r.want(r.exit(0, nil))
	r.wantStates("._S.")
}

func TestP66_ReplacingDoesNotWaitForTheRamp(t *testing.T) {
	r := newRig(t, func(l *limits) { l.start, l.minSpare, l.maxClients = 4, 4, 12 }).running()
	for slot := range 4 {
		acts := r.about(slot, message{kind: msgReport, state: StateDraining, served: true})
		if len(acts) != 1 || acts[0].kind != actSpawn {
			t.Fatalf("worker %d retired at once with the others: %v, want one spawn", slot, words(acts))
		}
	}
}

func TestP66_OnlyAWorkerThatServedAndLeftMakesRoom(t *testing.T) {
	served := message{kind: msgReport, state: StateIdle, served: true}
	for _, c := range []struct {
		name string
		does func(r *rig)
		room int
	}{
		{"killed after serving", func(r *rig) { r.about(0, served); r.exit(0, errBroken) }, 1},
		{"left after serving", func(r *rig) { r.about(0, served); r.report(0, StateDraining) }, 1},
		{"and is gone", func(r *rig) { r.about(0, served); r.report(0, StateDraining); r.exit(0, nil) }, 1},
		{"killed before", func(r *rig) { r.exit(0, errBroken) }, 0},
		{"left before", func(r *rig) { r.report(0, StateDraining) }, 0},
		{"was asked to", func(r *rig) { r.about(0, served); r.table.retire(&r.table.slots[0]); r.exit(0, nil) }, 0},
	} {
		r := newRig(t, func(l *limits) { l.start, l.minSpare, l.maxClients = 5, 1, 9 })
		r.boot(r.tick())
		before := r.table.ramp.left
		c.does(r)
		if got := r.table.ramp.left - before; got != c.room {
			t.Errorf("%s: room for %d, want %d", c.name, got, c.room)
		}
	}
}

func TestP48_DrainingWorkersCountAgainstMaxClients(t *testing.T) {
	r := newRig(t, func(l *limits) { l.start, l.minSpare, l.maxClients = 2, 2, 2 }).running()
	r.want(r.report(0, StateDraining))
	r.want(r.tick())
	r.want(r.exit(0, nil), "spawn 0")
}

func TestP21_KilledAfterServingIsReplacedAtOnce(t *testing.T) {
	r := newRig(t, func(l *limits) { l.start, l.minSpare, l.maxClients = 3, 3, 6 })
	r.boot(r.tick())
	r.want(r.report(0, StateBusy), "spawn 3") // all that the ramp grants
	r.want(r.report(1, StateBusy))
	r.want(r.exit(1, errBroken), "spawn 1")
}

func TestP62_RepeatedReportsChangeNothing(t *testing.T) {
	r := newRig(t, func(l *limits) { l.start, l.minSpare, l.maxClients = 2, 1, 3 }).running()
	r.want(r.report(0, StateBusy))
	r.want(r.report(0, StateBusy))
	r.wantStates("W_.")
	r.want(r.report(0, StateIdle))
	r.want(r.report(0, StateIdle))
	r.wantStates("__.")
}

func TestP66_DrainingIsForGood(t *testing.T) {
	r := newRig(t, func(l *limits) { l.start, l.maxClients = 2, 2 }).running()
	r.report(0, StateDraining)
	r.report(0, StateIdle)
	r.report(0, StateBusy)
	r.wantStates("G_")
}

func TestP58_ReportsBeforeThePIDAreIgnored(t *testing.T) {
	r := newRig(t, func(l *limits) { l.start, l.maxClients = 1, 1 })
	spawned := r.tick()
	r.want(r.report(0, StateIdle))
	r.wantStates("S")
	r.started(spawned)
	r.report(0, StateIdle)
	r.wantStates("_")
}

func TestP53_MessagesOfAnEarlierWorkerAreIgnored(t *testing.T) {
	r := newRig(t, func(l *limits) { l.start, l.maxClients = 1, 1 }).running()
	r.boot(r.exit(0, errBroken))
	for _, kind := range []messageKind{msgStarted, msgSpawnFailed, msgReport, msgExited} {
		r.want(r.apply(message{kind: kind, slot: 0, life: 1, pid: 9, state: StateBusy, cause: errBroken}))
		r.wantStates("_")
	}
	for _, slot := range []int{-1, 1, 1 << 40} {
		r.want(r.apply(message{kind: msgExited, slot: slot, life: 2}))
	}
	for _, s := range []State{StateDead, StateStarting, StateStopping, states, 255} {
		r.want(r.report(0, s))
		r.wantStates("_")
	}
	if pid := r.table.slots[0].pid; pid != pidOf(0) {
		t.Fatalf("pid is %d, want %d", pid, pidOf(0))
	}
}

func TestP87_NothingIsHeardOfAReapedWorker(t *testing.T) {
	r := newRig(t, func(l *limits) { l.start, l.maxClients = 2, 2 })
	r.started(r.tick())
	r.want(r.exit(0, errBroken))
	for _, m := range []message{
		{kind: msgExited, cause: errBroken},
		{kind: msgReport, state: StateIdle},
		{kind: msgStarted, pid: 5},
	} {
		r.want(r.about(0, m))
		r.wantStates(".S")
	}
	if n := r.table.boots.failures; n != 1 {
		t.Fatalf("%d failed starts, want 1", n)
	}
}

func TestP43_SpawnFailureEndsThePool(t *testing.T) {
	r := newRig(t, func(l *limits) { l.start, l.maxClients = 2, 2 })
	acts := r.tick()
	r.want(r.about(0, message{kind: msgSpawnFailed, cause: ErrSpawn}))
	if r.table.wants(acts[1]) {
		t.Fatal("the second worker is still to be started")
	}
	done := r.about(1, message{kind: msgSpawnFailed, cause: errBroken})
	r.want(done, "done")
	if done[0].err != ErrSpawn {
		t.Fatalf("the pool ended with %v, want %v", done[0].err, ErrSpawn)
	}
}

func TestP43_KeepOnErrorTriesAgain(t *testing.T) {
	r := newRig(t, func(l *limits) { l.start, l.maxClients, l.keepOnError = 1, 2, true })
	r.tick()
	r.want(r.about(0, message{kind: msgSpawnFailed, cause: ErrSpawn}))
	r.want(r.tick(), "spawn 0")
}

func TestP77_OrderedSpawnIsAskedAgain(t *testing.T) {
	r := newRig(t, func(l *limits) { l.start, l.maxClients = 2, 2 })
	acts := r.tick()
	for _, a := range acts {
		if !r.table.wants(a) {
			t.Fatalf("%v was ordered and is not wanted", a)
		}
	}
	r.want(r.apply(message{kind: msgShutdown}))
	for _, a := range acts {
		if r.table.wants(a) {
			t.Fatalf("%v is wanted after a shutdown", a)
		}
	}
	r.want(r.about(0, message{kind: msgSpawnFailed}))
	r.want(r.about(1, message{kind: msgSpawnFailed}), "done")
}

func TestP53_CountsByState(t *testing.T) {
	r := newRig(t, func(l *limits) { l.start, l.minSpare, l.maxClients = 4, 1, 6 })
	r.boot(r.tick())
	r.report(1, StateBusy)
	r.report(2, StateDraining)
	c := r.table.count()
	if c.live != 4 || c.by != [states]int{2, 0, 2, 1, 1, 0} {
		t.Fatalf("counts are %+v", c)
	}
	if c.unproved != 3 {
		t.Fatalf("%d workers have yet to show a good start, want 3: one is busy", c.unproved)
	}
	r.wait(2 * time.Second)
	r.tick()
	if c := r.table.count(); c.unproved != 0 {
		t.Fatalf("%d unproved workers after two seconds, want 0", c.unproved)
	}
}
