package clustertest_test

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/components/cluster/clustertest"
	"github.com/usher-go/usher/components/cluster/wire"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/wheeltest"
)

// Machines go on together, from Epoch, and the one whose timer is first is first.
func TestRun_Lockstep(t *testing.T) {
	seeds(t, func(t *testing.T, seed uint64) {
		w := clustertest.New(t, seed)
		var fired []string
		for i, name := range []string{"a", "b", "c"} {
			m := w.Node(name)
			expect(t, name+" begins", m.Kernel().Now(), kerneltest.Epoch)
			spawn(t, m, handlers{
				"_start": func(c *kernel.Context) error { c.Delay("x", time.Duration(i+1)*sec); return nil },
				"x": func(c *kernel.Context) error {
					fired = append(fired, fmt.Sprint(name, c.Now().Sub(kerneltest.Epoch)))
					c.Delay("x", 3*sec)
					return nil
				},
			})
		}
		w.Run(2 * sec)
		expect(t, "until 2s", fmt.Sprint(fired), "[a1s b2s]")
		w.Run(4*sec - 1)
		expect(t, "before 6s", fmt.Sprint(fired), "[a1s b2s c3s a4s b5s]")
		expect(t, "elapsed", w.Elapsed(), 6*sec-1)
		if !w.RunUntil(func() bool { return len(fired) == 7 }, time.Hour) {
			t.Error("RunUntil says that it was too long")
		}
		expect(t, "elapsed", w.Elapsed(), 7*sec)
		if w.RunUntil(func() bool { return false }, sec) {
			t.Error("RunUntil says that false is true")
		}
		if expect(t, "elapsed", w.Elapsed(), 8*sec); !w.RunUntil(func() bool { return w.Elapsed() == 8500*ms }, 500*ms) {
			t.Error("RunUntil does not ask at its limit")
		}
	})
}

// At comes at its time, in order of asking, and at once when that is over.
func TestAt(t *testing.T) {
	w := clustertest.New(t, 1)
	var came []string
	at := func(d time.Duration, what string) {
		w.At(d, func() { came = append(came, fmt.Sprint(what, w.Elapsed())) })
	}
	at(2*sec, "b")
	at(sec, "a")
	at(2*sec, "c")
	w.At(sec, func() { at(0, "past"); at(2*sec, "d") })
	w.Run(2 * sec)
	expect(t, "came", strings.Join(came, " "), "a1s past1s b2s c2s d2s")
}

// The same seed gives the same run, faults and calls and all, and another seed another.
func TestSeeds_Replay(t *testing.T) {
	traced := func(seed uint64) (lines []string) {
		story(t, seed, func(what string) { lines = append(lines, what) })
		return lines
	}
	first := traced(7)
	if second := traced(7); !slices.Equal(first, second) {
		t.Errorf("two runs of one seed differ:\n%s\nand\n%s", strings.Join(first, "\n"), strings.Join(second, "\n"))
	}
	different := 0
	for seed := range uint64(8) {
		if !slices.Equal(traced(seed), first) {
			different++
		}
	}
	expect(t, "seeds that differ from seed 7", different, 7)
}

// One instant's events of several machines come in any order.
func TestSeeds_Orders(t *testing.T) {
	orders := make(map[string]int)
	for seed := range uint64(100) {
		w := clustertest.New(t, seed)
		var order string
		for _, name := range []string{"a", "b", "c"} {
			spawn(t, w.Node(name), handlers{
				"_start": func(c *kernel.Context) error { c.Delay("x", sec); return nil },
				"x":      func(*kernel.Context) error { order += name; return nil },
			})
		}
		w.Run(sec)
		orders[order]++
	}
	expect(t, "orders of three", len(orders), 6)
}

// Many worlds of three machines, with all faults: nothing comes twice, nothing
// comes inside a handler, and when all is well again everybody reaches everybody.
func TestSeeds_Story(t *testing.T) {
	kerneltest.Seeds(t, worlds, func(t *testing.T, seed uint64) { story(t, seed, nil) })
}

// story is a run with everything in it; trace is told what happened.
func story(t *testing.T, seed uint64, trace func(string)) {
	t.Helper()
	network := wheeltest.Config{Link: wheeltest.Link{Delay: ms, Jitter: 3 * ms, Loss: 0.02}}
	if trace != nil {
		network.Trace = func(at time.Time, what string) { trace(at.Format("05.000000000 ") + what) }
	} else {
		trace = func(string) {}
	}
	w := clustertest.New(t, seed, clustertest.Config{Network: network})
	names := []string{"a", "b", "c"}
	toys := make(map[string]*toy)
	start := func(name string) {
		m := w.Machine(name)
		c := join(t, w, m)
		toys[name] = c
		sent := uint64(w.Elapsed()) // grows from life to life
		spawn(t, m, handlers{
			"_start": func(k *kernel.Context) error { return k.Yield("tick") },
			"tick": func(k *kernel.Context) error {
				sent++
				c.busy = true
				for _, to := range names {
					c.tr.Send(to+":7000", &wire.Packet{Node: name, First: sent})
				}
				c.busy = false
				k.Delay("tick", 200*ms)
				return nil
			},
		})
	}
	for i, name := range names {
		w.Node(name).Drift(i * 5000)
		start(name)
	}
	pick := kernel.New(kernel.Config{Mode: kernel.Simulated, Seed: seed}).Chance("story")
	for at := time.Duration(0); at < 3*sec; at += 75 * ms {
		a, b := names[pick.Uint64()%3], names[pick.Uint64()%3]
		fault := pick.Uint64() % 10
		w.At(at, func() {
			switch fault {
			case 0:
				w.Cut(a, b)
			case 1:
				w.CutOneWay(a, b)
			case 2, 3:
				w.Heal(a, b)
			case 4:
				w.Reset(a, b)
			case 5:
				w.Machine(a).Pause()
			case 6, 7:
				w.Machine(a).Resume()
			case 8:
				trace(strings.Join(toys[a].lines, "\n"))
				w.Machine(a).Restart()
				start(a)
			case 9:
				toys[a].tr.Drop(b + ":7000")
			}
		})
	}
	w.Run(3 * sec)
	for _, a := range names {
		w.Machine(a).Resume()
		for _, b := range names {
			w.Heal(a, b)
		}
	}
	w.Run(4 * sec)
	for _, name := range names {
		c := toys[name]
		trace(strings.Join(c.lines, "\n"))
		expect(t, "told in a handler", c.told("inside a handler:"), 0)
		for _, from := range names {
			got := c.got[from]
			if len(got) < 10 || got[len(got)-1] < toys[from].got[from][len(toys[from].got[from])-1]-10 {
				t.Errorf("%s got %d packets from %s, and not the latest", name, len(got), from)
			}
			sorted := slices.Compact(slices.Sorted(slices.Values(got)))
			expect(t, "packets that came twice", len(got)-len(sorted), 0)
		}
	}
}

// Wheels of a machine's kernel use the world's network, as the machine's host, and end
// with it.
func TestNode_Wheels(t *testing.T) {
	seeds(t, func(t *testing.T, seed uint64) {
		w := clustertest.New(t, seed)
		server, client := w.Node("server"), w.Node("client")
		var got []string
		serve := func() {
			spawn(t, server, handlers{
				"_start": func(c *kernel.Context) error {
					_, err := wheel.NewSocketFactory(c, wheel.SocketFactoryConfig{
						BindAddress: "server:80", SuccessEvent: "came", FailureEvent: "failed",
					})
					return err
				},
				"came": func(c *kernel.Context) error {
					got = append(got, c.Arg(0).(net.Conn).RemoteAddr().String()[:8])
					return nil
				},
			})
		}
		serve()
		connect := func() {
			spawn(t, client, handlers{
				"_start": func(c *kernel.Context) error {
					_, err := wheel.NewSocketFactory(c, wheel.SocketFactoryConfig{
						RemoteAddress: "server:80", SuccessEvent: "up", FailureEvent: "down",
					})
					return err
				},
				"up":   func(c *kernel.Context) error { got = append(got, "up"); c.Lease("connected"); return nil },
				"down": func(*kernel.Context) error { got = append(got, "down"); return nil },
			})
			w.Run(sec)
		}
		connect()
		server.Crash()
		connect()
		server.Restart()
		serve()
		connect()
		slices.Sort(got)
		expect(t, "what came", fmt.Sprint(got), "[10.0.0.2 10.0.0.2 down up up]")
	})
}
