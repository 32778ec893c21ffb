package kernel_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

// K11 differs: the turn of a wheel whose handle is ready stands in the queue like
// a post, where POE serves handles before it.
func TestK11_AWheelsTurnStandsInLine(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		k.spawn(table{
			"_start": func(c *kernel.Context) error { return c.Yield("go") },
			"go": func(c *kernel.Context) error {
				src := c.NewSource("test", func(*kernel.Context) { k.note("wheel") }, nil)
				must(c.Yield("a"))
				src.Wake()
				return c.Yield("b")
			},
			"a": k.noting("a"), "b": k.noting("b"),
		})
		k.run()
		k.wantNotes("a", "wheel", "b")
	})
}

// K11, K53 differ: the clock is read once in a turn and when a timer is set, not
// for every post. A post that a handler makes after it has worked past a timer's
// time is still the older one.
func TestK11_K53_ThePostsOfATurnAreOfOneTime(t *testing.T) {
	k := boot(t, kernel.Serial)
	k.spawn(table{
		"_start": func(c *kernel.Context) error { return c.Yield("go") },
		"go": func(c *kernel.Context) error {
			c.Delay("timer", time.Millisecond)
			for due := c.Now().Add(2 * time.Millisecond); c.Now().Before(due); {
			}
			return c.Yield("post")
		},
		"timer": k.noting("timer"), "post": k.noting("post"),
	})
	k.run()
	k.wantNotes("post", "timer")
}

// K51: events run in the order in which they were posted, whoever posts them to
// whom, from handlers of posts and of calls, from _start and from outside.
func TestK51_OneOrderForAllSessions(t *testing.T) {
	for n := range uint64(20) {
		k := boot(t, kernel.Serial)
		rng := rand.New(rand.NewPCG(n, 51))
		var addrs []kernel.Address
		posted, handled := 0, 0
		post := func(c *kernel.Context) {
			if posted == 500 {
				return
			}
			posted++
			must(c.Post(addrs[rng.IntN(len(addrs))], "x", posted))
		}
		member := table{
			"x": func(c *kernel.Context) error {
				if handled++; c.Arg(0) != handled {
					t.Fatalf("seed %d: post %v is handled as number %d", n, c.Arg(0), handled)
				}
				for range rng.IntN(4) {
					if rng.IntN(3) == 0 {
						_, err := c.Call(addrs[rng.IntN(len(addrs))], "call")
						must(err)
					}
					post(c)
				}
				return nil
			},
			"call": func(c *kernel.Context) error { post(c); return nil },
		}
		for range 7 {
			addrs = append(addrs, k.service(member))
		}
		k.spawn(table{"_start": func(c *kernel.Context) error { post(c); post(c); return nil }})
		posted++
		must(k.Post(addrs[0], "x", posted))
		k.run()
		expect(t, "handled", handled, posted)
	}
}

// K52: a signal, and the event of a process that ended, stand in the same line as
// posts.
func TestK52_SignalsStandInLine(t *testing.T) {
	k := boot(t, kernel.Serial)
	k.service(table{
		"_start": func(c *kernel.Context) error { c.Sig("NEWS", "news"); return c.Yield("go") },
		"go": func(c *kernel.Context) error {
			must(c.Yield("post", 1))
			must(c.Signal(c.Self(), "NEWS"))
			must(c.Yield("post", 2))
			must(k.Signal("", "NEWS"))
			must(c.Yield("post", 3))
			c.SigChild(noProcess, "ended")
			until(t, "the word of the process is queued", func() bool {
				return strings.Contains(k.Explain(c.Self()), "4 events queued for it")
			})
			return c.Yield("post", 4)
		},
		"post":  func(c *kernel.Context) error { k.note("post %v", c.Arg(0)); return nil },
		"news":  k.noting("news"),
		"ended": k.noting("ended"),
	})
	k.run()
	k.wantNotes("post 1", "news", "post 2", "news", "post 3", "ended", "post 4")
}

// noProcess is a pid that no system gives to anybody.
const noProcess = 1<<31 - 1
