package kernel_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/usher-go/usher/kernel"
)

// Many sessions, goroutines and the receiver itself send numbered events to one
// receiver, with yields, other traffic and calls between them.
func TestG2_T6_OrderPerPair(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		const senders, each = 10, 200
		k := boot(t, m, seed(7))
		last := map[string]int{}
		got := 0
		rcv, err := k.SpawnHeld(table{
			"n": func(c *kernel.Context) error {
				who, n := c.Arg(0).(string), c.Arg(1).(int)
				if last[who]+1 != n {
					t.Errorf("from %s: %d after %d", who, n, last[who])
				}
				last[who] = n
				got++
				if who == "self" && n < each {
					must(c.Yield("n", "self", n+1))
				}
				return nil
			},
			"peek": func(*kernel.Context) error { return nil },
		})
		must(err)
		to := rcv.Address()
		var wg sync.WaitGroup
		wg.Add(senders)
		must(rcv.Post("n", "self", 1))
		for i := range senders {
			who, n := fmt.Sprint("session ", i), 0
			rng := rand.New(rand.NewPCG(uint64(i), 1))
			k.spawn(table{
				"_start": func(c *kernel.Context) error { return c.Yield("go") },
				"noise":  func(*kernel.Context) error { return nil },
				"go": func(c *kernel.Context) error {
					for range 1 + rng.IntN(5) {
						if n == each {
							wg.Done()
							return nil
						}
						n++
						must(c.Post(to, "n", who, n))
						switch rng.IntN(4) {
						case 0:
							must(c.Yield("noise"))
						case 1:
							_, err := c.Call(to, "peek")
							must(err)
						}
					}
					return c.Yield("go")
				},
			})
		}
		for i := range 3 {
			wg.Go(func() {
				for n := 1; n <= each; n++ {
					must(rcv.Post("n", fmt.Sprint("goroutine ", i), n))
				}
			})
		}
		go func() { wg.Wait(); rcv.Release() }()
		k.run()
		expect(t, "events handled", got, (senders+3+1)*each)
	})
}

// K51: in serial mode there is one order for the whole kernel.
func TestG2_T6_SerialIsOneFIFO_K51(t *testing.T) {
	k := boot(t, kernel.Serial)
	var addrs []kernel.Address
	for i := range 3 {
		addrs = append(addrs, k.spawn(table{"x": func(c *kernel.Context) error { k.note("%d:%v", i, c.Arg(0)); return nil }}))
	}
	k.spawn(table{"_start": func(c *kernel.Context) error {
		for i := range 6 {
			must(c.Post(addrs[i%3], "x", i))
		}
		return nil
	}})
	k.run()
	k.wantNotes("0:0", "1:1", "2:2", "0:3", "1:4", "2:5")
}

// every distinct interleaving that G2 permits, of two senders with two events
// each to one receiver: 4!/(2!·2!) = 6.
func interleavings(t *testing.T, s uint64) string {
	k := boot(t, kernel.Simulated, seed(s))
	to := k.spawn(table{"x": func(c *kernel.Context) error { k.note("%v", c.Arg(0)); return nil }})
	for _, who := range []string{"a", "b"} {
		k.spawn(table{"_start": func(c *kernel.Context) error {
			must(c.Post(to, "x", who+"1"))
			return c.Post(to, "x", who+"2")
		}})
	}
	k.run()
	return strings.Join(k.journal(), " ")
}

func TestG2_SimulatedReachesEveryOrder(t *testing.T) {
	seen := map[string]uint64{}
	for s := range uint64(200) {
		seen[interleavings(t, s)] = s
	}
	for _, want := range []string{
		"a1 a2 b1 b2", "a1 b1 a2 b2", "a1 b1 b2 a2", "b1 a1 a2 b2", "b1 a1 b2 a2", "b1 b2 a1 a2",
	} {
		if _, ok := seen[want]; !ok {
			t.Errorf("no seed gave %q", want)
		}
	}
	expect(t, "different orders", len(seen), 6)
}

func TestG2_SameSeedReplays(t *testing.T) {
	play := func(s uint64) string {
		k := boot(t, kernel.Simulated, seed(s))
		var addrs []kernel.Address
		for i := range 5 {
			left := 20
			addrs = append(addrs, k.spawn(table{"x": func(c *kernel.Context) error {
				k.note("%d%v", i, c.Arg(0))
				if left--; left > 0 {
					must(c.Post(addrs[(i+left)%5], "x", left))
					c.DelayAdd("x", 1e6, -left)
				}
				return nil
			}}))
		}
		for _, a := range addrs {
			must(k.Post(a, "x", 0))
		}
		k.run()
		return strings.Join(k.journal(), " ")
	}
	orders := map[string]bool{}
	for s := range uint64(10) {
		first := play(s)
		if again := play(s); again != first {
			t.Fatalf("seed %d does not replay:\n%s\n%s", s, first, again)
		}
		orders[first] = true
	}
	if len(orders) < 9 {
		t.Errorf("10 seeds gave only %d orders", len(orders))
	}
}
