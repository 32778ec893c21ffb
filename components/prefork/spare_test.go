package prefork

import (
	"slices"
	"testing"
	"time"
)

func TestP79_GrowsAtEventsAndAtTicks(t *testing.T) {
	r := newRig(t, func(l *limits) { l.start, l.minSpare, l.maxClients = 2, 2, 9 }).running()
	r.want(r.report(0, StateBusy), "spawn 2") // an event
	r.want(r.report(1, StateBusy))            // the interval's share is used up
	r.want(r.tick(), "spawn 3")               // a tick
}

func TestP78_StartingWorkersCountAsSpare(t *testing.T) {
	r := newRig(t, func(l *limits) { l.start, l.minSpare, l.maxClients = 2, 2, 9 }).running()
	r.want(r.report(0, StateBusy), "spawn 2")
	for range 5 {
		r.want(r.tick())
		r.want(r.report(0, StateBusy))
	}
}

func TestP79_ShrinksAtTicks(t *testing.T) {
	r := newRig(t, func(l *limits) { l.start, l.minSpare, l.maxSpare, l.maxClients = 4, 1, 3, 9 })
	r.boot(r.tick())
	r.want(r.tick(), "retire 0")
}

func TestP78_RetiredWorkersAreNotSpare(t *testing.T) {
	r := newRig(t, func(l *limits) { l.start, l.minSpare, l.maxSpare, l.maxClients = 5, 1, 3, 5 })
	r.boot(r.tick())
	r.want(r.tick(), "retire 0", "retire 1")
	for range 3 {
		r.want(r.tick()) // they take their time, and nobody else has to go
	}
	r.wantStates("GG___")
	r.want(r.exit(0, nil))
	r.want(r.exit(1, nil))
	r.want(r.tick())
	r.wantStates("..___")
}

func TestP18_P76_OldestIdleRetireFirst(t *testing.T) {
	r := newRig(t, func(l *limits) { l.start, l.minSpare, l.maxSpare, l.maxClients = 5, 1, 2, 5 })
	r.boot(r.tick())
	for slot, age := range []time.Duration{3, 1, 9, 5, 5} { // slot 2 is the oldest, but busy
		r.table.slots[slot].since = r.now.Add(-age * time.Minute)
	}
	r.want(r.report(2, StateBusy))
	r.want(r.tick(), "retire 3", "retire 4")
	r.wantStates("__WGG")
}

func TestP45_UnlimitedSparesStay(t *testing.T) {
	r := newRig(t, func(l *limits) { l.start, l.maxSpare, l.maxClients = 40, Unlimited, 40 })
	r.boot(r.tick())
	r.want(r.tick())
}

func TestP4_MaxClientsIsAboveMinSpare(t *testing.T) {
	r := newRig(t, func(l *limits) { l.start, l.minSpare, l.maxClients = 3, 3, 4 }).running()
	r.boot(r.report(0, StateBusy))
	r.want(r.report(1, StateBusy))
	for range 3 {
		r.want(r.tick())
	}
	r.wantStates("WW__")
}

func TestP17_III14_GrowthDoublesTo32(t *testing.T) {
	r := newRig(t, func(l *limits) { l.start, l.minSpare, l.maxSpare, l.maxClients = 1, 120, 200, 300 })
	first := r.started(r.tick())
	r.want(first, "spawn 1") // the share of the first interval
	r.want(r.started(first))
	var added []int
	for range 9 {
		acts := r.tick()
		added = append(added, len(acts))
		r.started(acts)
	}
	if want := []int{2, 4, 8, 16, 32, 32, 24, 0, 0}; !slices.Equal(added, want) {
		t.Fatalf("workers added per interval %v, want %v", added, want)
	}
}

func TestIII14_GrowthBeginsSmallAgain(t *testing.T) {
	var p ramp
	p.interval()
	grants := []int{}
	for _, want := range []int{9, 9, 9, 2, 9, 9, 0, 9} {
		n := p.grant(want)
		p.left -= n
		grants = append(grants, n)
		p.interval()
	}
	if want := []int{1, 2, 4, 2, 1, 2, 0, 1}; !slices.Equal(grants, want) {
		t.Fatalf("granted %v, want %v: a budget that was enough starts over", grants, want)
	}
}

func TestIII14_OneRefusalInAnIntervalIsRemembered(t *testing.T) {
	var p ramp
	p.interval()
	p.grant(2)
	p.left = 0
	p.replace(9)
	if n := p.grant(1); n != 1 {
		t.Fatalf("granted %d for a replacement, want 1", n)
	}
	if p.interval(); p.left != 2 {
		t.Fatalf("the next budget is %d, want 2", p.left)
	}
}
