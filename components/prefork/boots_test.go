package prefork

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// crash lets one started worker die at once.
func (r *rig) crash(slot int) []action {
	r.t.Helper()
	r.started([]action{{kind: actSpawn, slot: slot}})
	return r.exit(slot, errBroken)
}

// retry waits for the next try and returns how long it took.
func (r *rig) retry() time.Duration {
	r.t.Helper()
	from := r.now
	for range 1000 {
		r.wait(defaultBackoff.first)
		if acts := r.apply(message{kind: msgTick}); len(acts) > 0 {
			r.want(acts, "spawn 0")
			return r.now.Sub(from)
		}
	}
	r.t.Fatal("a failed start was never tried again")
	return 0
}

func TestP57_BackOffDoubles(t *testing.T) {
	r := newRig(t, func(l *limits) { l.start, l.maxClients = 1, 1 })
	r.want(r.tick(), "spawn 0")
	for _, want := range []time.Duration{250, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000} {
		r.want(r.crash(0))
		if got := r.retry(); got != want*time.Millisecond {
			t.Fatalf("tried again after %v, want %v", got, want*time.Millisecond)
		}
	}
}

func TestP57_JitterShortensTheDelayByUpToHalf(t *testing.T) {
	for _, c := range []struct {
		failures int
		jitter   float64
		want     time.Duration
	}{
		{1, 0, 250 * time.Millisecond},
		{1, 0.5, 187500 * time.Microsecond},
		{3, 0.999999, 500 * time.Millisecond},
		{1000, 0, 30 * time.Second},
	} {
		b := boots{failures: c.failures - 1}
		b.failed(someday, defaultBackoff, c.jitter)
		if got := b.notBefore.Sub(someday).Round(time.Millisecond / 10); got != c.want {
			t.Errorf("failure %d with jitter %v waits %v, want %v", c.failures, c.jitter, got, c.want)
		}
	}
}

func TestP57_GivesUpAfterTenFailedStarts(t *testing.T) {
	r := newRig(t, func(l *limits) { l.start, l.maxClients = 1, 1 })
	r.want(r.tick(), "spawn 0")
	for range 9 {
		r.want(r.crash(0))
		r.retry()
	}
	acts := r.crash(0)
	r.want(acts, "done")
	err := acts[0].err
	if !errors.Is(err, ErrGaveUp) || !errors.Is(err, errBroken) {
		t.Fatalf("the pool ended with %v, want ErrGaveUp and the worker's status", err)
	}
	if !strings.Contains(err.Error(), "10 in a row") || !strings.Contains(err.Error(), "standard error") {
		t.Fatalf("%q does not say how often and what to do", err)
	}
}

func TestP57_FailuresOfTheFirstWorkersAllCount(t *testing.T) {
	r := newRig(t, func(l *limits) { l.start, l.maxClients = 12, 12 })
	r.started(r.tick())
	for slot := range 9 {
		r.want(r.exit(slot, nil)) // status 0, but nobody asked for it
	}
	r.want(r.exit(9, nil), "TERM 10", "TERM 11")
	r.want(r.exit(10, errBroken))
	done := r.exit(11, errBroken)
	r.want(done, "done")
	if !errors.Is(done[0].err, errExitedEarly) {
		t.Fatalf("the pool ended with %v, want the reason of the tenth failure", done[0].err)
	}
}

func TestP57_OneWorkerAtATimeAfterAFailure(t *testing.T) {
	r := newRig(t, func(l *limits) { l.start, l.minSpare, l.maxClients = 3, 3, 3 })
	r.started(r.tick())
	for slot := range 3 {
		r.want(r.exit(slot, errBroken))
	}
	r.retry()
	r.started([]action{{kind: actSpawn, slot: 0}})
	r.want(r.report(0, StateIdle)) // ready, but its start is not proved yet
	r.want(r.tick())
	r.want(r.tick(), "spawn 1") // two seconds later it is
	if n := r.table.boots.failures; n != 0 {
		t.Fatalf("%d failures are remembered after a good start, want 0", n)
	}
}

func TestP57_ServingProvesAStartAtOnce(t *testing.T) {
	r := newRig(t, func(l *limits) { l.start, l.minSpare, l.maxClients = 2, 2, 2 })
	r.started(r.tick())
	r.want(r.exit(1, errBroken))
	r.want(r.report(0, StateIdle))
	r.want(r.about(0, message{kind: msgReport, state: StateIdle, served: true}), "spawn 1")
}

func TestP57_DeathSoonAfterReadyIsAFailedStart(t *testing.T) {
	for _, c := range []struct {
		name     string
		lived    time.Duration
		state    State
		failures int
	}{
		{"young and idle", defaultYouth - 1, StateIdle, 1},
		{"young and busy", 0, StateBusy, 0},
		{"young and left by itself", 0, StateDraining, 1},
		{"older", defaultYouth, StateIdle, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, func(l *limits) { l.start, l.maxClients = 1, 1 })
			r.started(r.tick())
			r.report(0, c.state)
			r.wait(c.lived)
			r.exit(0, errBroken)
			if got := r.table.boots.failures; got != c.failures {
				t.Fatalf("%d failed starts, want %d", got, c.failures)
			}
		})
	}
}

func TestP57_AskedToGoIsNoFailure(t *testing.T) {
	r := newRig(t, func(l *limits) { l.start, l.minSpare, l.maxSpare, l.maxClients = 3, 1, 2, 3 })
	r.boot(r.tick())
	r.want(r.tick(), "retire 0")
	r.want(r.exit(0, errBroken))
	if got := r.table.boots.failures; got != 0 {
		t.Fatalf("%d failed starts, want 0", got)
	}
}

func TestP57_RetiredWorkerDoesNotHoldUpTheNextTry(t *testing.T) {
	r := newRig(t, func(l *limits) {
		l.start, l.minSpare, l.maxSpare, l.maxClients, l.youth = 3, 1, 2, 4, time.Hour
	})
	r.boot(r.tick())
	r.want(r.tick(), "retire 0") // and takes its time
	r.want(r.exit(1, errBroken))
	r.want(r.exit(2, errBroken))
	r.want(r.tick(), "spawn 1")
}

// A want of processes keeps a pool that serves from growing, and does not end it.
func TestP43_P88_ShortageDoesNotEndThoseWhoServe(t *testing.T) {
	r := newRig(t, func(l *limits) { l.start, l.minSpare, l.maxClients, l.keepOnError = 1, 1, 2, true }).running()
	acts := r.report(0, StateBusy) // nobody is idle: another one is wanted
	for range 3 * defaultFailedBoots {
		r.want(acts, "spawn 1")
		r.want(r.about(1, message{kind: msgSpawnFailed, cause: errBroken}))
		next := r.table.boots.notBefore
		if wait := next.Sub(r.now); wait < defaultBackoff.first || wait > defaultBackoff.most {
			t.Fatalf("the next try is in %v", wait)
		}
		r.now = next.Add(-time.Nanosecond)
		r.want(r.apply(message{kind: msgTick}))
		r.now = next
		acts = r.apply(message{kind: msgTick})
	}
	if got := r.table.boots.notBefore; got != r.now { // the delay has not been forgotten
		t.Errorf("the last delay ended at %v, now is %v", got, r.now)
	}
	r.boot(acts)
	r.wait(r.table.youth)
	if r.apply(message{kind: msgTick}); r.table.boots.failures != 0 {
		t.Errorf("%d failures after a good start", r.table.boots.failures)
	}
	r.wantStates("W_")
}

// With nobody to serve it is given up.
func TestP43_P57_ShortageEndsAPoolThatServesNobody(t *testing.T) {
	r := newRig(t, func(l *limits) { l.start, l.maxClients, l.keepOnError = 1, 1, true })
	acts := r.tick()
	for range defaultFailedBoots - 1 {
		r.want(acts, "spawn 0")
		r.want(r.about(0, message{kind: msgSpawnFailed, cause: errBroken}))
		r.now = r.table.boots.notBefore
		acts = r.apply(message{kind: msgTick})
	}
	r.want(acts, "spawn 0")
	acts = r.about(0, message{kind: msgSpawnFailed, cause: errBroken})
	if r.want(acts, "done"); !errors.Is(acts[0].err, ErrGaveUp) {
		t.Errorf("%v", acts[0].err)
	}
}
