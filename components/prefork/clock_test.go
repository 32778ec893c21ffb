package prefork

import (
	"testing"
	"time"
)

// newClockRig has two workers, a watchdog, and a limit on what one look may count.
func newClockRig(t *testing.T) *rig {
	t.Helper()
	return newRig(t, func(l *limits) {
		l.start, l.minSpare, l.maxClients = 2, 2, 2
		l.timeout, l.grace, l.unseen = 5*time.Second, 10*time.Second, 2*time.Second
	}).running()
}

// silence lets seconds pass in which nobody shows life.
func (r *rig) silence(seconds int, want ...string) {
	r.t.Helper()
	for range seconds - 1 {
		r.want(r.tick())
	}
	r.want(r.tick(), want...)
}

// The machine or the master stood still, or a clock was set: nobody is ended for that,
// and the watchdog still sees who is silent.
func TestP80_ClockThatJumpsMakesNobodySilent(t *testing.T) {
	for _, jump := range []time.Duration{time.Hour, -time.Hour, 2 * time.Second, -time.Millisecond} {
		t.Run(jump.String(), func(t *testing.T) {
			r := newClockRig(t)
			r.want(r.report(0, StateIdle))
			r.want(r.report(1, StateIdle))
			r.wait(jump)
			r.want(r.apply(message{kind: msgTick}))
			r.want(r.about(0, message{kind: msgReport, state: StateIdle, beat: r.now})) // by the clock as it is now
			r.want(r.about(1, message{kind: msgReport, state: StateIdle, beat: r.now.Add(time.Minute)}))
			r.silence(6, "ABRT 0")
			r.silence(10, "KILL 0") // after Grace; the other one has asked for patience
		})
	}
}

// Nor is a worker killed that had no time to finish.
func TestP82_ClockThatJumpsLeavesGrace(t *testing.T) {
	for _, jump := range []time.Duration{time.Hour, -time.Hour} {
		t.Run(jump.String(), func(t *testing.T) {
			r := newClockRig(t)
			r.table.timeout = 0
			r.want(r.apply(message{kind: msgShutdown}), "retire 0", "retire 1")
			r.wait(jump)
			r.want(r.apply(message{kind: msgTick}))
			left := 10
			if jump > 0 {
				left -= 2 // what one look may count
			}
			r.silence(left, "KILL 0", "KILL 1")
		})
	}
}

// A failed start is tried again in its time, wherever the clock is set.
func TestP57_ClockThatJumpsKeepsTheDelay(t *testing.T) {
	for _, jump := range []time.Duration{time.Hour, -time.Hour} {
		t.Run(jump.String(), func(t *testing.T) {
			r := newRig(t, func(l *limits) {
				l.start, l.minSpare, l.maxClients, l.unseen = 1, 1, 1, 2*time.Second
				l.backoff = backoff{4 * time.Second, time.Minute}
			})
			r.want(r.started(r.tick()))
			r.want(r.exit(0, errBroken))
			r.wait(jump)
			r.want(r.apply(message{kind: msgTick}))
			left := 4
			if jump > 0 {
				left -= 2
			}
			r.silence(left, "spawn 0")
		})
	}
}

// What is compared across processes is counted by a clock that nobody sets: a time of
// the scoreboard has a monotonic reading, and its distance from now needs no wall clock.
func TestP61_BeatsAreMonotonic(t *testing.T) {
	c, err := newClock()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	got := c.decode(c.encode(now))
	if got == got.Round(0) { //nolint:staticcheck // Round strips the monotonic reading
		t.Errorf("%v has no monotonic reading", got)
	}
	if d := got.Sub(now); d != 0 {
		t.Errorf("a beat is off by %v", d)
	}
	if got := c.decode(c.encode(now.Round(0))); got == got.Round(0) {
		t.Errorf("%v has no monotonic reading", got)
	}
}
