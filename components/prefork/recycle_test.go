package prefork

import (
	"testing"
	"time"
)

// aged is a pool of idle workers that may live for a minute.
func aged(t *testing.T, change func(*limits)) *rig {
	t.Helper()
	r := newRig(t, func(l *limits) {
		l.start, l.minSpare, l.maxSpare, l.maxClients, l.surplus, l.maxAge = 4, 2, 9, 4, 2, time.Minute
		change(l)
	}).running()
	return r
}

func (r *rig) fat(slot int, rss int64) []action {
	s := r.table.slots[slot].state
	return r.about(slot, message{kind: msgReport, state: s, rss: rss})
}

func TestIII11_OldWorkersAreReplacedOneAfterTheOther(t *testing.T) {
	r := aged(t, func(*limits) {})
	r.wait(57 * time.Second)
	r.want(r.tick(), "retire 0") // a tenth of four, rounded up
	r.want(r.tick())
	r.want(r.exit(0, nil))
	r.want(r.tick(), "retire 1")
	r.want(r.exit(1, nil), "spawn 0") // two idle: nobody goes without a successor
	r.want(r.started([]action{{kind: actSpawn, slot: 0}}))
	r.want(r.tick())
	r.want(r.report(0, StateIdle))
	r.want(r.tick(), "retire 2")
}

func TestIII11_AtMostSoManyAtOnce(t *testing.T) {
	r := aged(t, func(l *limits) { l.maxRecycling, l.minSpare, l.start, l.maxClients = 3, 1, 8, 8 })
	r.wait(time.Minute)
	r.want(r.tick(), "retire 0", "retire 1", "retire 2")
	r.want(r.tick())
	r.want(r.exit(1, nil))
	r.want(r.tick(), "retire 3")
}

func TestIII11_NeverAllTogether(t *testing.T) {
	r := aged(t, func(l *limits) { l.maxRecycling = 9 })
	r.wait(time.Minute)
	acts := r.tick()
	r.want(acts, "retire 0", "retire 1", "spawn 4") // MinSpareServers idle ones stay
	r.wantStates("GG__S.")
}

func TestIII11_BusyWorkersAreReplacedBySuccessorsBeyondMaxClients(t *testing.T) {
	r := aged(t, func(l *limits) { l.minSpare = 1 })
	for slot := range 4 {
		r.report(slot, StateBusy)
	}
	r.wait(time.Minute)
	acts := r.tick()
	r.want(acts, "spawn 4") // one more than MaxClients
	r.started(acts)
	r.want(r.report(4, StateBusy)) // it, too, has work at once
	r.want(r.tick(), "retire 0")
	for range 3 {
		r.want(r.tick())
	}
	r.wantStates("GWWWW.")
	r.want(r.exit(0, nil), "spawn 0")
}

func TestIII11_AgeIsJittered(t *testing.T) {
	for _, c := range []struct {
		jitter float64
		want   time.Duration
	}{{0, 100 * time.Second}, {0.5, 95 * time.Second}, {0.999999999, 90 * time.Second}} {
		r := newRig(t, func(l *limits) { l.start, l.maxClients, l.maxAge = 1, 1, 100*time.Second })
		r.table.jitter = func() float64 { return c.jitter }
		r.started(r.tick())
		if got := r.table.slots[0].expires.Sub(r.now).Round(time.Millisecond); got != c.want {
			t.Errorf("with jitter %v a worker gets %v old, want %v", c.jitter, got, c.want)
		}
	}
}

func TestIII11_ByMemory(t *testing.T) {
	r := aged(t, func(l *limits) { l.maxAge, l.maxRSS = 0, 1000 })
	r.wait(time.Hour)
	r.want(r.fat(1, 1000))
	r.want(r.tick()) // as long as it is not more
	r.want(r.fat(1, 1001))
	r.want(r.fat(2, 1001))
	r.want(r.fat(2, 999)) // the garbage collector came
	r.want(r.fat(1, 0))   // not measured
	r.want(r.tick(), "retire 1")
	r.want(r.exit(1, nil))
	r.want(r.tick())
}

func TestIII11_OffMeansNever(t *testing.T) {
	r := aged(t, func(l *limits) { l.maxAge, l.maxRSS, l.maxRecycling = 0, 0, 4 })
	r.table.jitter = func() float64 { t.Error("jitter without a limit"); return 0 }
	r.wait(10000 * time.Hour)
	r.fat(0, 1<<40)
	r.want(r.tick())
	r.want(r.exit(0, errBroken))
}

func TestIII2_DrainTimeoutKills(t *testing.T) {
	r := newRig(t, func(l *limits) {
		l.start, l.minSpare, l.maxSpare, l.maxClients, l.drainTimeout, l.grace = 4, 1, 2, 4, 3*time.Second, time.Hour
	})
	r.boot(r.tick())
	r.want(r.tick(), "retire 0", "retire 1")
	r.report(2, StateDraining) // by itself
	r.want(r.tick())
	r.want(r.tick())
	r.want(r.tick(), "KILL 0", "KILL 1", "KILL 2")
}

func TestIII2_ShutdownShortensADrain(t *testing.T) {
	r := newRig(t, func(l *limits) {
		l.start, l.maxClients, l.drainTimeout, l.grace = 2, 2, time.Hour, 2*time.Second
	}).running()
	r.report(0, StateDraining)
	r.want(r.apply(message{kind: msgShutdown}), "retire 1")
	r.want(r.tick())
	r.want(r.tick(), "KILL 0", "KILL 1")
}

func TestIII14_MoreAndLess(t *testing.T) {
	r := newRig(t, func(l *limits) { l.start, l.minSpare, l.maxSpare, l.maxClients = 2, 1, 3, 4 }).running()
	more, less := message{kind: msgMore}, message{kind: msgLess}
	r.want(r.apply(less)) // one is the least
	for _, spawn := range []string{"spawn 2", "spawn 3"} {
		acts := r.apply(more)
		r.want(acts, spawn)
		r.boot(acts)
	}
	r.want(r.apply(more)) // MaxClients is the most
	r.want(r.apply(more))
	r.want(r.tick())
	if r.table.minSpare != 4 || r.table.maxSpare != 6 {
		t.Fatalf("spare %d to %d", r.table.minSpare, r.table.maxSpare)
	}
	r.want(r.exit(0, errBroken), "spawn 0") // and it stays so
	r.boot([]action{{kind: actSpawn, slot: 0}})
	r.want(r.apply(less), "retire 1")
	r.want(r.exit(1, nil))
	r.want(r.apply(less), "retire 2")
	r.want(r.exit(2, nil))
	r.want(r.tick())
	r.wantStates("_.._")
}
