package wheeltest_test

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/wheeltest"
)

// echoes is a server for a number of clients; listening is told its address.
func echoes(network, at string, clients int, listening func(net.Addr)) *session.Session {
	var factory *wheel.SocketFactory
	open := make(map[kernel.WheelID]*lines)
	return session.New(
		session.Handle("_start", func(c *kernel.Context) (err error) {
			factory, err = wheel.NewSocketFactory(c, wheel.SocketFactoryConfig{Network: network, BindAddress: at, SuccessEvent: Connected})
			if err == nil {
				listening(factory.Addr())
			}
			return err
		}),
		session.On(Connected, func(c *kernel.Context, conn net.Conn) error {
			if clients--; clients == 0 {
				factory.Close()
			}
			rw, err := newLines(c, conn)
			if err == nil {
				open[rw.ID()] = rw
			}
			return err
		}),
		session.On(Line, func(c *kernel.Context, s string) error { return open[c.Wheel()].Put(s) }),
		session.On(Gone, func(c *kernel.Context, err error) error { delete(open, c.Wheel()); return err }),
	)
}

// asks is a client: it sends lines, and tells how they came back.
func asks(network, to string, count int, got func(c *kernel.Context, s string)) *session.Session {
	var rw *lines
	left := count
	return session.New(
		session.Handle("_start", func(c *kernel.Context) error {
			_, err := wheel.NewSocketFactory(c, wheel.SocketFactoryConfig{Network: network, RemoteAddress: to, SuccessEvent: Connected})
			return err
		}),
		session.On(Connected, func(c *kernel.Context, conn net.Conn) (err error) {
			if rw, err = newLines(c, conn); err != nil {
				return err
			}
			for i := range count {
				if err := rw.Put(fmt.Sprintf("%04d %s", i, strings.Repeat("x", 95))); err != nil {
					return err
				}
			}
			return nil
		}),
		session.On(Line, func(c *kernel.Context, s string) error {
			if got(c, s); left == 1 {
				rw.CloseFlushed()
			}
			left--
			return nil
		}),
		session.On(Gone, func(_ *kernel.Context, err error) error { return err }),
	)
}

// Wheels over a bad network in virtual time: everything comes back, in order, and a
// seed gives the same run again.
func TestWheelsOverABadNetwork(t *testing.T) {
	play := func(t *testing.T, seed uint64, network, at string) (log []string) {
		l := newLab(t, wheeltest.Config{Seed: seed, Buffer: 4000, Segment: 333,
			Link:  wheeltest.Link{Delay: 3 * ms, Jitter: 9 * ms, Bandwidth: 1_000_000, Loss: 0.02},
			Trace: func(at time.Time, what string) { log = append(log, fmt.Sprint(at.Sub(kerneltest.Epoch), " ", what)) },
		})
		const clients, count = 3, 100
		seen := make(map[kernel.Address]int)
		server := echoes(network, at, clients, func(net.Addr) {})
		sessions := []*session.Session{server}
		for range clients {
			sessions = append(sessions, asks(network, at, count, func(c *kernel.Context, s string) {
				if want := fmt.Sprintf("%04d ", seen[c.Self()]); !strings.HasPrefix(s, want) || len(s) != 100 {
					t.Errorf("line %q came back, want %s", s, want)
				}
				seen[c.Self()]++
				log = append(log, fmt.Sprint(l.now(), " ", c.Self(), " ", s[:4]))
			}))
		}
		for _, s := range sessions {
			if _, err := l.k.Spawn(s); err != nil {
				t.Fatal(err)
			}
		}
		kerneltest.Run(t, l.k)
		for a, n := range seen {
			expect(t, fmt.Sprint("lines that came back to ", a), n, count)
		}
		expect(t, "clients served", len(seen), clients)
		l.advance(time.Minute)
		l.Check(t)
		return log
	}
	for _, where := range [][2]string{{"tcp", "10.0.0.2:7"}, {"tcp", "[fd00::2]:7"}, {"unix", "/run/echo"}} {
		t.Run(where[0]+" "+where[1], func(t *testing.T) {
			kerneltest.Seeds(t, 5, func(t *testing.T, seed uint64) {
				once, again := play(t, seed, where[0], where[1]), play(t, seed, where[0], where[1])
				if !slices.Equal(once, again) {
					t.Errorf("two runs of a seed differ: %d lines and %d", len(once), len(again))
				}
			})
		})
	}
}

// Two kernels that play two hosts of one network, on all cores.
func TestTwoKernels(t *testing.T) {
	n := wheeltest.New(wheeltest.Config{Buffer: 4000, Link: wheeltest.Link{Jitter: 50 * time.Microsecond}})
	n.SetHost("web", "10.0.0.1")
	n.SetHost("db", "10.0.0.2")
	web := kerneltest.New(t, kerneltest.Mode(kernel.Parallel), kerneltest.Config(kernel.Config{Network: n.On("web")}))
	db := kerneltest.New(t, kerneltest.Mode(kernel.Parallel), kerneltest.Config(kernel.Config{Network: n.On("db")}))
	const clients, count = 8, 50
	if _, err := db.Spawn(echoes("tcp", "0.0.0.0:7", clients, func(net.Addr) {})); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	got := 0
	for range clients {
		_, err := web.Spawn(asks("tcp", "db:7", count, func(*kernel.Context, string) {
			mu.Lock()
			got++
			mu.Unlock()
		}))
		if err != nil {
			t.Fatal(err)
		}
	}
	done := make(chan error)
	go func() { done <- db.Run(context.Background()) }()
	kerneltest.Run(t, web)
	if err := <-done; err != nil {
		t.Error(err)
	}
	expect(t, "lines that came back", got, clients*count)
	n.Check(t)
}
