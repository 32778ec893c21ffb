package prefork

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// explore visits every state that a pool can reach in so many steps, and checks
// in each what must always hold. From each, a quiet pool fulfils the spare rules.
func explore(t *testing.T, first *model, depth int) {
	t.Helper()
	type node struct {
		*model
		path []string
	}
	seen := map[string]bool{first.key(): true}
	level, visited := []node{{first, nil}}, 0
	for range depth {
		var next []node
		for _, n := range level {
			visited++
			if err := n.clone().settle(); err != nil {
				t.Fatalf("%v\nafter %v", err, n.path)
			}
			for _, s := range n.steps() {
				m := n.clone()
				path := append(slices.Clip(slices.Clone(n.path)), s.name)
				if err := m.do(s); err != nil {
					t.Fatalf("%v\nafter %v", err, path)
				}
				if k := m.key(); !seen[k] {
					seen[k] = true
					next = append(next, node{m, path})
				}
			}
		}
		level = next
	}
	if visited < 1000 {
		t.Fatalf("only %d states visited; the model explores too little", visited)
	}
	t.Logf("%d states visited", visited)
	for seed := range uint64(60) {
		wander(t, first.clone(), seed)
	}
}

// wander goes a long way through the states, as a seed chooses.
func wander(t *testing.T, m *model, seed uint64) {
	t.Helper()
	var path []string
	choose := rand.New(rand.NewPCG(seed, 1))
	for range 60 {
		all := m.steps()
		s := all[choose.IntN(len(all))]
		if s.msg.kind == msgShutdown && len(path) < 50 {
			continue
		}
		path = append(path, s.name)
		if err := m.do(s); err != nil {
			t.Fatalf("seed %d: %v\nafter %v", seed, err, path)
		}
	}
	if err := m.settle(); err != nil {
		t.Fatalf("seed %d: %v\nafter %v", seed, err, path)
	}
}

// small is a pool whose states can be counted.
func small(change func(*limits)) limits {
	l := limits{
		start: 2, minSpare: 1, maxSpare: 2, maxClients: 3,
		grace: 2 * time.Second, keepOnError: true, youth: 2 * time.Second, failedBoots: 3,
		backoff: defaultBackoff,
	}
	change(&l)
	return l
}

// Never more than MaxClients workers (P4, P48), no spawn while stopping (P77),
// every process tracked until reaped (P82, P87), no signal to a process that is
// not ours, giving up exactly at the limit (P57), one end.
func TestP32_P75_P85_Model(t *testing.T) {
	explore(t, newModel(small(func(*limits) {}), happenings{}), 8)
}

// Beside all that: no old worker is asked to go before enough new ones are
// ready, each reload ends once, in success or failure, and never more processes
// than MaxClients and the surplus.
func TestIII1_P48_ModelOfReloadsAndUpgrades(t *testing.T) {
	explore(t, newModel(small(func(l *limits) {
		l.start, l.maxClients, l.surplus, l.startTimeout, l.maxSpare = 1, 2, 1, 3*time.Second, 1
	}), happenings{reloads: true, upgrades: true}), 6)
}

func TestIII11_ModelOfRecyclingAndScaling(t *testing.T) {
	explore(t, newModel(small(func(l *limits) {
		l.start, l.maxClients, l.surplus, l.maxAge, l.maxRSS = 1, 2, 1, 3*time.Second, 1
	}), happenings{scaling: true, memory: true}), 6)
}
