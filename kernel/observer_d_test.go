package kernel_test

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/usher-go/usher/kernel"
)

// D4: every hold is told as it begins and as it ends, with its kind and what it
// is; when a session has stopped, all that it still had (D9) have ended.
func TestD4_D9_HoldsComeAndGo(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		var mu sync.Mutex
		ups, open := map[string]int{}, map[string]int{}
		k := boot(t, m, also(&kernel.Observer{
			Held: func(r kernel.HoldRecord) {
				mu.Lock()
				defer mu.Unlock()
				what := fmt.Sprint(r.Session, " ", r.Kind, " ", r.Detail)
				if r.Up {
					ups[what]++
					open[what]++
				} else if open[what]--; open[what] == 0 {
					delete(open, what)
				}
				if r.Left < 0 || r.Up && r.Left == 0 {
					t.Errorf("%s, up %v: %d left", what, r.Up, r.Left)
				}
			},
			Stopped: func(s kernel.Address) {
				mu.Lock()
				defer mu.Unlock()
				for what := range open {
					if strings.HasPrefix(what, string(s)+" ") && what != string(s)+" signal KILL" {
						t.Errorf("%s has stopped, and still holds: %s", s, what)
					}
				}
			},
		}))
		sleeper := exec.Command("sleep", "600")
		launch(t, sleeper)
		defer sleeper.Process.Kill()
		everything := table{
			"_start": func(c *kernel.Context) error {
				must(c.AliasSet("one more"))
				c.Lease("my lease")
				c.Postback("pb")
				c.Delay("timer", time.Hour)
				c.Delay("timer", 2*time.Hour)
				c.NewSource("test", func(*kernel.Context) {}, nil).Watch(true)
				c.SigChild(sleeper.Process.Pid, "exit")
				_, err := c.Spawn(nop, kernel.Alias("child"))
				return err
			},
		}
		k.spawn(table{ // #1
			"_start": func(c *kernel.Context) error {
				a, err := c.Spawn(everything, kernel.Alias("holder")) // #2, its child #3
				must(err)
				c.DelayAdd("soon", time.Millisecond)
				return c.Post(c.Self(), "kill", a)
			},
			"kill": func(c *kernel.Context) error { return c.Signal(c.Arg(0).(kernel.Address), "KILL") },
			"soon": nop.none,
		})
		_, err := k.Spawn(table{"_start": func(*kernel.Context) error { return errBoom }}, kernel.Alias("aborted")) // #4
		expect(t, "Spawn", err, errBoom)
		_, err = k.Spawn(nop, kernel.Alias("child")) // #5
		expect(t, "taken", errors.Is(err, kernel.ErrAliasTaken), true)
		k.run()
		mu.Lock()
		defer mu.Unlock()
		if len(open) > 0 {
			t.Errorf("not ended: %v", open)
		}
		for _, what := range []string{
			"#1 creator ", "#1 child #2", "#1 timer soon", "#2 creator ", "#2 alias holder", "#2 alias one more",
			"#2 lease my lease", `#2 lease postback "pb"`, "#2 timer timer", fmt.Sprint("#2 process ", sleeper.Process.Pid),
			"#2 child #3", "#2 signal KILL", "#3 alias child", "#4 alias aborted",
		} {
			if ups[what] == 0 {
				t.Errorf("nobody was told of %q; told: %v", what, slices.Sorted(maps.Keys(ups)))
			}
		}
		expect(t, "timers", ups["#2 timer timer"], 2)
		wheel := slices.ContainsFunc(slices.Collect(maps.Keys(ups)), func(s string) bool { return strings.HasPrefix(s, "#2 wheel test ") })
		expect(t, "wheel", wheel, true)
	})
}

// D4: what the old receiver watched does not hold the session after a restart.
func TestD4_RestartDropsWatchedProcess(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		sleeper := exec.Command("sleep", "600")
		launch(t, sleeper)
		defer sleeper.Process.Kill()
		starts := 0
		fresh := func() kernel.Receiver {
			return table{
				"_start": func(c *kernel.Context) error {
					if starts++; starts > 1 {
						return nil
					}
					c.SigChild(sleeper.Process.Pid, "exit")
					return c.Yield("fail")
				},
				"fail": func(*kernel.Context) error { return errBoom },
			}
		}
		k.spawn(fresh(), kernel.Supervise(actor.DefaultSupervisorStrategy(), fresh))
		k.run()
		expect(t, "starts", starts, 2)
	})
}

// D5: sessions come, move to other parents, and stop for a reason that is told,
// with the event that led to it.
func TestD5_WhySessionsStop(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		var mu sync.Mutex
		events, why, moved := map[uint64]string{}, map[kernel.Address]string{}, []string{}
		k := boot(t, m, also(&kernel.Observer{
			Began: func(r kernel.Record) { mu.Lock(); events[r.Seq] = r.Event; mu.Unlock() },
			Stopping: func(r kernel.StopRecord) {
				mu.Lock()
				defer mu.Unlock()
				if why[r.Session] != "" {
					t.Errorf("%s stops twice", r.Session)
				}
				why[r.Session] = fmt.Sprintf("%s %s in %s", r.Reason, r.Signal, events[r.Cause])
			},
			Moved: func(s, from, to kernel.Address) {
				mu.Lock()
				moved = append(moved, fmt.Sprint(s, " ", from, "→", to))
				mu.Unlock()
			},
		}))
		kept := table{"_start": func(c *kernel.Context) error { c.Lease("kept"); return nil }}
		restarts := 0
		fresh := func() kernel.Receiver {
			return table{
				"_start": func(c *kernel.Context) error {
					if restarts++; restarts > 1 {
						return nil
					}
					_, err := c.Spawn(kept) // #7
					must(err)
					return c.Yield("break")
				},
				"break": func(*kernel.Context) error { return errBoom },
			}
		}
		k.spawn(table{"_start": func(c *kernel.Context) error { return c.Yield("only") }, "only": nop.none}) // #1
		k.spawn(table{                                                                                       // #2
			"_start": func(c *kernel.Context) error {
				_, err := c.Spawn(kept) // #3
				must(err)
				return c.Yield("stop myself")
			},
			"stop myself": func(c *kernel.Context) error { c.Stop(); return nil },
		})
		k.spawn(table{ // #4
			"_start": func(c *kernel.Context) error { c.Lease("kept"); return c.Yield("term") },
			"term":   func(c *kernel.Context) error { return c.Signal(c.Self(), "TERM") },
		})
		_, err := k.Spawn(table{"_start": func(*kernel.Context) error { return errBoom }}) // #5
		expect(t, "Spawn", err, errBoom)
		k.spawn(fresh(), kernel.Supervise(actor.DefaultSupervisorStrategy(), fresh)) // #6
		k.spawn(kept)                                                                // #8
		go func() {
			until(t, "all but two have stopped", func() bool { return k.stopped.Load() == 6 })
			k.Stop()
		}()
		k.run()
		mu.Lock()
		defer mu.Unlock()
		want := map[kernel.Address]string{
			"#1": "nothing holds it  in only",
			"#2": "Context.Stop  in stop myself",
			"#3": "Kernel.Stop  in ",
			"#4": "signal TERM in term",
			"#5": "_start failed  in _start",
			"#6": "nothing holds it  in _start",
			"#7": "its parent is restarted  in break",
			"#8": "Kernel.Stop  in ",
		}
		if !maps.Equal(why, want) {
			t.Errorf("got  %v\nwant %v", why, want)
		}
		expect(t, "moved", fmt.Sprint(moved), "[#3 #2→kernel]")
		expect(t, "spawned", k.spawned.Load(), 8)
		expect(t, "stopped", k.stopped.Load(), 8)
	})
}

// The supervisor's decision, and a plain actor's, are reasons, too.
func TestD5_StoppedByActors(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		var j journal
		k := boot(t, m, inSystem, also(&kernel.Observer{
			Began:    func(kernel.Record) {},
			Stopping: func(r kernel.StopRecord) { j.add("%s %s %v", r.Session, r.Reason, r.Cause != 0) },
		}))
		stop := actor.NewOneForOneStrategy(1, time.Minute, func(any) actor.Directive { return actor.StopDirective })
		fresh := func() kernel.Receiver { return table{"fail": func(*kernel.Context) error { return errBoom }} }
		a := k.spawn(fresh(), kernel.Supervise(stop, fresh))
		must(k.Post(a, "fail"))
		k.run()
		b := k.service(nop)
		pid, _ := k.PID(b)
		neighbours.Root.Stop(pid)
		k.run()
		j.want(t, "#1 its supervisor stops it true", "#2 its actor was stopped false")
	})
}

// D6: watches, the way of a signal, and its verdict: who handled it, how many
// sessions it stops.
func TestD6_SignalsFromSendingToVerdict(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		var j journal
		k := boot(t, m, also(&kernel.Observer{
			Began:   func(kernel.Record) {},
			Watched: func(s kernel.Address, signal, event string) { j.add("%s watches %s: %q", s, signal, event) },
			Signal: func(r kernel.SignalRecord) {
				j.add("%s %s to %v, caused %v, reaches %v, handled %v by %v, stops %d", r.Name, r.Op, r.To, r.Cause != 0, r.Reaches, r.Handled, r.By, r.Stops)
			},
		}))
		k.spawn(table{
			"_start": func(c *kernel.Context) error {
				c.Sig("HUP", "hup")
				c.Sig("NEWS", "news")
				c.Sig("NEWS", "")
				_, err := c.Spawn(nop, kernel.Alias("child"))
				must(err)
				return c.Yield("hang up")
			},
			"hang up": func(c *kernel.Context) error { return c.Signal("parent", "HUP") },
			"hup":     func(c *kernel.Context) error { c.SigHandled(); return c.Yield("kill") },
			"kill":    func(c *kernel.Context) error { return c.Signal("", "TERM") },
		}, kernel.Alias("parent"))
		k.run()
		j.want(t,
			`#1 watches HUP: "hup"`, `#1 watches NEWS: "news"`, `#1 watches NEWS: ""`,
			"HUP sent to #1, caused true, reaches [], handled false by kernel, stops 0",
			"HUP reaches to #1, caused true, reaches [#2 #1], handled false by kernel, stops 0",
			"HUP verdict to #1, caused true, reaches [#2 #1], handled true by #1, stops 0",
			"TERM sent to kernel, caused true, reaches [], handled false by kernel, stops 0",
			"TERM reaches to kernel, caused true, reaches [#2 #1], handled false by kernel, stops 0",
			"TERM verdict to kernel, caused true, reaches [#2 #1], handled false by kernel, stops 2")
	})
}

// D6: a watched process's end, with its state and who is told.
func TestD6_ReapedProcesses(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		var j journal
		k := boot(t, m, also(&kernel.Observer{Reaped: func(r kernel.ReapRecord) {
			j.add("%d %v %v", r.PID, r.State.ExitCode(), r.Tells)
		}}))
		p := exec.Command("sh", "-c", "read line; exit 3")
		in, err := p.StdinPipe()
		must(err)
		launch(t, p)
		for range 2 {
			k.spawn(table{
				"_start": func(c *kernel.Context) error { c.SigChild(p.Process.Pid, "exit"); return nil },
				"exit":   func(c *kernel.Context) error { _ = c.Arg(2).(*os.ProcessState); return nil },
			})
		}
		must(in.Close())
		k.run()
		j.want(t, fmt.Sprintf("%d 3 [#1 #2]", p.Process.Pid))
	})
}

// D7: a watched handle is told of when it is selected and when that ends.
func TestD7_WheelsAndWatchedHandles(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		var j journal
		k := boot(t, m, also(&kernel.Observer{
			Began: func(kernel.Record) {},
			Wheel: func(r kernel.WheelRecord) {
				j.add("%s %s, id %v, open %v, caused %v", r.Session, r.Kind, r.ID > 0, r.Open, r.Cause > 0)
			},
		}))
		l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
		must(err)
		defer l.Close()
		k.spawn(table{
			"_start": func(c *kernel.Context) error {
				if err := c.SelectRead(l, "ready"); err != nil {
					return err
				}
				return c.SelectRead(l, "")
			},
		})
		k.run()
		j.want(t, "#1 SelectRead, id true, open true, caused true", "#1 SelectRead, id true, open false, caused true")
	})
}
