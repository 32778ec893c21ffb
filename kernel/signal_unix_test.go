//go:build unix

package kernel_test

import (
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

// realModes are those that the operating system's signals reach.
var realModes = []kernel.Mode{kernel.Parallel, kernel.Serial}

// The operating system's signals, for real: caught while somebody watches.
func TestK120_FromTheOperatingSystem(t *testing.T) {
	for _, m := range realModes {
		t.Run(m.String(), func(t *testing.T) {
			for sig, num := range map[string]syscall.Signal{"INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "USR1": syscall.SIGUSR1} {
				k := boot(t, m)
				k.spawn(table{
					"_start": func(c *kernel.Context) error {
						c.Lease("for ever")
						c.Sig(sig, "sig")
						return c.Yield("kill")
					},
					"kill": func(*kernel.Context) error { return syscall.Kill(os.Getpid(), num) },
					"sig": func(c *kernel.Context) error {
						k.note("%v", c.Arg(0))
						if sig == "USR1" {
							k.Stop()
						}
						return nil
					},
					"_stop": k.noting("stop"),
				})
				k.run()
				k.wantNotes(sig, "stop")
			}
		})
	}
}

// TERM is caught until the last watch of it is gone; then it ends the process
// again. A process of its own shows it: this test binary, run once more.
func TestK120_UnwatchedIsTheSystemsAgain(t *testing.T) {
	const variable = "USHER_KERNEL_TEST_UNWATCH"
	kill := func() { must(syscall.Kill(os.Getpid(), syscall.SIGTERM)) }
	if how := os.Getenv(variable); how != "" {
		k := kernel.New(kernel.Config{})
		k.Hold("until killed")
		once := table{
			"_start": func(c *kernel.Context) error {
				c.Sig("TERM", "term")
				c.Sig("TERM", "")
				return nil
			},
		}
		last := table{
			"_start": func(c *kernel.Context) error { c.Sig("TERM", "term"); return c.AliasSet("last") },
			"go":     func(*kernel.Context) error { kill(); return nil },
			"term": func(c *kernel.Context) error {
				c.SigHandled()
				os.Stdout.WriteString("heard")
				if how == "stop" {
					c.Stop()
					return k.Post("killer", "when gone")
				}
				c.Sig("TERM", "")
				kill()
				return nil
			},
		}
		_, _ = k.Spawn(last)
		_, _ = k.Spawn(once)
		_, _ = k.Spawn(table{"when gone": func(c *kernel.Context) error {
			if _, there := k.Resolve("last"); there {
				return c.Yield("when gone")
			}
			kill()
			return nil
		}}, kernel.Alias("killer"))
		_ = k.Post("last", "go")
		_ = k.Run(t.Context())
		return
	}
	for _, how := range []string{"unwatch", "stop"} {
		cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.timeout=20s")
		cmd.Env = append(os.Environ(), variable+"="+how)
		out, err := cmd.Output()
		ws, _ := cmd.ProcessState.Sys().(syscall.WaitStatus)
		if string(out) != "heard" || !ws.Signaled() || ws.Signal() != syscall.SIGTERM {
			t.Errorf("%s: %v, output %q; want the process to hear TERM once, and then to be ended by it", how, err, out)
		}
	}
}

// A signal of the system is seen between handlers: of its session in parallel
// mode, of all sessions in serial mode.
func TestK121_T27_BetweenHandlers(t *testing.T) {
	for _, m := range realModes {
		t.Run(m.String(), func(t *testing.T) {
			k := boot(t, m)
			arrived := make(chan os.Signal, 16)
			signal.Notify(arrived, syscall.SIGUSR1)
			defer signal.Stop(arrived)
			watcher := func(name string) table {
				return table{
					"_start": func(c *kernel.Context) error { c.Sig("USR1", "sig"); c.Lease(name); return c.AliasSet(name) },
					"work": func(*kernel.Context) error {
						must(syscall.Kill(os.Getpid(), syscall.SIGUSR1))
						<-arrived
						for range 1000 { // by now the kernel has it, too
							runtime.Gosched()
						}
						k.note("%s ends its handler", name)
						return nil
					},
					"sig": func(c *kernel.Context) error { k.note("%s: sig", name); c.Stop(); return nil },
				}
			}
			k.spawn(watcher("a"))
			k.spawn(watcher("b"))
			must(k.Post("a", "work"))
			k.run()
			got := k.journal()
			k.wantSet("a ends its handler", "a: sig", "b: sig")
			if slices.Index(got, "a: sig") < slices.Index(got, "a ends its handler") || m == kernel.Serial && got[0] != "a ends its handler" {
				t.Errorf("journal %v", got)
			}
		})
	}
}

// A signal of the system goes to everyone, deepest first, and each counts that
// comes when the one before it was handled.
func TestK121_K122_ToTheWholeTree(t *testing.T) {
	for _, m := range realModes {
		t.Run(m.String(), func(t *testing.T) {
			k := boot(t, m)
			send := func() error { return syscall.Kill(os.Getpid(), syscall.SIGUSR2) }
			left := 5
			watcher := func(name string, kid table) table {
				return table{
					"_start": func(c *kernel.Context) error {
						c.Sig("USR2", "sig", name)
						if kid != nil {
							_, err := c.Spawn(kid, kernel.Alias("kid"))
							must(err)
						}
						return nil
					},
					"sig": func(c *kernel.Context) error { k.note("%v", c.Args()); return nil },
				}
			}
			pa := watcher("pa", watcher("kid", nil))
			pa["sig"] = func(c *kernel.Context) error {
				k.note("%v", c.Args())
				if left--; left > 0 {
					return send()
				}
				k.Stop()
				return nil
			}
			k.Hold("for the signals")
			k.spawn(pa, kernel.Alias("pa"))
			must(send())
			k.run2()
			var want []string
			for range 5 {
				want = append(want, "[USR2 kid]", "[USR2 pa]")
			}
			k.wantNotes(want...)
		})
	}
}

// Signals of the system that come while none can be told: 16 wait, and the rest is
// merged with them.
func TestK121_FloodIsMerged(t *testing.T) {
	for _, m := range realModes {
		t.Run(m.String(), func(t *testing.T) {
			k := boot(t, m)
			arrived := make(chan os.Signal, 1)
			signal.Notify(arrived, syscall.SIGUSR1)
			defer signal.Stop(arrived)
			heard := 0
			k.spawn(table{
				"_start": func(c *kernel.Context) error { c.Sig("USR1", "sig"); return c.Yield("flood") },
				"flood": func(c *kernel.Context) error {
					for range 200 {
						must(syscall.Kill(os.Getpid(), syscall.SIGUSR1))
						<-arrived
					}
					c.Delay("enough", 20*time.Millisecond)
					return nil
				},
				"sig":    func(c *kernel.Context) error { heard++; c.Delay("enough", 5*time.Millisecond); return nil },
				"enough": func(*kernel.Context) error { return nil },
			})
			k.run2()
			if heard < 1 || heard > 1+16+1 { // one on its way, and one that the system has still
				t.Errorf("heard %d of 200", heard)
			}
		})
	}
}

// A signal of the system that was caught is not lost when its last watch ends
// before it can be told: here it is terminal, and stops the kernel.
func TestK121_CaughtIsNotLost(t *testing.T) {
	for _, m := range realModes {
		t.Run(m.String(), func(t *testing.T) {
			k := boot(t, m)
			k.Hold("for the second signal")
			arrived := make(chan os.Signal, 1)
			signal.Notify(arrived, syscall.SIGHUP)
			defer signal.Stop(arrived)
			send := func() {
				must(syscall.Kill(os.Getpid(), syscall.SIGHUP))
				<-arrived
				for range 1000 { // by now the kernel has it, too
					runtime.Gosched()
				}
			}
			k.spawn(table{
				"_start": func(c *kernel.Context) error { c.Sig("HUP", "hup"); return c.Yield("go") },
				"go":     func(*kernel.Context) error { send(); return nil },
				"hup": func(c *kernel.Context) error {
					k.note("first")
					c.SigHandled()
					send()
					c.Sig("HUP", "")
					return nil
				},
				"_stop": k.noting("stop"),
			}, kernel.Alias("a"))
			k.run2()
			k.wantNotes("first", "stop")
		})
	}
}
