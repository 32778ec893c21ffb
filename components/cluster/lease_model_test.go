package cluster

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel/kerneltest"
)

const leaseTestShards = 3

// storm lets faults happen for a time.
func (w *leaseWorld) storm(d time.Duration) {
	w.loss = []float64{0, 0.05, 0.3}[w.rnd.IntN(3)]
	w.slow = []time.Duration{2, 20, 400}[w.rnd.IntN(3)] * time.Millisecond
	end := w.now + d
	var fault func()
	fault = func() {
		if w.now >= end {
			return
		}
		w.fault(w.nodes[w.rnd.IntN(len(w.nodes))])
		w.at(w.now+w.upTo(700*time.Millisecond)+1, fault)
	}
	w.at(w.now, fault)
	w.run(d)
}

func (w *leaseWorld) fault(n *leaseNode) {
	shard := w.rnd.IntN(leaseTestShards)
	switch w.rnd.IntN(12) {
	case 0:
		if n.up && !w.steady {
			n.crash()
		}
	case 1:
		n.paused = true
	case 2:
		side := w.rnd.Uint64()
		for i := range w.nodes {
			for j := range w.nodes {
				w.cut[[2]int{i, j}] = side>>i&1 != side>>j&1 && w.rnd.IntN(5) > 0
			}
		}
	case 3:
		clear(w.cut)
	case 4, 5, 6, 7:
		switch {
		case !n.up:
			n.boot()
			n.claim(shard)
		case n.paused:
			n.resume()
		}
	default:
		if n.up && !n.paused {
			if n.claims[shard] && w.rnd.IntN(3) == 0 {
				n.release(shard)
			} else {
				n.claim(shard)
			}
		}
	}
}

// leaseStory is one run of a world: faults, then calm, in which everything must come
// in order again and stay so.
func leaseStory(w *leaseWorld) error {
	for _, n := range w.nodes {
		n.boot()
		for shard := range leaseTestShards {
			n.claim(shard)
		}
	}
	w.storm(25 * time.Second)
	if w.err != nil {
		return w.err
	}
	w.calm()
	w.run(12 * time.Second) // until late messages are over, then a wait, a lease, and some
	if w.err != nil {
		return w.err
	}
	if err := w.settled(); err != nil {
		return fmt.Errorf("12 s after the last fault: %w", err)
	}
	before := w.epochs()
	w.run(10 * time.Second)
	if w.err != nil {
		return w.err
	}
	if after := w.epochs(); !slices.Equal(before, after) {
		return fmt.Errorf("owners change without a fault: %x, then %x", before, after)
	}
	return nil
}

// At most one node holds a shard, epochs grow, nobody is told of an owner that was
// none, and a connected majority comes to owners for all that is claimed: with
// messages lost, doubled, late and out of order, partitions that may be one-way,
// pauses, crashes, drift up to the bound and clocks of day 1.4 seconds apart.
func TestLease_ModelWithCrashes(t *testing.T) {
	runs, gains, takes := 0, 0, 0
	kerneltest.Seeds(t, 250, func(t *testing.T, seed uint64) {
		skew := 700 * time.Millisecond
		if seed%5 == 0 {
			skew = 0 // a cluster of one
		}
		w := newLeaseWorld(seed, int(seed%5)+1, skew, leaseFlaws{})
		if err := leaseStory(w); err != nil {
			t.Fatal(err)
		}
		runs, gains, takes = runs+1, gains+w.gains, takes+w.takes
	})
	t.Logf("%d gains, %d of them from another node", gains, takes)
	if runs > 1 && takes < 300 {
		t.Error("too little happens")
	}
}

// As long as no majority forgets, clocks of day may say anything.
func TestLease_ModelWithAnyClockOfDay(t *testing.T) {
	runs, takes := 0, 0
	kerneltest.Seeds(t, 120, func(t *testing.T, seed uint64) {
		w := newLeaseWorld(seed, int(seed%4)+2, 24*time.Hour, leaseFlaws{})
		w.steady = true
		if err := leaseStory(w); err != nil {
			t.Fatal(err)
		}
		runs, takes = runs+1, takes+w.takes
	})
	if runs > 1 && takes < 100 {
		t.Error("too little happens")
	}
}

// leaseDriftStory: an owner whose clock is as slow as it may be, and whom answers reach
// late, is cut off from acceptors whose clocks are as fast as they may be.
func leaseDriftStory(w *leaseWorld) error {
	for i, n := range w.nodes {
		n.boot()
		n.rate = 1.01
		if i == 0 {
			n.rate = 0.99
			n.claim(0)
		}
		w.lag[[2]int{i, 0}] = 300 * time.Millisecond
	}
	w.run(7*time.Second + w.upTo(time.Second))
	for i, n := range w.nodes {
		if i > 0 {
			n.claim(0)
			w.cut[[2]int{0, i}], w.cut[[2]int{i, 0}] = true, true
		}
	}
	w.run(4 * time.Second)
	if w.err == nil && (w.takes != 1 || len(w.nodes[0].holds) != 0) {
		return fmt.Errorf("%d takeovers; want 1, and the first owner knows", w.takes)
	}
	return w.err
}

func TestLease_DriftAtItsBound(t *testing.T) {
	kerneltest.Seeds(t, 200, func(t *testing.T, seed uint64) {
		if err := leaseDriftStory(newLeaseWorld(seed, 3, 0, leaseFlaws{})); err != nil {
			t.Fatal(err)
		}
	})
}

// The checker finds each mistake that the protocol could have, and what the clocks of
// day are needed for.
func TestLease_ModelFindsFlaws(t *testing.T) {
	for _, flaw := range []struct {
		name  string
		flaws leaseFlaws
		story func(*leaseWorld) error
		skew  time.Duration
		want  string
	}{
		{"no wait after a start", leaseFlaws{noWait: true}, leaseStory, 0, "both hold"},
		{"no margin for drift", leaseFlaws{noMargin: true}, leaseDriftStory, 0, "both hold"},
		{"counted from the answer", leaseFlaws{late: true}, leaseDriftStory, 0, "both hold"},
		{"half is enough", leaseFlaws{minority: true}, leaseStory, 0, "both hold"},
		{"grants are taken away", leaseFlaws{steal: true}, leaseStory, 0, "both hold"},
		{"counters begin from nothing", leaseFlaws{amnesia: true}, leaseStory, 0, "epoch"},
		{"clocks of day too far apart", leaseFlaws{}, leaseStory, time.Hour, "epoch"},
	} {
		t.Run(flaw.name, func(t *testing.T) {
			const enough = 1000
			for seed := range uint64(enough) {
				w := newLeaseWorld(seed, []int{2, 3, 4}[seed%3], flaw.skew, flaw.flaws)
				if err := flaw.story(w); err != nil && strings.Contains(err.Error(), flaw.want) {
					t.Logf("seed %d: %v", seed, err)
					return
				}
			}
			t.Errorf("not found in %d runs", enough)
		})
	}
}

// When an owner is gone, another claimant has the shard within the lease time and a
// second; with the majority that is left, and whoever else claims it.
func TestLease_Takeover(t *testing.T) {
	var longest time.Duration
	kerneltest.Seeds(t, 100, func(t *testing.T, seed uint64) {
		w := newLeaseWorld(seed, []int{3, 5}[seed%2], 0, leaseFlaws{})
		for _, n := range w.nodes {
			n.boot()
			for shard := range leaseTestShards {
				n.claim(shard)
			}
		}
		w.run(8 * time.Second)
		if err := w.settled(); err != nil {
			t.Fatal(err)
		}
		w.run(w.upTo(time.Second))
		owner := w.holders(0)[0]
		if seed%4 < 2 {
			owner.crash()
		} else {
			owner.paused = true
		}
		from := w.now
		for len(w.holders(0)) == 0 || w.holders(0)[0] == owner {
			if w.run(10 * time.Millisecond); w.now-from > leaseTime+time.Second {
				t.Fatal("not taken over")
			}
		}
		longest = max(longest, w.now-from)
		if owner.paused {
			w.run(10 * time.Second)
			owner.resume()
			w.run(time.Second + leaseTime)
			if err := w.settled(); err != nil {
				t.Fatalf("the owner is back: %v", err)
			}
		}
		if w.err != nil {
			t.Fatal(w.err)
		}
	})
	t.Logf("at most %v", longest)
}

// Nodes that start together, and claim at once, have owners soon after their wait.
func TestLease_Start(t *testing.T) {
	kerneltest.Seeds(t, 50, func(t *testing.T, seed uint64) {
		w := newLeaseWorld(seed, []int{2, 3, 5}[seed%3], 0, leaseFlaws{})
		for _, n := range w.nodes {
			n.boot()
			for shard := range leaseTestShards {
				n.claim(shard)
			}
		}
		w.run(leaseTime + leaseTime/2) // two that bid at once try again, after waits by chance
		if err := w.settled(); err != nil || w.err != nil {
			t.Fatal(err, w.err)
		}
	})
}

// A release lets the next one in at once, however long the lease is.
func TestLease_ReleaseFrees(t *testing.T) {
	kerneltest.Seeds(t, 50, func(t *testing.T, seed uint64) {
		w := newLeaseWorld(seed, 3, 0, leaseFlaws{})
		for _, n := range w.nodes {
			n.boot()
			n.claim(0)
		}
		w.run(8 * time.Second)
		owner := w.holders(0)[0]
		owner.release(0)
		w.run(700 * time.Millisecond)
		if held := w.holders(0); len(held) != 1 || held[0] == owner {
			t.Fatal("the others do not have it")
		}
		if err := w.settled(); err != nil || w.err != nil {
			t.Fatal(err, w.err)
		}
	})
}
