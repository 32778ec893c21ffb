package kernel_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/usher-go/usher/kernel"
)

// ledger is who has which children by what _child and _parent told, and what was
// wrong with that.
type ledger struct {
	sync.Mutex
	has    map[[2]kernel.Address]bool // parent, child
	parent map[kernel.Address]kernel.Address
	stops  map[kernel.Address]bool // called Context.Stop
	wrong  []string
}

func (l *ledger) check(ok bool, format string, args ...any) {
	if !ok {
		l.wrong = append(l.wrong, fmt.Sprintf(format, args...))
	}
}

func (l *ledger) start(c *kernel.Context) {
	l.Lock()
	defer l.Unlock()
	l.parent[c.Self()] = c.Sender()
}

func (l *ledger) child(c *kernel.Context) {
	l.Lock()
	defer l.Unlock()
	kid := c.Arg(1).(kernel.Address)
	pair := [2]kernel.Address{c.Self(), kid}
	l.check(l.has[pair] == (c.Arg(0) == "lose"), "%v: %v %v, has it: %v", c.Self(), c.Arg(0), kid, l.has[pair])
	l.has[pair] = c.Arg(0) != "lose"
}

func (l *ledger) moved(c *kernel.Context) {
	l.Lock()
	defer l.Unlock()
	l.check(l.parent[c.Self()] == c.Arg(0), "%v: moves from %v, its parent is %v", c.Self(), c.Arg(0), l.parent[c.Self()])
	l.parent[c.Self()] = c.Arg(1).(kernel.Address)
}

func (l *ledger) stop(c *kernel.Context) {
	l.Lock()
	defer l.Unlock()
	l.stops[c.Self()] = true
	c.Stop()
}

// end looks at what is left when everybody has stopped: only parents that gave
// their children away, because they were stopping, need not know how these ended.
func (l *ledger) end() []string {
	for pair, has := range l.has {
		l.check(!has || l.stops[pair[0]], "%v was not told that %v ended", pair[0], pair[1])
	}
	return l.wrong
}

// Families grow, detach members and lose them, at random and, in parallel mode,
// all at once: what _child and _parent tell stays one story.
func TestK88_K90_OneStory(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		rounds := uint64(15)
		if m == kernel.Parallel { // chance does the rest
			rounds = 60
		}
		for round := range rounds {
			k := boot(t, m, seed(round), workers(4))
			l := &ledger{has: map[[2]kernel.Address]bool{}, parent: map[kernel.Address]kernel.Address{}, stops: map[kernel.Address]bool{}}
			var mu sync.Mutex
			left := 80 // sessions
			var member func() table
			member = func() table {
				var kids []kernel.Address
				var rng *rand.Rand
				return table{
					"_start": func(c *kernel.Context) error {
						l.start(c)
						rng = rand.New(rand.NewPCG(round, uint64(len(c.Self())*1000)+uint64(c.Self()[len(c.Self())-1])))
						return c.Yield("act", 12)
					},
					"_child": func(c *kernel.Context) error {
						l.child(c)
						if kid := c.Arg(1).(kernel.Address); c.Arg(0) == "lose" {
							kids = slices.DeleteFunc(kids, func(a kernel.Address) bool { return a == kid })
						} else {
							kids = append(kids, kid)
						}
						return nil
					},
					"_parent": func(c *kernel.Context) error { l.moved(c); return nil },
					"act": func(c *kernel.Context) error {
						switch n := rng.IntN(8); {
						case n < 3:
							mu.Lock()
							left--
							more := left >= 0
							mu.Unlock()
							if more {
								_, err := c.Spawn(member())
								must(err)
							}
						case n < 5 && len(kids) > 0:
							_ = c.DetachChild(kids[rng.IntN(len(kids))]) // it may have gone already
						case n == 5:
							_ = c.DetachMyself()
						case n == 6 && rng.IntN(3) == 0:
							l.stop(c)
						}
						if n := c.Arg(0).(int); n > 0 {
							return c.Yield("act", n-1)
						}
						return nil
					},
				}
			}
			for range 3 {
				k.spawn(member())
			}
			k.run()
			if wrong := l.end(); len(wrong) > 0 {
				t.Fatalf("round %d: %q", round, wrong)
			}
		}
	})
}

// Parallel: two generations end while the one above them is busy. Who is left goes
// to her, not to a parent that is ending itself.
func TestK88_InheritedByTheLiving(t *testing.T) {
	k := boot(t, kernel.Parallel, workers(3))
	stopping := func(name string) func() bool {
		return func() bool { return strings.Contains(k.Explain(kernel.Address(name)), "it is stopping") }
	}
	// person tells of its family by names, spawns who is next, and ends when told.
	person := func(name string, next kernel.Receiver, nextName string) table {
		return table{
			"_start": func(c *kernel.Context) error {
				if next == nil {
					return nil
				}
				_, err := c.Spawn(next, kernel.Alias(nextName))
				return err
			},
			"end": func(c *kernel.Context) error { c.Stop(); return nil },
			"_child": func(c *kernel.Context) error {
				k.note("%s: %v %v", name, c.Arg(0), c.Arg(1))
				return nil
			},
			"_parent": func(c *kernel.Context) error { k.note("%s: %v to %v", name, c.Arg(0), c.Arg(1)); return nil },
		}
	}
	child := person("child", nil, "")
	mother := person("mother", child, "child")
	grandma := person("grandma", mother, "mother")
	elder := person("elder", grandma, "grandma")
	elder["busy"] = func(c *kernel.Context) error {
		must(c.Post("grandma", "end"))
		until(t, "grandma is stopping", stopping("grandma"))
		must(c.Post("mother", "end"))
		until(t, "mother is stopping", stopping("mother"))
		for range 1000 {
			runtime.Gosched()
		}
		return nil
	}
	k.spawn(elder, kernel.Alias("elder")) // #1, then #2 grandma, #3 mother, #4 child
	must(k.Post("elder", "busy"))
	k.run()
	want := []string{
		"mother: create #4", "grandma: create #3", "elder: create #2",
		"elder: gain #3", "elder: gain #4", "child: #3 to #1",
		"elder: lose #2", "elder: lose #3", "elder: lose #4"}
	if told := "mother: #2 to #1"; slices.Contains(k.journal(), told) { // or she has had her _stop by then
		want = append(want, told)
	}
	k.wantSet(want...)
}
