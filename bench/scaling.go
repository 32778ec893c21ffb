package main

import (
	"fmt"
	"runtime"
)

// scaling is what more cores are good for. Its peers are a peer of messaging on
// so many cores: they take turns as others do, so that a ratio between them is as
// good.
var scaling = newScaling([]string{usher, channel}, coreCounts(runtime.NumCPU()))

// pairs are enough to keep every core busy, each with a token that only two
// members ever see.
var pairs = rings{rings: 8, members: 2, hops: 2}

// coreCounts are those worth comparing on a machine with so many.
func coreCounts(cpus int) []int {
	counts := []int{1}
	for n := 2; n <= 4 && n <= cpus; n *= 2 {
		counts = append(counts, n)
	}
	return counts
}

// newScaling compares each count of cores with one core.
func newScaling(peers []string, counts []int) *Group {
	// Eight pairs of members send an event to and fro, independent of each other.
	row := &Row{Name: "pairs", Unit: "round trip"}
	g := &Group{Name: "scaling", About: "what more cores are good for", Rows: []*Row{row}}
	for _, peer := range peers {
		for _, n := range counts {
			name := onCores(peer, n)
			g.Peers = append(g.Peers, name)
			g.register(name, map[string]Runner{"pairs": func(ops int) (Sample, error) {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(n))
				return pairs.runner(peer)(ops)
			}})
			if n > 1 { // twice the cores, 1/0.6 times the events; the channel's is for comparison
				row.Budgets = append(row.Budgets,
					Budget{Peer: name, Limit: 1, Against: onCores(peer, 1), Stretch: peer == channel},
					Budget{Peer: name, Limit: 1.2 / float64(n), Against: onCores(peer, 1), Stretch: true},
				)
			}
		}
	}
	return g
}

func onCores(peer string, n int) string { return fmt.Sprintf("%s-%dcpu", peer, n) }
