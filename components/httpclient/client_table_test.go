package httpclient

import (
	"math/rand/v2"
	"testing"
)

// TestA45_Table: against a plain model, each request is finished once, starts at
// most once and in its turn, and no more than max run.
func TestA45_Table(t *testing.T) {
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 0))
		limit := rng.IntN(4)
		tab := newTable(limit)
		var all, waiting, running []*job
		finished := map[*job]bool{}
		for step := range 300 {
			switch rng.IntN(3) {
			case 0:
				j := &job{id: RequestID(step + 1)}
				all, waiting = append(all, j), append(waiting, j)
				tab.add(j)
			case 1:
				if len(all) > 0 {
					j := all[rng.IntN(len(all))]
					if tab.finish(j, ErrTimeout) == finished[j] {
						t.Fatalf("seed %d: finished twice, or not at all", seed)
					}
					finished[j] = true
				}
			case 2:
				if len(running) > 0 {
					running = running[1:]
					tab.returned()
				}
			}
			for j := tab.next(); j != nil; j = tab.next() {
				for len(waiting) > 0 && finished[waiting[0]] {
					waiting = waiting[1:]
				}
				if len(waiting) == 0 || waiting[0] != j {
					t.Fatalf("seed %d: request %d starts out of turn", seed, j.id)
				}
				waiting, running = waiting[1:], append(running, j)
			}
			unstarted := 0
			for _, j := range waiting {
				if !finished[j] {
					unstarted++
				}
			}
			s := tab.stats()
			if s.Running != len(running) || limit > 0 && s.Running > limit || s.Pending != len(all)-len(finished) ||
				s.Waiting != unstarted || s.Ended["timeout"] != uint64(len(finished)) || s.Requests != uint64(len(all)) {
				t.Fatalf("seed %d: %+v", seed, s)
			}
			if unstarted > 0 && (limit == 0 || len(running) < limit) {
				t.Fatalf("seed %d: %d wait in vain", seed, unstarted)
			}
		}
	}
}
