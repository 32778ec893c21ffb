package kernel_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

// storm is a population of sessions that post, call, spawn, lease, set timers,
// detach, stop and kill each other at random, while goroutines do the same from
// outside.
type storm struct {
	*fixture
	m                 kernel.Mode
	budget            atomic.Int64 // how many events are posted before it dies down
	accepted, handled atomic.Int64
	calls, deadlocks  atomic.Int64
	population        atomic.Int64
	posters           sync.WaitGroup // a session that stops does not wait for them

	running, calling, held, timers atomic.Int64 // at this moment

	judged bool // IDLE is to wait for goroutines whose session has ended, too

	mu    sync.Mutex
	addrs []kernel.Address
}

func (s *storm) someone(rng *rand.Rand) kernel.Address {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addrs[rng.IntN(len(s.addrs))]
}

func (s *storm) count(err error) {
	switch {
	case err == nil:
		s.accepted.Add(1)
	case !errors.Is(err, kernel.ErrNoSession) && !errors.Is(err, kernel.ErrQueueFull) && !errors.Is(err, kernel.ErrStopped):
		s.t.Errorf("Post: %v", err)
	}
}

// hold keeps the kernel from IDLE.
func (s *storm) hold() (release func()) {
	s.held.Add(1)
	over := s.Hold("storm")
	return func() { s.held.Add(-1); over() }
}

// counted is a handler that is seen to run.
func (s *storm) counted(h kernel.Handler) kernel.Handler {
	return func(c *kernel.Context) error {
		s.running.Add(1)
		defer s.running.Add(-1)
		return h(c)
	}
}

// member is one session of a storm.
type member struct {
	*storm
	rng   *rand.Rand
	ended bool // its _stop is over
}

func (s *storm) member(seed uint64) kernel.Receiver {
	m := &member{storm: s, rng: rand.New(rand.NewPCG(seed, 9))}
	hop := s.counted(func(c *kernel.Context) error {
		s.handled.Add(1)
		ttl := c.Arg(0).(int)
		if ttl == 0 {
			return nil
		}
		for range 1 + m.rng.IntN(2) {
			m.act(c, ttl-1)
		}
		return nil
	})
	return table{
		"_start": func(c *kernel.Context) error {
			s.mu.Lock()
			s.addrs = append(s.addrs, c.Self())
			s.mu.Unlock()
			return nil
		},
		"hop":   hop,
		"timer": s.counted(func(c *kernel.Context) error { s.timers.Add(-1); m.act(c, 1); return nil }),
		"call": s.counted(func(c *kernel.Context) error {
			s.calls.Add(1)
			runtime.Gosched()
			if m.rng.IntN(3) == 0 {
				m.act(c, c.Arg(0).(int))
			}
			return nil
		}),
		"_stop": func(c *kernel.Context) error {
			s.population.Add(-1)
			s.timers.Add(-int64(len(c.AlarmRemoveAll())))
			m.ended = true
			s.mu.Lock()
			s.addrs = slices.DeleteFunc(s.addrs, func(a kernel.Address) bool { return a == c.Self() && len(s.addrs) > 1 })
			s.mu.Unlock()
			s.count(c.Post(s.someone(m.rng), "hop", 1)) // accepted, and reported (K32)
			return nil
		},
	}
}

func (s *member) act(c *kernel.Context, ttl int) {
	rng := s.rng
	if s.accepted.Load() > s.budget.Load() {
		return
	}
	switch rng.IntN(40) {
	default:
		s.count(c.Post(s.someone(rng), "hop", ttl))
	case 0, 1, 12:
		s.count(c.Yield("hop", ttl))
	case 2, 3, 4, 13, 14, 15:
		s.calling.Add(1)
		_, err := c.Call(s.someone(rng), "call", max(ttl-1, 0))
		s.calling.Add(-1)
		if errors.Is(err, kernel.ErrDeadlock) {
			s.deadlocks.Add(1)
		}
	case 5, 6, 16:
		if s.population.Add(1) > 40 {
			s.population.Add(-1)
			return
		}
		a, err := c.Spawn(s.member(rng.Uint64()), kernel.QueueLimit(50*rng.IntN(2)))
		must(err)
		s.count(c.Post(a, "hop", ttl))
	case 7:
		c.Stop()
	case 8:
		_ = c.Signal(s.someone(rng), "KILL")
	case 9:
		if s.ended { // it is called while its end goes on (K30)
			return
		}
		s.timers.Add(1)
		c.DelayAdd("timer", time.Duration(rng.IntN(300))*time.Microsecond)
	case 10:
		n := c.AlarmClear("timer")
		s.timers.Add(-int64(n))
		if n == 0 {
			_ = c.DetachMyself()
		}
	case 11:
		l, done := c.Lease("storm"), func() {}
		if s.judged {
			done = s.hold()
		}
		s.posters.Go(func() { s.count(l.Post("hop", ttl)); l.Release(); done() })
	}
}

func (s *storm) outside(seed uint64, times int) {
	rng := rand.New(rand.NewPCG(seed, 10))
	for range times {
		switch rng.IntN(12) {
		default:
			s.count(s.Post(s.someone(rng), "hop", 12))
		case 0:
			if s.m != kernel.Simulated {
				s.calling.Add(1)
				_, _ = s.Call(s.t.Context(), s.someone(rng), "call", 2)
				s.calling.Add(-1)
			}
		case 1:
			_ = s.Signal(s.someone(rng), "KILL")
		case 2:
			if s.m != kernel.Simulated && s.population.Load() < 40 {
				s.population.Add(1)
				l, err := s.SpawnHeld(s.member(rng.Uint64()))
				must(err)
				s.count(l.Post("hop", 5))
				l.Release()
			}
		}
	}
}

// Every accepted post is handled once or reported; everybody who was spawned
// stops; nothing is left; Run returns.
func TestG9_AcceptedIsHandledOrReported(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		seeds := uint64(25)
		if testing.Short() {
			seeds = 3
		}
		for n := range seeds {
			t.Run(fmt.Sprint("seed ", n), func(t *testing.T) {
				s := &storm{fixture: boot(t, m, seed(n), workers(1+int(n)%4)), m: m}
				s.budget.Store(3000)
				for i := range 10 {
					s.population.Add(1)
					a := s.spawn(s.member(n*100 + uint64(i)))
					s.count(s.Post(a, "hop", 16))
				}
				release := s.Hold("storm")
				var wg sync.WaitGroup
				for i := range 3 {
					wg.Go(func() { s.outside(n*10+uint64(i), 200) })
				}
				go func() { wg.Wait(); release() }()
				s.run()
				s.posters.Wait()
				if a, h, d := s.accepted.Load(), s.handled.Load(), s.dropped.Load(); a != h+d {
					t.Errorf("accepted %d, handled %d, dropped %d: %d vanished", a, h, d, a-h-d)
				}
				expect(t, "stopped", s.stopped.Load(), s.spawned.Load())
				expect(t, "failures", s.failed.Load(), 0)
			})
		}
	})
}

// What a killed sender had queued for others is void, and reported (K34); what
// one that ended by itself had queued arrives.
func TestG9_T21_KilledSendersEventsAreReported_K34(t *testing.T) {
	for _, kill := range []bool{true, false} {
		t.Run(fmt.Sprint("killed ", kill), func(t *testing.T) {
			inOrders(t, modes, func(k *fixture, m kernel.Mode) {
				gone := make(chan int)
				to := k.service(table{
					"wait": func(*kernel.Context) error {
						if m == kernel.Parallel { // in the serial modes the order does it
							<-gone
						}
						return nil
					},
					"x": k.noting("x"),
				})
				must(k.Post(to, "wait"))
				k.spawn(table{
					"_start": func(c *kernel.Context) error { return c.Yield("go") },
					"go": func(c *kernel.Context) error {
						if kill {
							must(c.Signal(c.Self(), "KILL"))
						} else {
							c.Stop()
						}
						return c.Post(to, "x", 1)
					},
					"_stop": func(*kernel.Context) error { k.note("stop"); close(gone); return nil },
				})
				k.run()
				switch {
				case !kill:
					k.wantSet("stop", "x")
				case k.dropped.Load() == 1:
					k.wantNotes("stop")
					k.wantDrops(map[string]int{"x: sender stopped": 1})
				default: // the seed had it handled before the signal
					expect(k.t, "mode", m, kernel.Simulated)
					k.wantNotes("x", "stop")
				}
			})
		})
	}
}

// Goroutines post to sessions that end at the same time.
func TestG9_PostsRaceWithTheEnd(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		for range 30 {
			k := boot(t, m)
			var accepted, handled atomic.Int64
			var wg sync.WaitGroup
			wg.Add(3)
			release := k.Hold("test")
			for range 5 {
				a := k.spawn(table{
					"_start": func(c *kernel.Context) error { return c.Yield("x") },
					"x":      func(*kernel.Context) error { handled.Add(1); return nil },
				})
				accepted.Add(1)
				for range 3 {
					wg.Go(func() {
						for k.Post(a, "x") == nil {
							accepted.Add(1)
							if accepted.Load() > 500 {
								return
							}
						}
					})
				}
			}
			for range 3 {
				wg.Done()
			}
			go func() { wg.Wait(); release() }()
			k.run()
			expect(t, "handled or reported", handled.Load()+k.dropped.Load(), accepted.Load())
		}
	})
}
