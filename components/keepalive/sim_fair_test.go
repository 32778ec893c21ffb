package keepalive

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel/wheeltest"
)

// TestA58_A61_NoKeyStarves: six keys share two connections. However eager the
// sessions of a key are, it gets its turns; and within a key first come is first
// served, so that nobody waits for longer than a few rounds.
func TestA58_A61_NoKeyStarves(t *testing.T) {
	const keys, span = 6, 3 * time.Second
	kerneltest.Seeds(t, 5, func(t *testing.T, seed uint64) {
		s := newSim(t, seed, Config{MaxPerHost: 1, MaxOpen: 2}, wheeltest.Link{Delay: time.Millisecond})
		var served [keys]int
		var longest time.Duration
		for key := range keys {
			addr := fmt.Sprint("10.0.0.", key)
			s.serve(addr + ":80")
			for i := range 1 + 2*key { // the last is the most eager
				rng := rand.New(rand.NewPCG(seed, uint64(10*key+i)))
				var asked time.Time
				ask := func(c *kernel.Context) error {
					asked = c.Now()
					_, err := s.pool.Allocate(c, Request{Scheme: "test", Addr: addr, Port: 80, Event: evGot})
					return err
				}
				if _, err := s.k.Spawn(session.New(
					session.Handle("_start", ask),
					session.On(evGot, func(c *kernel.Context, r Response) error {
						if r.Err != nil {
							return r.Err
						}
						served[key]++
						longest = max(longest, c.Now().Sub(asked))
						evRun.Delay(c, time.Duration(rng.IntN(20))*time.Millisecond, func(c *kernel.Context) error {
							if err := r.Conn.Release(); err != nil || c.Now().Sub(kerneltest.Epoch) > span {
								return err
							}
							return ask(c)
						})
						return nil
					}),
					session.On(evRun, func(c *kernel.Context, f func(*kernel.Context) error) error { return f(c) }),
				)); err != nil {
					t.Fatal(err)
				}
			}
		}
		s.pass(span + 5*time.Second)
		s.end()
		least, most := slices.Min(served[1:]), slices.Max(served[1:]) // the first has one session, which is never asked twice in a round
		if least < most*3/4 || served[0] < most/3 {
			t.Errorf("served %v", served)
		}
		if longest > time.Second { // 11 of a key, and 6 keys at 2 connections, with 10 ms and a dial each
			t.Errorf("somebody waited for %v", longest)
		}
		if seed == 0 {
			t.Logf("served %v, longest wait %v", served, longest)
		}
	})
}
