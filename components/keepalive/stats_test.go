package keepalive

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/session"
)

// TestA111_StatsMeasure: how long requests waited and openings took, how often
// connections were lent, how old they got; A6: a request's time counts from asking.
func TestA111_StatsMeasure(t *testing.T) {
	inBubbles(t, Config{MaxPerHost: 1, KeepAlive: time.Second}, func(b *bubble) {
		first := b.get() // opened in 20 ms, which it waited; 10 more to the server
		second := make(chan *Conn)
		go func() { second <- b.get() }()
		b.after(70 * time.Millisecond)
		if s := b.stats(); s.Load != (Load{Waiting: 1, Lent: 1}) {
			b.Errorf("%+v", s.Load)
		}
		b.release(first)
		c := <-second // waited 70 ms
		b.release(c)
		c = b.get() // waited not at all
		b.after(time.Second)
		b.release(c) // it was asked for at 0, opened at 20 ms; it is 110 ms + 1 s now
		b.after(2 * time.Second)

		s := b.stats()
		ms := time.Millisecond
		if s.Waits.Count != 3 || s.Waits.Sum != 90*ms || s.Waits.Max != 70*ms || s.Waits.Quantile(0.3) != 0 {
			b.Errorf("waits: %v", s.Waits)
		}
		if s.Opens.Count != 1 || s.Opens.Max != 20*ms {
			b.Errorf("opens: %v", s.Opens)
		}
		if s.Loans.Count != 1 || s.Loans.Max != 3 {
			b.Errorf("loans: %v", s.Loans)
		}
		if want := 2100 * ms; s.Ages.Count != 1 || s.Ages.Max != want {
			b.Errorf("ages: %v, want %v", s.Ages, want)
		}
		text, err := json.Marshal(s)
		for _, want := range []string{`"Waiting":0`, `"Idle":0`, `"max":"70ms"`, `"Loans":{"count":1,"mean":3`} {
			if err != nil || !strings.Contains(string(text), want) {
				b.Errorf("%s, %v: want %s in it", text, err, want)
			}
		}
	})
}

// TestA111_StatsFailedOpeningIsNone: a wait, but no opening and no connection.
func TestA111_StatsFailedOpeningIsNone(t *testing.T) {
	inBubbles(t, Config{}, func(b *bubble) {
		b.net.FailDial("10.0.0.1:80", errRefused)
		if _, err := b.pool.Get(b.Context(), "test", "10.0.0.1", 80); !errors.Is(err, errRefused) {
			b.Errorf("got %v", err)
		}
		if s := b.stats(); s.Waits.Count != 1 || s.Opens.Count+s.Loans.Count+s.Ages.Count != 0 {
			b.Errorf("%+v", s)
		}
	})
}

const evStatsCame kernel.Event[Stats] = "stats_came"

// TestWatchStats_PostsUntilStopped: at once and every second, by the kernel's clock.
func TestWatchStats_PostsUntilStopped(t *testing.T) {
	kerneltest.Seeds(t, 10, func(t *testing.T, seed uint64) {
		k := kerneltest.New(t, kerneltest.Seed(seed))
		p := startPool(t, k, Config{})
		var came []time.Duration
		var stop func()
		if _, err := k.Spawn(session.New(
			session.Handle("_start", func(c *kernel.Context) (err error) {
				stop, err = p.WatchStats(c, time.Second, evStatsCame)
				if len(came) > 0 {
					t.Error("posted means later")
				}
				return err
			}),
			session.On(evStatsCame, func(c *kernel.Context, _ Stats) error {
				came = append(came, c.Now().Sub(kerneltest.Epoch))
				if len(came) == 3 {
					stop()
					stop()
				}
				return nil
			}),
		)); err != nil {
			t.Fatal(err)
		}
		kerneltest.Run(t, k) // returns: nothing is held any more
		if want := []time.Duration{0, time.Second, 2 * time.Second}; len(came) != 3 || came[0] != want[0] || came[1] != want[1] || came[2] != want[2] {
			t.Errorf("came at %v, want %v", came, want)
		}
	})
}

// TestWatchStats_Forgotten with the watcher's session, with the pool, and after
// once; nobody is told afterwards, and nothing is left.
func TestWatchStats_Forgotten(t *testing.T) {
	for name, tc := range map[string]struct {
		every time.Duration
		end   func(c *kernel.Context, p *Pool)
		want  int
	}{
		"session": {time.Second, func(c *kernel.Context, _ *Pool) { c.Stop() }, 1},
		"pool":    {time.Second, func(_ *kernel.Context, p *Pool) { p.Shutdown() }, 1},
		"once":    {0, func(*kernel.Context, *Pool) {}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			kerneltest.Seeds(t, 5, func(t *testing.T, seed uint64) {
				k := kerneltest.New(t, kerneltest.Seed(seed))
				p := startPool(t, k, Config{})
				n := 0
				if _, err := k.Spawn(session.New(
					session.Handle("_start", func(c *kernel.Context) error {
						_, err := p.WatchStats(c, tc.every, evStatsCame)
						return err
					}),
					session.On(evStatsCame, func(c *kernel.Context, _ Stats) error {
						n++
						tc.end(c, p)
						return nil
					}),
				)); err != nil {
					t.Fatal(err)
				}
				kerneltest.Run(t, k)
				if n != tc.want {
					t.Errorf("came %d times, want %d", n, tc.want)
				}
			})
		})
	}
}

// TestWatchStats_StopFromAnyGoroutine: and then the session, which nothing else
// held, ends.
func TestWatchStats_StopFromAnyGoroutine(t *testing.T) {
	inBubbles(t, Config{}, func(b *bubble) {
		came, stops := make(chan Stats, 100), make(chan func(), 1)
		who, err := b.k.Spawn(session.New(
			session.Handle("_start", func(c *kernel.Context) error {
				stop, err := b.pool.WatchStats(c, time.Second, evStatsCame)
				stops <- stop
				return err
			}),
			session.On(evStatsCame, func(_ *kernel.Context, s Stats) error { came <- s; return nil }),
		))
		if err != nil {
			b.Fatal(err)
		}
		c := b.get()
		b.after(2500 * time.Millisecond)
		(<-stops)()
		b.after(10 * time.Second)
		if len(came) != 3 {
			b.Errorf("came %d times, want at 0, 1 and 2 s", len(came))
		}
		if first, second := <-came, <-came; first.Load != (Load{}) || second.Load != (Load{Lent: 1}) || second.Waits.Count != 1 {
			b.Errorf("%+v, then %+v", first.Load, second)
		}
		if _, there := b.k.Resolve(who); there {
			b.Errorf("the session is still held:\n%s", b.k.Explain(who))
		}
		b.release(c)
	})
}

func TestWatchStats_Misuse(t *testing.T) {
	k := running(t, kernel.Parallel)
	p := startPool(t, k, Config{})
	u := newUser(t, k, p)
	u.do(func(c *kernel.Context) error {
		if _, err := p.WatchStats(c, time.Second, ""); !errors.Is(err, ErrArgument) {
			t.Errorf("no event: %v", err)
		}
		if _, err := p.WatchStats(c, -1, evStatsCame); !errors.Is(err, ErrArgument) {
			t.Errorf("negative time: %v", err)
		}
		return nil
	})
	newUser(t, running(t, kernel.Parallel), p).do(func(c *kernel.Context) error {
		if _, err := p.WatchStats(c, 0, evStatsCame); !errors.Is(err, ErrArgument) {
			t.Errorf("another kernel: %v", err)
		}
		return nil
	})
	p.Shutdown()
	u.do(func(c *kernel.Context) error {
		if _, err := p.WatchStats(c, 0, evStatsCame); !errors.Is(err, ErrShutDown) {
			t.Errorf("after Shutdown: %v", err)
		}
		return nil
	})
}
