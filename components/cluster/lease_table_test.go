package cluster

import (
	"slices"
	"testing"
	"time"
)

// leaseTestTable is one of three nodes, after its wait.
func leaseTestTable(self int) *leaseTable {
	terms := newLeaseTerms(self, 3, leaseTime)
	terms.start = 100 + uint64(self)
	terms.clock = func() int64 { return 0 }
	terms.chance = func(int64) int64 { return 1 }
	return newLeaseTable(terms)
}

// say has an acceptor answer one entry of node from.
func (t *leaseTable) say(now time.Duration, from int, kind leaseKind, b leaseBallot) leaseEntry {
	acts := t.apply(now, leaseMail{from: from, start: 100 + uint64(from), floor: b.counter(), entries: []leaseEntry{{kind: kind, ballot: b, stamp: 42}}})
	for _, a := range acts {
		if a.to == from {
			return a.entry
		}
	}
	return leaseEntry{}
}

// An acceptor, step by step: who says what when, and the answer.
func TestLease_Acceptor(t *testing.T) {
	type step struct {
		at    time.Duration
		from  int
		kind  leaseKind
		count uint64
		want  leaseKind
		wait  time.Duration
	}
	const s = time.Second
	for name, steps := range map[string][]step{
		"takes no part at first":            {{s, 1, leasePrepare, 5, leaseRefused, 2 * s}, {s, 1, leasePropose, 5, leaseRefused, 2 * s}, {s, 1, leaseRenew, 5, leaseRefused, 2 * s}, {3 * s, 1, leasePrepare, 5, leasePromise, 0}},
		"a promise keeps out what is lower": {{4 * s, 1, leasePrepare, 5, leasePromise, 0}, {4 * s, 2, leasePrepare, 4, leaseRefused, 0}, {4 * s, 2, leasePropose, 4, leaseRefused, 0}, {4 * s, 2, leasePrepare, 6, leasePromise, 0}, {4 * s, 1, leasePropose, 5, leaseRefused, 0}},
		"a grant keeps out everyone else":   {{4 * s, 1, leasePropose, 5, leaseGranted, 0}, {5 * s, 2, leasePrepare, 9, leaseRefused, 2 * s}, {5 * s, 2, leasePropose, 9, leaseRefused, 2 * s}, {5 * s, 2, leaseRenew, 9, leaseRefused, 2 * s}, {7 * s, 2, leasePrepare, 9, leasePromise, 0}},
		"but not its own node":              {{4 * s, 1, leasePropose, 5, leaseGranted, 0}, {5 * s, 1, leasePrepare, 6, leasePromise, 0}, {5 * s, 1, leasePropose, 6, leaseGranted, 0}, {5 * s, 1, leaseRenew, 5, leaseRefused, 0}},
		"a renewal makes it longer":         {{4 * s, 1, leasePropose, 5, leaseGranted, 0}, {6 * s, 1, leaseRenew, 5, leaseGranted, 0}, {8 * s, 2, leasePrepare, 9, leaseRefused, s}},
		"a renewal below a promise":         {{4 * s, 2, leasePrepare, 9, leasePromise, 0}, {4 * s, 1, leaseRenew, 5, leaseGranted, 0}, {4 * s, 2, leasePropose, 9, leaseRefused, 3 * s}},
		"a release ends it":                 {{4 * s, 1, leasePropose, 5, leaseGranted, 0}, {4 * s, 1, leaseRelease, 5, 0, 0}, {4 * s, 2, leasePrepare, 6, leasePromise, 0}},
		"a release of another ballot":       {{4 * s, 1, leasePropose, 5, leaseGranted, 0}, {4 * s, 1, leaseRelease, 4, 0, 0}, {5 * s, 2, leasePrepare, 6, leaseRefused, 2 * s}},
		"what is late does not revive it":   {{4 * s, 1, leasePropose, 5, leaseGranted, 0}, {4 * s, 1, leaseRelease, 5, 0, 0}, {4 * s, 1, leaseRenew, 5, leaseRefused, 0}, {4 * s, 1, leasePropose, 5, leaseRefused, 0}},
		"an owner of the past begins again": {{4 * s, 2, leaseRenew, 9, leaseGranted, 0}, {8 * s, 1, leaseRenew, 5, leaseRefused, 0}},
		"a question may be asked once more": {{4 * s, 1, leasePrepare, 5, leasePromise, 0}, {4 * s, 1, leasePrepare, 5, leasePromise, 0}, {4 * s, 1, leasePropose, 5, leaseGranted, 0}, {4 * s, 1, leasePropose, 5, leaseGranted, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			table := leaseTestTable(0)
			for i, s := range steps {
				got := table.say(s.at, s.from, s.kind, newLeaseBallot(s.count, s.from))
				if got.kind != s.want || got.kind == leaseRefused && got.stamp != s.wait {
					t.Fatalf("step %d: kind %d, wait %v; want %d, %v", i+1, got.kind, got.stamp, s.want, s.wait)
				}
				if got.kind == leaseGranted && got.stamp != 42 {
					t.Fatalf("step %d: granted without the stamp", i+1)
				}
			}
		})
	}
}

// Messages to the node as it was before its start, and in another's name, do nothing.
func TestLease_NotForThisNode(t *testing.T) {
	b := newLeaseBallot(5, 1)
	prepare := []leaseEntry{{kind: leasePrepare, ballot: b}}
	for name, m := range map[string]leaseMail{
		"another start":    {from: 1, start: 101, toStart: 99, entries: prepare},
		"another's ballot": {from: 2, start: 102, toStart: 100, entries: prepare},
		"another's answer": {from: 2, start: 102, toStart: 100, entries: []leaseEntry{{kind: leaseRefused, ballot: b}}},
		"an unknown kind":  {from: 1, start: 101, entries: []leaseEntry{{kind: 77, ballot: b}, {kind: 0, ballot: b}}},
	} {
		if acts := leaseTestTable(0).apply(4*time.Second, m); len(acts) != 0 {
			t.Errorf("%s: %+v", name, acts)
		}
	}
	if acts := leaseTestTable(0).apply(4*time.Second, leaseMail{from: 1, start: 101, toStart: 100, entries: prepare}); len(acts) != 1 {
		t.Errorf("a message for this node: %+v", acts)
	}
}

// A node that has started has no part in what it was granted before, and waits for its
// end as others do: who it was may be alive.
func TestLease_NewStartIsAnother(t *testing.T) {
	table := leaseTestTable(0)
	table.say(4*time.Second, 1, leasePropose, newLeaseBallot(5, 1))
	release := leaseMail{from: 1, start: 999, entries: []leaseEntry{{kind: leaseRelease, ballot: newLeaseBallot(5, 1)}}}
	table.apply(5*time.Second, release) // not its to release
	for i, want := range []leaseKind{leaseRefused, leasePromise} {
		m := leaseMail{from: 1, start: 999, entries: []leaseEntry{{kind: leasePrepare, ballot: newLeaseBallot(9, 1)}}}
		at := time.Duration(6+i) * time.Second
		if acts := table.apply(at, m); len(acts) != 1 || acts[0].entry.kind != want || acts[0].start != 999 {
			t.Errorf("after %v: %+v; want kind %d", at, acts, want)
		}
	}
}

// Of two that claim a shard at once, one gives up and the other asks again at once.
func TestLease_AsksAgainWhenFreed(t *testing.T) {
	table := leaseTestTable(0)
	table.claim(4*time.Second, 0)
	due, _ := table.next()
	asked := table.turn(due)
	if len(asked) != 2 || asked[0].to != 1 || asked[0].entry.kind != leasePrepare {
		t.Fatalf("%+v; want the others to be asked", asked)
	}
	table.apply(due, leaseMail{from: 1, start: 101, entries: []leaseEntry{asked[0].entry.refused(2*time.Second, 0)}})
	acts := table.apply(due, leaseMail{from: 1, start: 101, entries: []leaseEntry{{kind: leaseRelease, ballot: newLeaseBallot(7, 1)}}})
	if !slices.Equal(acts, asked) {
		t.Errorf("%+v; want the same question to both", acts)
	}
}

// An acceptor that has not heard of a release yet, which this node has, is asked again at
// once, with the same ballot, and not when the lease would have ended; also where this
// node has not heard of the owner before.
func TestLease_ReleaseOvertaken(t *testing.T) {
	for name, known := range map[string]bool{"a known owner": true, "an unknown owner": false} {
		t.Run(name, func(t *testing.T) {
			table := leaseTestTable(0)
			old := newLeaseBallot(7, 1)
			if known {
				table.say(4*time.Second, 1, leaseRenew, old) // node 1 owns shard 0
			}
			table.take(4*time.Second, 1, 101, leaseEntry{kind: leaseRelease, ballot: old, owned: old})
			table.acceptor.seats = map[int]*leaseSeat{0: {until: time.Minute, ballot: newLeaseBallot(3, 1)}} // so that both others are needed
			table.claim(4*time.Second, 0)
			due, _ := table.next()
			asked := table.turn(due)
			if len(asked) != 2 {
				t.Fatalf("%+v; want two questions", asked)
			}
			now := due + time.Millisecond
			refused := asked[1].entry.refused(2*time.Second, old)
			if acts := table.apply(now, leaseMail{from: 2, start: 102, entries: []leaseEntry{refused}}); len(acts) != 0 {
				t.Fatalf("%+v; want node 0 to believe nothing of it", acts)
			}
			due, _ = table.next()
			acts := table.turn(due)
			if due > now+leaseTime/100 || !slices.Equal(acts, asked) {
				t.Errorf("%v later %+v; want the same questions within %v", due-now, acts, leaseTime/100)
			}
		})
	}
}

// An acceptor that does not answer is asked again while the ballot may come to something.
func TestLease_AsksAgainWhoIsSilent(t *testing.T) {
	table := leaseTestTable(0)
	table.claim(4*time.Second, 0)
	due, _ := table.next()
	asked := table.turn(due)
	begun := due
	due, _ = table.next()
	if acts := table.turn(due); due > begun+leaseTime/10 || !slices.Equal(acts, asked) {
		t.Errorf("%v later %+v; want the same questions within %v", due-begun, acts, leaseTime/10)
	}
}

// Every message brings the highest counter that its sender knows.
func TestLease_CountersAreLearned(t *testing.T) {
	table := leaseTestTable(0)
	table.apply(0, leaseMail{from: 1, start: 101, floor: 1000})
	if b := table.ballot(); b.counter() != 1001 || b.node() != 0 {
		t.Errorf("%d of node %d; want 1001 of node 0", b.counter(), b.node())
	}
}

// An owner that has a lower epoch than one before it, as all that knew that one have
// forgotten it and clocks of day disagree, begins again above it when it hears of it.
func TestLease_LowerEpochIsHealed(t *testing.T) {
	w := newLeaseWorld(1, 3, 0, leaseFlaws{})
	for _, n := range w.nodes {
		n.boot()
	}
	w.run(4 * time.Second)
	first, last := w.nodes[0], w.nodes[2]
	first.claim(0)
	w.run(time.Second)
	high := first.holds[0].ballot

	// Node 2 knows the epoch and is cut off; the others start anew, an hour earlier.
	for i := range 2 {
		w.cut[[2]int{i, 2}], w.cut[[2]int{2, i}] = true, true
		w.nodes[i].crash()
	}
	w.now += time.Second
	for _, n := range w.nodes[:2] {
		n.boot()
		n.table.clock = func() int64 { return (w.now - time.Hour).Milliseconds() }
	}
	w.owners = map[int]leaseOwner{} // the checker knows better
	w.nodes[1].claim(0)
	w.run(5 * time.Second)
	if low := w.nodes[1].holds[0].ballot; low == 0 || low > high {
		t.Fatalf("epoch %x after %x; want a lower one to begin with", low, high)
	}
	clear(w.cut)
	w.run(5 * time.Second)
	if now := w.nodes[1].holds[0].ballot; now < high || last.told[0].ballot != now {
		t.Errorf("epoch %x, node 2 was told of %x; want one above %x", now, last.told[0].ballot, high)
	}
	if w.err != nil {
		t.Error(w.err)
	}
}

// Whatever is claimed or released in one go travels in one message for each node.
func TestLease_Gathers(t *testing.T) {
	w := newLeaseWorld(1, 3, 0, leaseFlaws{})
	for _, n := range w.nodes {
		n.boot()
	}
	table := w.nodes[0].table
	w.run(4 * time.Second)
	now := w.nodes[0].local()
	for shard := range leaseEntries + 1 {
		table.claim(now, shard)
	}
	due, _ := table.next()
	letters := table.letters(table.turn(due))
	if len(letters) != 4 {
		t.Errorf("%d messages for %d claims; want 2 for each of the others", len(letters), leaseEntries+1)
	}
	for _, l := range letters {
		if n := len(l.encode(0)); n > 64<<10 {
			t.Errorf("a message of %d bytes", n)
		}
	}
}
