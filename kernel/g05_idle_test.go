package kernel_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/usher-go/usher/kernel"
)

// underStress runs f with several seeds, in every mode; USHER_SOAK=1 asks for a
// hundred times as many.
func underStress(t *testing.T, seeds int, f func(k *fixture, m kernel.Mode, n uint64)) {
	t.Helper()
	if os.Getenv("USHER_SOAK") != "" {
		seeds *= 100
	}
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		for n := range uint64(seeds) {
			t.Run(fmt.Sprint("seed ", n), func(t *testing.T) { f(boot(t, m, seed(n), workers(1+int(n)%4)), m, n) })
		}
	})
}

// judge raises one storm after the other, each from its handler of IDLE, and has a
// look at the last one there: nothing of it may be left.
type judge struct {
	*storm
	rng     *rand.Rand
	rounds  int
	idles   int
	zombies int
}

// services are the members that outlast a storm.
const services = 3

func (j *judge) table() table {
	return table{
		"_start": func(c *kernel.Context) error {
			c.Sig("IDLE", "idle")
			c.Sig("ZOMBIE", "zombie")
			return c.AliasSet("judge")
		},
		"_child": nop.none,
		"idle": func(c *kernel.Context) error {
			j.look(c)
			c.SigHandled()
			if j.idles++; j.idles <= j.rounds {
				j.raise(c)
			}
			return nil
		},
		"zombie": func(*kernel.Context) error { j.zombies++; return nil },
	}
}

// look checks that nothing runs, waits or is on its way.
func (j *judge) look(c *kernel.Context) {
	for what, n := range map[string]int64{
		"handlers running":                 j.running.Load(),
		"events neither handled nor taken": j.accepted.Load() - j.handled.Load() - j.dropped.Load(),
		"calls under way":                  j.calling.Load(),
		"leases and Holds":                 j.held.Load(),
		"timers":                           j.timers.Load(),
		"sessions that are ending":         j.spawned.Load() - j.stopped.Load() - j.population.Load() - 1,
		"sessions that nothing holds":      int64(len(c.Kernel().Sessions())) - j.serving(c) - 1,
	} {
		if n != 0 {
			j.t.Errorf("at IDLE %d: %s: %d", j.idles, what, n)
		}
	}
}

// serving counts the services that no storm has killed.
func (j *judge) serving(c *kernel.Context) (n int64) {
	for i := range services {
		if _, ok := c.Kernel().Resolve(kernel.Address(fmt.Sprint("serves ", i))); ok {
			n++
		}
	}
	return n
}

func (j *judge) raise(c *kernel.Context) {
	j.budget.Store(j.accepted.Load() + 100)
	for i := range services + 3 {
		opts := []kernel.SpawnOption{}
		if i < services {
			name := fmt.Sprint("serves ", i)
			if _, ok := c.Kernel().Resolve(kernel.Address(name)); ok {
				continue
			}
			opts = append(opts, kernel.Alias(name))
		}
		j.population.Add(1)
		a, err := c.Spawn(j.member(j.rng.Uint64()), opts...)
		must(err)
		j.count(c.Post(a, "hop", 8))
	}
	for range j.rng.IntN(3) { // goroutines that work for the judge, under its lease
		j.held.Add(1)
		l, seed := c.Lease("outside"), j.rng.Uint64()
		j.posters.Go(func() {
			j.outside(seed, 10)
			j.held.Add(-1)
			l.Release()
		})
	}
}

// IDLE comes once after each storm, when the last of it is over: no handler runs,
// no call is in progress, no event is queued, no lease, Hold or timer is left, nobody
// waits to be collected. When nothing comes of it, ZOMBIE comes, once. What was
// accepted was handled or reported (T17, T18).
func TestG5_IdleIsExact_K40_K41_K42_K43(t *testing.T) {
	underStress(t, 20, func(k *fixture, m kernel.Mode, n uint64) {
		s := &storm{fixture: k, m: m, judged: true}
		j := &judge{storm: s, rng: rand.New(rand.NewPCG(n, 5)), rounds: 8}
		k.spawn(j.table())
		k.run()
		s.posters.Wait()
		expect(k.t, "IDLEs", j.idles, j.rounds+1)
		expect(k.t, "ZOMBIEs", j.zombies, 1)
		expect(k.t, "accepted", s.accepted.Load(), s.handled.Load()+k.dropped.Load())
		expect(k.t, "stopped", k.stopped.Load(), k.spawned.Load())
		expect(k.t, "failures", k.failed.Load(), 0)
	})
}

// Goroutines that hold nothing post and send signals while the kernel runs dry
// again and again: what they do may come at the same time as IDLE. ZOMBIE comes when
// nothing came of IDLE, and then only.
func TestG5_IdleIsExactUnderFire_K43(t *testing.T) {
	underStress(t, 10, func(k *fixture, _ kernel.Mode, _ uint64) {
		var firing, accepted, handled atomic.Int64
		var wg sync.WaitGroup
		firing.Store(3)
		lazy, queued, zombies := false, 0, 0
		to := k.service(table{
			"_start": func(c *kernel.Context) error {
				c.Sig("IDLE", "idle")
				c.Sig("ZOMBIE", "zombie")
				c.Sig("NEWS", "news")
				return nil
			},
			"news": nop.none,
			"shot": func(*kernel.Context) error { handled.Add(1); return nil },
			"work": func(*kernel.Context) error { queued--; return nil },
			"idle": func(c *kernel.Context) error {
				expect(k.t, "work queued at IDLE", queued, 0)
				c.SigHandled()
				if lazy = firing.Load() == 0; lazy {
					return nil
				}
				queued++
				return c.Yield("work")
			},
			"zombie": func(*kernel.Context) error {
				zombies++
				expect(k.t, "lazy at ZOMBIE", lazy, true)
				expect(k.t, "work queued at ZOMBIE", queued, 0)
				return nil
			},
		})
		for i := range firing.Load() {
			wg.Go(func() {
				defer firing.Add(-1)
				for range 300 {
					if i == 0 {
						must(k.Signal("", "NEWS"))
						continue
					}
					must(k.Post(to, "shot"))
					accepted.Add(1)
				}
			})
		}
		k.run()
		wg.Wait()
		expect(k.t, "ZOMBIEs", zombies, 1)
		expect(k.t, "shots handled", handled.Load(), accepted.Load())
	})
}
