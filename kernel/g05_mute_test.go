package kernel_test

import (
	"errors"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/usher-go/usher/kernel"
)

// From its Stop on, nothing queued for a session is begun: not by its own use of
// Step (K14), nor by a supervisor that has its failure to decide about.
func TestG5_NothingBeginsAfterStop_K14(t *testing.T) {
	for _, m := range serialModes {
		t.Run(m.String(), func(t *testing.T) {
			k := boot(t, m)
			k.spawn(table{
				"_start": func(c *kernel.Context) error { return c.Yield("go") },
				"go": func(c *kernel.Context) error {
					must(c.Yield("late"))
					c.Stop()
					for k.Step() {
					}
					return nil
				},
				"late": k.noting("late"),
			})
			k.run()
			k.wantNotes()
			k.wantDrops(map[string]int{"late: receiver stopped": 1})
		})
	}
}

func TestG5_NoRestartAfterStop(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		life := func() kernel.Receiver {
			return table{
				"_start": func(c *kernel.Context) error { k.note("start"); return c.Yield("go") },
				"go":     func(c *kernel.Context) error { c.Stop(); return errors.New("boom") },
				"_stop":  k.noting("stop"),
			}
		}
		k.spawn(life(), kernel.Supervise(actor.RestartingSupervisorStrategy(), life))
		k.run()
		k.wantNotes("start", "stop")
	})
}

// An event that is dropped inside a handler's Step, before any other was handled
// there, is dropped and no more (K14).
func TestStep_NestedDrop_K14(t *testing.T) {
	k := boot(t, kernel.Serial)
	b := k.spawn(table{"bye": func(c *kernel.Context) error { c.Stop(); return nil }})
	a := k.spawn(table{"step": func(*kernel.Context) error { k.note("stepped %v", k.Step()); return nil }})
	must(k.Post(b, "bye"))
	must(k.Post(a, "step"))
	must(k.Post(b, "lost"))
	k.run()
	k.wantNotes("stepped true")
	k.wantDrops(map[string]int{"lost: receiver stopped": 1})
}

// A verdict that falls while a signal's handler runs at the head of the queue
// finds the events behind it still to be begun, and they are not.
func TestG6_VerdictDuringASignalHandler(t *testing.T) {
	k := boot(t, kernel.Parallel, workers(4))
	at, goOn := make(chan string), make(chan int)
	stops := make(chan int)
	a := k.service(table{
		"_start": func(c *kernel.Context) error {
			c.Sig("HELLO", "hello")
			must(c.Yield("busy"))
			return c.Yield("late")
		},
		"busy":  func(*kernel.Context) error { at <- "busy"; <-goOn; return nil },
		"hello": func(c *kernel.Context) error { at <- "hello"; <-c.Done(); return nil },
		"late":  k.noting("late"),
	})
	k.service(table{"_stop": func(*kernel.Context) error { <-stops; return nil }}) // holds up the other's end
	go func() {
		<-at
		must(k.Signal("", "HELLO")) // it has to wait
		until(t, "the signal waits", func() bool { return k.WorkWaits(a) })
		close(goOn)
		<-at
		must(k.Signal("", "TERM"))
		close(stops)
	}()
	k.run()
	k.wantNotes()
	k.wantDrops(map[string]int{"late: receiver stopped": 1})
}

// A panic in kernel work that is nobody's turn, here of an observer, ends the
// kernel with an error.
func TestG7_PanicInNobodysTurn(t *testing.T) {
	panicked := false
	k := boot(t, kernel.Parallel, func(c *kernel.Config) {
		c.StopTimeout = time.Minute
		c.Observer.Signal = func(r kernel.SignalRecord) {
			if r.Name == "X" && r.Op == kernel.SignalReaches && !panicked {
				panicked = true
				panic("observer")
			}
		}
	})
	k.service(table{"_start": func(c *kernel.Context) error { return c.Signal("", "X") }})
	var x *kernel.Exception
	if err := k.Run(t.Context()); !errors.As(err, &x) {
		t.Errorf("Run: %v", err)
	}
}
