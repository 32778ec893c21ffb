package kernel_test

import (
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

// book is a journal without a lock: the race detector sees whether two goroutines
// use one at a time.
type book struct {
	t     *testing.T
	open  []uint64 // handlers that run, as they nest
	began int
	last  time.Duration
	ended map[uint64]error
	rests int
}

func (b *book) Began(r *kernel.Record, at time.Duration) {
	if r.Seq == 0 || r.Event == "" || r.To == "" {
		b.t.Errorf("began: %+v", r)
	}
	b.open, b.began = append(b.open, r.Seq), b.began+1
	b.time(at)
}

func (b *book) Ended(seq uint64, at time.Duration, err error) {
	if n := len(b.open); n == 0 || b.open[n-1] != seq {
		b.t.Errorf("event %d ended; open were %v", seq, b.open)
		return
	}
	if _, twice := b.ended[seq]; twice {
		b.t.Errorf("event %d ended twice", seq)
	}
	b.open, b.ended[seq] = b.open[:len(b.open)-1], err
	b.time(at)
}

func (b *book) time(at time.Duration) {
	if at < b.last {
		b.t.Errorf("time went from %v back to %v", b.last, at)
	}
	b.last = at
}

func (b *book) Rest() {
	if len(b.open) > 0 {
		b.t.Errorf("rest with %v open", b.open)
	}
	b.rests++
}

// shelf hands out the books of a kernel.
type shelf struct {
	mu    sync.Mutex
	books []*book
}

func (s *shelf) observer(t *testing.T) *kernel.Observer {
	return &kernel.Observer{Journal: func(time.Time) kernel.Journal {
		s.mu.Lock()
		defer s.mu.Unlock()
		b := &book{t: t, ended: make(map[uint64]error)}
		s.books = append(s.books, b)
		return b
	}}
}

// Every handler is written down once as it begins and once as it ends, nested as
// it is called, also when it panics or ends its goroutine, each goroutine in a
// journal of its own, which rests when all is over.
func TestJournal_EveryHandlerBeginsAndEnds(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		var s shelf
		k := boot(t, m, workers(4), also(s.observer(t)))
		handled := make(map[string]int)
		var mu sync.Mutex
		ran := func(c *kernel.Context) { mu.Lock(); handled[c.Event()]++; mu.Unlock() }
		const pairs, rounds = 8, 50
		for range pairs {
			called := k.service(table{
				"_start": func(c *kernel.Context) error { ran(c); c.Sig("DIE", "die"); return nil },
				"called": func(c *kernel.Context) error {
					ran(c)
					if c.Arg(0).(int)%10 == 3 {
						panic("x")
					}
					return nil
				},
				"die":   func(c *kernel.Context) error { ran(c); c.SigHandled(); return nil },
				"_stop": func(c *kernel.Context) error { ran(c); return nil },
			})
			k.spawn(table{
				"_start": func(c *kernel.Context) error { ran(c); return c.Yield("go", rounds) },
				"go": func(c *kernel.Context) error {
					ran(c)
					n := c.Arg(0).(int)
					if n == 0 {
						return nil
					}
					_, _ = c.Call(called, "called", n)
					c.Delay("timer", time.Microsecond, n)
					return c.Yield("go", n-1)
				},
				"timer": func(c *kernel.Context) error { ran(c); return nil },
				"_stop": func(c *kernel.Context) error { ran(c); return nil },
			})
		}
		k.run()
		total := 0
		for _, n := range handled {
			total += n
		}
		began, failed := 0, 0
		s.mu.Lock()
		defer s.mu.Unlock()
		for i, b := range s.books {
			began += b.began
			if len(b.open) > 0 || len(b.ended) != b.began {
				t.Errorf("journal %d: %d began, %d ended, open %v", i, b.began, len(b.ended), b.open)
			}
			for _, err := range b.ended {
				if err != nil {
					failed++
				}
			}
			if b.began > 0 && b.rests == 0 {
				t.Errorf("journal %d never rested", i)
			}
		}
		expect(t, "handlers that began", began, total)
		expect(t, "handlers that panicked", failed, pairs*rounds/10)
	})
}

// A handler that ends its goroutine has ended.
func TestJournal_Goexit(t *testing.T) {
	var s shelf
	k := boot(t, kernel.Parallel, also(s.observer(t)))
	k.spawn(table{
		"_start": func(c *kernel.Context) error { c.Sig("DIE", "die"); return c.Yield("exit") },
		"exit":   func(*kernel.Context) error { runtime.Goexit(); return nil },
		"die":    func(c *kernel.Context) error { c.SigHandled(); return nil },
	})
	k.run()
	s.mu.Lock()
	defer s.mu.Unlock()
	failed := 0
	for _, b := range s.books {
		expect(t, "open", len(b.open), 0)
		for _, err := range b.ended {
			if err != nil {
				failed++
			}
		}
	}
	expect(t, "failed", failed, 1)
}

// With a journal alone an event costs no allocation either.
func TestJournal_DoesNotAllocate(t *testing.T) {
	if kernel.AlwaysDebug {
		t.Skip("every handler has a Context of its own")
	}
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		count := func(n int) float64 {
			return testing.AllocsPerRun(1, func() {
				left := n
				k := kernel.New(kernel.Config{Mode: m, Workers: 1, Observer: &kernel.Observer{
					Journal: func(time.Time) kernel.Journal { return &nested{add: func(string) {}} },
				}})
				k.Spawn(table{"_start": func(c *kernel.Context) error { return c.Yield("x") }, "x": func(c *kernel.Context) error {
					if left--; left < 0 {
						return nil
					}
					_, err := c.Call(c.Self(), "y")
					must(err)
					return c.Yield("x")
				}, "y": func(*kernel.Context) error { return nil }})
				must(k.Run(t.Context()))
			})
		}
		if few, many := count(1000), count(11_000); many-few > 200 {
			t.Errorf("%v allocations for 10,000 yields and calls", many-few)
		}
	})
}
