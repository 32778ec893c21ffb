package prefork

import (
	"errors"
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"
)

// rig plays the processes around a table. Time moves only by tick and wait.
type rig struct {
	t     *testing.T
	table *table
	now   time.Time
}

var someday = time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)

func newRig(t *testing.T, change func(*limits)) *rig {
	t.Helper()
	c, err := Config{}.complete()
	if err != nil {
		t.Fatal(err)
	}
	l := c.limits()
	l.surplus = 0 // for those who reload or recycle to set
	l.unseen = 0  // so that time may jump
	if change != nil {
		change(&l)
	}
	return &rig{t: t, table: newTable(l, func() float64 { return 0 }), now: someday}
}

func (r *rig) apply(m message) []action {
	m.at = r.now
	return r.table.apply(m)
}

func (r *rig) wait(d time.Duration) { r.now = r.now.Add(d) }

// tick lets one second pass.
func (r *rig) tick() []action {
	r.wait(time.Second)
	return r.apply(message{kind: msgTick})
}

// about addresses the worker that now has the slot.
func (r *rig) about(slot int, m message) []action {
	m.slot, m.life = slot, r.table.slots[slot].life
	return r.apply(m)
}

func (r *rig) report(slot int, s State) []action {
	return r.about(slot, message{kind: msgReport, state: s})
}

func (r *rig) exit(slot int, cause error) []action {
	return r.about(slot, message{kind: msgExited, cause: cause})
}

func pidOf(slot int) int { return 1000 + slot }

// started answers every spawn among the actions, and returns what follows.
func (r *rig) started(acts []action) (more []action) {
	for _, a := range acts {
		if a.kind == actSpawn {
			more = append(more, r.about(a.slot, message{kind: msgStarted, pid: pidOf(a.slot)})...)
		}
	}
	return more
}

// boot lets every spawned worker become idle.
func (r *rig) boot(acts []action) {
	r.t.Helper()
	more := r.started(acts)
	for _, a := range acts {
		if a.kind == actSpawn {
			more = append(more, r.report(a.slot, StateIdle)...)
		}
	}
	r.want(more)
}

// running starts the pool and lets its first workers prove themselves.
func (r *rig) running() *rig {
	r.t.Helper()
	r.boot(r.tick())
	r.wait(r.table.youth)
	r.want(r.tick())
	return r
}

// want compares actions, written as "spawn 1", "retire 1", "TERM 1", "done".
func (r *rig) want(got []action, want ...string) {
	r.t.Helper()
	if have := words(got); !slices.Equal(have, want) {
		r.t.Fatalf("actions %q, want %q\nworkers: %s", have, want, r.table)
	}
}

func words(acts []action) (w []string) {
	for _, a := range acts {
		w = append(w, a.String())
	}
	return w
}

func (a action) String() string {
	switch a.kind {
	case actSpawn:
		return fmt.Sprint("spawn ", a.slot)
	case actRetire:
		return fmt.Sprint("retire ", a.slot)
	case actSignal:
		names := map[syscall.Signal]string{syscall.SIGTERM: "TERM", syscall.SIGKILL: "KILL", syscall.SIGABRT: "ABRT"}
		return fmt.Sprint(names[a.signal], " ", a.slot)
	case actLoad:
		return fmt.Sprint("load ", a.generation)
	case actReloaded:
		if a.err != nil {
			return fmt.Sprint("reload failed ", a.generation)
		}
		return fmt.Sprint("reloaded ", a.generation)
	case actSucceed:
		return "succeed"
	case actUpgraded:
		if a.err != nil {
			return "upgrade failed"
		}
		return "upgraded"
	case actDone:
		return "done"
	}
	return "?"
}

// String is the workers' letters in the order of their slots.
func (t *table) String() string {
	var b []byte
	for i := range t.slots {
		b = append(b, t.slots[i].state.Letter())
	}
	return string(b)
}

func (r *rig) wantStates(want string) {
	r.t.Helper()
	if got := r.table.String(); got != want {
		r.t.Fatalf("workers are %s, want %s", got, want)
	}
}

var errBroken = errors.New("exit status 3")
