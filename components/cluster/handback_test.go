package cluster_test

import (
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/usher-go/usher/components/cluster"
	"github.com/usher-go/usher/components/cluster/clustertest"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/wheel/wheeltest"
)

// How long a key answers nobody at most when its node crashes, comes back, leaves in
// order and comes back again: a lease and a moment, and otherwise moments.
func TestStatic_KeysMoveInTime(t *testing.T) {
	kerneltest.Seeds(t, cluster.Simulations, func(t *testing.T, seed uint64) { newShop(t, seed).run() })
}

// The same, for long, with how long it took.
func TestSoakStatic_KeysMoveInTime(t *testing.T) {
	if os.Getenv("USHER_SOAK") != "1" {
		t.Skip("takes minutes; USHER_SOAK=1 runs it")
	}
	took := map[string][]time.Duration{}
	kerneltest.Seeds(t, 200, func(t *testing.T, seed uint64) {
		s := newShop(t, seed)
		s.run()
		for what, d := range s.took {
			took[what] = append(took[what], d)
		}
	})
	for what, list := range took {
		slices.Sort(list)
		t.Logf("%s: half within %v, 99%% within %v, all within %v", what, list[len(list)/2], list[len(list)*99/100], list[len(list)-1])
	}
}

const (
	shopKeys   = 12
	shopVictim = "b"
	shopLost   = 1500 * time.Millisecond // Config.LostAfter
	staticTime = 3 * time.Second         // a Static directory's lease
)

// shop is nodes that run keys, to all of which one node posts all the time.
type shop struct {
	*rand.Rand
	t     *testing.T
	w     *clustertest.World
	names []string
	last  [shopKeys]time.Duration // when each has handled its last event
	worst time.Duration           // of all keys
	took  map[string]time.Duration
}

func newShop(t *testing.T, seed uint64) *shop {
	s := &shop{Rand: rand.New(rand.NewPCG(seed, 5)), t: t, w: clustertest.New(t, seed), names: []string{"a", "b", "c"}, took: map[string]time.Duration{}}
	if seed%2 == 1 {
		s.names = append([]string{"client"}, s.names...) // one more acceptor, which runs no keys
	}
	for i, name := range s.names {
		s.w.Node(name, kerneltest.AllowDropped(), kerneltest.AllowReported(), kerneltest.AllowUnhandled())
		for _, other := range s.names[:i] {
			s.w.Between(name, other, wheeltest.Link{Delay: time.Millisecond, Jitter: []time.Duration{1, 5, 20}[seed%3] * time.Millisecond})
		}
	}
	for _, name := range s.names {
		s.boot(name)
	}
	if _, err := s.w.Machine(s.names[0]).Kernel().Spawn(simReceiver(customers), kernel.Alias("customers")); err != nil {
		t.Fatal(err)
	}
	return s
}

func customers(c *kernel.Context) error {
	if c.Event() == "_start" || c.Event() == "go" {
		for key := range shopKeys {
			_ = c.Post(cluster.Place("cart", key), "add", key)
		}
		c.Delay("go", 20*time.Millisecond)
	}
	return nil
}

func (s *shop) boot(name string) {
	m, directory := s.w.Machine(name), cluster.Static{}
	for _, n := range s.names {
		directory[n] = s.w.Machine(n).Address()
	}
	cfg := cluster.Config{
		Name: name, Directory: directory, Transport: m.Transport(),
		Heartbeat: shopLost / 6, LostAfter: shopLost, CallTimeout: 10 * time.Second,
	}
	if name != "client" {
		cfg.Kinds = []cluster.Kind{{Name: "cart", New: func(cluster.Key) kernel.Receiver { return simReceiver(s.cart) }}}
	}
	if _, err := cluster.Join(m.Kernel(), cfg); err != nil {
		s.t.Fatal(err)
	}
}

func (s *shop) cart(c *kernel.Context) error {
	if c.Event() == "add" {
		s.handled(c.Arg(0).(int))
	}
	return nil
}

func (s *shop) handled(key int) {
	now := s.w.Elapsed()
	s.worst = max(s.worst, now-s.last[key])
	s.last[key] = now
}

func (s *shop) run() {
	s.w.Run(2 * staticTime)
	s.worst = 0
	victim := s.w.Machine(shopVictim)
	back := func() { victim.Restart(); s.boot(shopVictim) }
	s.measure("take-over", staticTime+shopLost/3, victim.Crash)
	s.measure("hand-back", shopLost/3, back)
	s.measure("leaving", shopLost/3, func() { victim.Kernel().Stop() })
	s.measure("hand-back of one that has left", shopLost/3, back)
	for _, name := range s.names {
		s.w.Machine(name).Kernel().Stop()
	}
	s.w.Run(time.Second)
}

// measure has something happen, and looks how long any key is without an owner then.
func (s *shop) measure(what string, most time.Duration, do func()) {
	do()
	s.w.Run(staticTime + shopLost + time.Duration(s.IntN(2000))*time.Millisecond)
	for key := range shopKeys {
		s.worst = max(s.worst, s.w.Elapsed()-s.last[key])
	}
	s.took[what], s.worst = s.worst, 0
	if s.took[what] > most {
		s.t.Errorf("%s: a key was without an owner for %v; want %v at most", what, s.took[what], most)
	}
}

// A node that has been away is answered as soon as it is heard, however long nobody could
// reach it before.
func TestNodeThatIsBackIsAnsweredAtOnce(t *testing.T) {
	kerneltest.Seeds(t, 20, func(t *testing.T, seed uint64) {
		w := clustertest.New(t, seed)
		a, b := w.Node("a", kerneltest.AllowReported()), w.Node("b", kerneltest.AllowReported())
		directory := cluster.Static{"a": a.Address(), "b": b.Address()}
		join := func(m *clustertest.Machine) *cluster.Node {
			n, err := cluster.Join(m.Kernel(), cluster.Config{Name: m.Name(), Directory: directory, Transport: m.Transport()})
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		n := join(a)
		w.Run(time.Duration(20_000+seed*100) * time.Millisecond) // b is not started yet, or down
		join(b)
		w.Run(50 * time.Millisecond)
		if s := n.Status().Nodes[0].State; s != cluster.Up {
			t.Errorf("50 ms after its start b is %v", s)
		}
		a.Kernel().Stop()
		b.Kernel().Stop()
		w.Run(time.Second)
	})
}
