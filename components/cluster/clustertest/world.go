package clustertest

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/wheel/wheeltest"
)

// Config says how a world behaves. The zero value is one without faults.
type Config struct {
	// Network is the network between the machines. Its Seed and Clock do not count.
	// A zero Link means a Delay of 1 ms and a Jitter of 1 ms, so that everything
	// takes some time.
	Network wheeltest.Config

	// AllowGoroutines lets goroutines that handlers started outlive the test.
	AllowGoroutines bool
}

// World is several machines and the network between them, in virtual time. It
// belongs to the goroutine of the test.
type World struct {
	t    testing.TB
	cfg  Config
	seed uint64
	rand *rand.Rand

	now      time.Duration // since kerneltest.Epoch
	net      *wheeltest.Network
	clock    *kernel.Kernel // the network's
	agenda   agenda
	machines []*Machine
	hosts    map[netip.Addr]*Machine
	running  bool
	did      uint64 // turns that were not in vain, and sessions that ended in those that were
}

// New makes a world without machines. The seed decides everything that is left to
// chance: the network's doings, which machine goes first, each kernel's order. When
// the test fails, it is printed; USHER_SEED replays it for tests that get their seeds
// from kerneltest.Seeds.
func New(t testing.TB, seed uint64, cfg ...Config) *World {
	t.Helper()
	w := &World{t: t, seed: seed, did: 1, hosts: make(map[netip.Addr]*Machine)}
	switch len(cfg) {
	case 0:
	case 1:
		w.cfg = cfg[0]
	default:
		t.Fatalf("clustertest: New got %d Configs; want one, or none", len(cfg))
	}
	w.rand = rand.New(rand.NewPCG(seed, 1))
	w.clock = kernel.New(kernel.Config{Mode: kernel.Simulated, Seed: w.derive("network", 0)})
	n := w.cfg.Network
	n.Seed, n.Clock = w.derive("link", 0), w.clock
	if n.Link == (wheeltest.Link{}) {
		n.Link = wheeltest.Link{Delay: time.Millisecond, Jitter: time.Millisecond}
	}
	w.net = wheeltest.New(n)
	t.Cleanup(w.end)
	return w
}

// derive makes a seed of the world's, another one for each purpose.
func (w *World) derive(what string, n uint64) uint64 {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%d %s %d", w.seed, what, n)
	return h.Sum64()
}

// Node makes a machine and starts it. Its name is also what others dial, and who its
// Transport proves to be: give the node that joins on it the same name. Options are
// those of kerneltest.New; what they allow, the machine's kernels may do. Sessions
// may outlive the test.
func (w *World) Node(name string, opts ...kerneltest.Option) *Machine {
	w.t.Helper()
	for _, m := range w.machines {
		if m.name == name {
			w.t.Fatalf("clustertest: a second machine %q; give each a name of its own", name)
		}
	}
	if !usable(name) {
		w.t.Fatalf("clustertest: a machine's name is %q; want lower-case letters, digits, '-', '.' and '_', and no address", name)
	}
	n := len(w.machines) + 1
	ip := netip.AddrFrom4([4]byte{10, 0, byte(n >> 8), byte(n)})
	w.net.SetHost(name, ip.String())
	m := &Machine{w: w, name: name, opts: opts}
	w.machines = append(w.machines, m)
	w.hosts[ip] = m
	m.boot()
	return m
}

// Machine is the machine of a name; there must be one.
func (w *World) Machine(name string) *Machine {
	for _, m := range w.machines {
		if m.name == name {
			return m
		}
	}
	w.t.Helper()
	w.t.Fatalf("clustertest: no machine is called %q; make it with World.Node", name)
	return nil
}

// usable: the network takes the name for a host's, and nothing else has it.
func usable(name string) bool {
	if _, err := netip.ParseAddr(name); err == nil || name == "" || name == "localhost" || name == "unix" || name[len(name)-1] == '.' {
		return false
	}
	for _, r := range name {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '.' && r != '_' {
			return false
		}
	}
	return true
}

// Network is what lies between the machines, for faults that World has no method
// for, and for strangers: Network().On("203.0.113.9") is a host without a machine.
func (w *World) Network() *wheeltest.Network { return w.net }

// Elapsed is how much time has passed in the world since its beginning, which is
// kerneltest.Epoch by all clocks. Machine clocks may differ: Skew, Drift.
func (w *World) Elapsed() time.Duration { return w.now }

// end is the leak report. What is open belongs to somebody while sessions live;
// beyond them there is nothing.
func (w *World) end() {
	w.t.Helper()
	for _, m := range w.machines {
		m.end()
	}
	w.net.Check(w.t)
	if w.t.Failed() {
		w.t.Logf("the world's seed is %d; with kerneltest.Seeds, to replay: USHER_SEED=%d go test -run '^%s$'", w.seed, w.seed, w.t.Name())
	}
}
