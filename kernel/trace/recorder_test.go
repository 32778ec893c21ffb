package trace_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/trace"
)

// Inside a handler, and inside what it calls, Why leads from the event that is
// being handled back to its origin, over handlers that have not returned.
func TestWhy_InsideAHandler(t *testing.T) {
	for _, m := range modes {
		t.Run(m.String(), func(t *testing.T) {
			k, rec := recorded(t, m, 0)
			var why string
			var running []trace.Record
			_, err := k.Spawn(table{"ask": func(c *kernel.Context) error {
				why = rec.Why(c.Seq())
				running = slices.DeleteFunc(rec.Snapshot().Records, func(r trace.Record) bool { return !r.Running })
				return nil
			}}, kernel.Alias("oracle"))
			must(err)
			_, err = k.Spawn(table{
				"_start": func(c *kernel.Context) error { return c.Yield("first") },
				"first":  func(c *kernel.Context) error { c.Delay("wake", time.Millisecond); return nil },
				"wake":   func(c *kernel.Context) error { _, err := c.Call("oracle", "ask"); return err },
			}, kernel.Alias("pilgrim"))
			must(err)
			run(t, k)
			compare(t, why, `
ask → #1 (oracle), called by #2 (pilgrim)
because wake → #2 (pilgrim), timer
because first → #2 (pilgrim), posted by itself
because _start → #2 (pilgrim)
`)
			names := []string{}
			for _, r := range running {
				names = append(names, r.Name)
			}
			if !slices.Equal(names, []string{"wake", "ask"}) {
				t.Errorf("running are %v", names)
			}
		})
	}
}

// An exception has the number of the event that failed, for Why after Run.
func TestWhy_OfAFailure(t *testing.T) {
	for _, m := range modes {
		t.Run(m.String(), func(t *testing.T) {
			k, rec := recorded(t, m, 0)
			_, err := k.Spawn(table{
				"_start": func(c *kernel.Context) error { return c.Yield("step") },
				"step":   func(c *kernel.Context) error { return c.Yield("fail") },
				"fail":   func(*kernel.Context) error { panic(errBurnt) },
			})
			must(err)
			var x *kernel.Exception
			if err := k.Run(t.Context()); !errors.As(err, &x) {
				t.Fatalf("Run: %v", err)
			}
			compare(t, rec.Why(x.Seq), `
fail → #1, posted by itself
because step → #1, posted by itself
because _start → #1
`)
			if r, ok := rec.Snapshot().Find(x.Seq); !ok || r.Err == nil || r.Running {
				t.Errorf("found %v %+v", ok, r)
			}
		})
	}
}

// Links that repeat themselves are counted; where the ring ends, Why says so.
func TestWhy_LongChains(t *testing.T) {
	k, rec := recorded(t, kernel.Simulated, 100)
	n := 0
	_, err := k.Spawn(table{
		"_start": func(c *kernel.Context) error { c.Delay("tick", time.Second); return nil },
		"tick": func(c *kernel.Context) error {
			if n++; n < 500 {
				c.Delay("tick", time.Second)
				return nil
			}
			return c.Yield("end")
		},
		"end": func(c *kernel.Context) error {
			why := strings.Split(rec.Why(c.Seq()), "\n")
			if len(why) != 4 || why[0] != "end → #1, posted by itself" || why[1] != "because tick → #1, timer, 99 times" ||
				!strings.HasPrefix(why[2], "because of event ") || !strings.HasSuffix(why[2], ", which is no longer recorded") {
				t.Errorf("got %q", why)
			}
			if got := rec.Why(1); got != "event 1 is not recorded\n" {
				t.Errorf("of nothing: %q", got)
			}
			return nil
		},
	})
	must(err)
	run(t, k)
	var tree strings.Builder
	must(rec.Snapshot().WriteTree(&tree))
	lines := strings.Split(tree.String(), "\n")
	if !strings.HasPrefix(lines[0], "(") || !strings.HasSuffix(lines[0], " older records are forgotten)") {
		t.Errorf("the tree begins with %q", lines[0])
	}
	if !strings.Contains(lines[1], " forgotten)") {
		t.Errorf("the first line of the tree does not say that its cause is unknown: %q", lines[1])
	}
	if deep := lines[60]; !strings.Contains(deep, "(59 deep) tick → #1, timer") || len(deep) > 120 {
		t.Errorf("a deep line is %q", deep)
	}
}

// A handler that does not return is seen, from outside, with what it waits for.
func TestSnapshot_ShowsAHandlerThatHangs(t *testing.T) {
	k, rec := recorded(t, kernel.Parallel, 0)
	hangs, free := make(chan uint64), make(chan bool)
	_, err := k.Spawn(table{"wait": func(c *kernel.Context) error { hangs <- c.Seq(); <-free; return nil }}, kernel.Alias("stuck"))
	must(err)
	_, err = k.Spawn(table{
		"_start": func(c *kernel.Context) error { return c.Yield("go") },
		"go":     func(c *kernel.Context) error { _, err := c.Call("stuck", "wait"); return err },
	})
	must(err)
	go func() {
		seq := <-hangs
		s := rec.Snapshot()
		if r, ok := s.Find(seq); !ok || !r.Running || r.Name != "wait" {
			t.Errorf("found %v %+v", ok, r)
		}
		if chain := s.Causes(seq); len(chain) != 3 || chain[1].Name != "go" || !chain[1].Running || chain[2].Running {
			t.Errorf("its causes are %+v", chain)
		}
		var tree strings.Builder
		must(s.WriteTree(&tree))
		if want := "wait → #1 (stuck), called by #2, running\n"; !strings.Contains(tree.String(), want) {
			t.Errorf("%q is missing in\n%s", want, tree.String())
		}
		close(free)
	}()
	run(t, k)
}

// D17: a session is called by the aliases that it has, or that it had when it
// stopped, sorted.
func TestSnapshot_D17_Names(t *testing.T) {
	for _, m := range modes {
		t.Run(m.String(), func(t *testing.T) {
			k, rec := recorded(t, m, 0)
			_, err := k.Spawn(table{"_start": func(c *kernel.Context) error {
				must(c.AliasSet("zoe"))
				must(c.AliasSet("amy"))
				must(c.AliasSet("gone"))
				must(c.AliasRemove("gone"))
				if got := rec.Snapshot().Name(c.Self()); got != "#1 (amy, zoe)" {
					t.Errorf("while it lives: %q", got)
				}
				return nil
			}})
			must(err)
			_, err = k.Spawn(table{})
			must(err)
			run(t, k)
			s := rec.Snapshot()
			for a, want := range map[kernel.Address]string{"#1": "#1 (amy, zoe)", "#2": "#2", "": "kernel", "#77": "#77"} {
				if got := s.Name(a); got != want {
					t.Errorf("%q is called %q, want %q", a, got, want)
				}
			}
		})
	}
}

// How long handlers took is by the kernel's clock, calls included.
func TestSnapshot_Durations(t *testing.T) {
	k, rec := recorded(t, kernel.Parallel, 0)
	spin := func(d time.Duration) {
		for start := time.Now(); time.Since(start) < d; {
			continue
		}
	}
	_, err := k.Spawn(table{
		"_start": func(c *kernel.Context) error { return c.Yield("outer") },
		"outer": func(c *kernel.Context) error {
			spin(2 * time.Millisecond)
			_, err := c.Call(c.Self(), "inner")
			return err
		},
		"inner": func(*kernel.Context) error { spin(3 * time.Millisecond); return nil },
	})
	must(err)
	run(t, k)
	took := map[string]time.Duration{}
	for _, r := range rec.Snapshot().Records {
		took[r.Name] = r.Took
	}
	if took["inner"] < 3*time.Millisecond || took["outer"] < took["inner"]+2*time.Millisecond {
		t.Errorf("took %v", took)
	}
}

// Every kind of record, with what it tells.
func TestRecorder_Kinds(t *testing.T) {
	k, rec := recorded(t, kernel.Serial, 0)
	_, err := k.Spawn(table{
		"_start": func(c *kernel.Context) error {
			id := c.DelaySet("t", time.Hour)
			_, err := c.DelayAdjust(id, time.Minute)
			must(err)
			_, err = c.AlarmRemove(id)
			must(err)
			_ = c.AliasRemove("nobody")
			c.Kernel().Report("pool", "refused", errBurnt)
			c.Lease("held")
			must(c.Yield("unknown"))
			return c.Yield("kill")
		},
		"kill": func(c *kernel.Context) error { must(c.Signal(c.Self(), "KILL")); return c.Yield("lost") },
	})
	must(err)
	run(t, k)
	var got []string
	for _, r := range rec.Snapshot().Records {
		if r.Kind != trace.Handled {
			got = append(got, strings.TrimSpace(fmt.Sprintln(r.Kind, r.Name, r.To, r.Detail)))
		}
	}
	compare(t, strings.Join(got, "\n"), `
timer t #1 moved
timer t #1 removed
refused AliasRemove #1
reported pool kernel refused
unhandled unknown #1
signal KILL #1 nobody handles it, it stops 1
stops  #1 signal KILL
dropped lost #1 receiver stopped
`)
	for _, r := range rec.Snapshot().Records {
		if r.Kind != trace.Handled && r.Kind != trace.Reported && r.Cause == 0 {
			t.Errorf("%v has no cause", r.Kind)
		}
	}
}

func TestNewRecorder_Size(t *testing.T) {
	defer func() {
		if v := recover(); v == nil || !strings.Contains(v.(string), "NewRecorder(-1); want 0") {
			t.Errorf("NewRecorder(-1) said %v", v)
		}
	}()
	trace.NewRecorder(-1)
}
