package wheel_test

import (
	"strings"
	"syscall"
	"testing"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/wheeltest"
)

// processCase has a Run of a program. Its Close kills what would run on: processes
// are not to outlive the test.
func processCase(cfg wheel.RunConfig, begin func(*wheel.Run) error) wheeltest.Case {
	cfg.StdoutEvent, cfg.StdinEvent, cfg.ErrorEvent = gotOut, sentStdin, failed
	cfg.ExitEvent, cfg.CloseEvent = exited, wheeltest.Closed
	cfg.KillOnClose = true
	if cfg.Conduit != wheel.ConduitPTY {
		cfg.StderrEvent = gotErr
	}
	return wheeltest.Case{Real: true,
		Make: func(c *kernel.Context, _ *wheeltest.World) (wheeltest.Wheel, error) {
			r, err := wheel.NewRun(c, cfg)
			if err == nil {
				err = begin(r)
			}
			return r, err
		},
	}
}

var conduits = []wheel.Conduit{wheel.ConduitPipe, wheel.ConduitPTY, wheel.ConduitPTYPipe}

// A program that ends by itself, after a word on each of its outputs.
func TestRunConforms(t *testing.T) {
	for _, conduit := range conduits {
		t.Run(string(conduit), func(t *testing.T) {
			wheeltest.Run(t, processCase(
				wheel.RunConfig{Conduit: conduit, Shell: "read x; echo $x; echo oops >&2; exit 3"},
				func(r *wheel.Run) error { return r.Put("hello") },
			))
		})
	}
}

// One that hears neither its input's end nor a polite signal, and leaves a grandchild.
func TestRunConforms_Killed(t *testing.T) {
	for _, conduit := range conduits {
		t.Run(string(conduit), func(t *testing.T) {
			c := processCase(
				wheel.RunConfig{Conduit: conduit, Shell: "trap '' TERM HUP; sleep 1000 & echo up; wait; wait"},
				func(r *wheel.Run) error { return r.Put("nobody reads this") },
			)
			c.End = func(w wheeltest.Wheel) { _ = w.(*wheel.Run).Kill(syscall.SIGKILL) }
			wheeltest.Run(t, c)
		})
	}
}

// One whose input is shut while much is queued for it.
func TestRunConforms_DeafToItsInput(t *testing.T) {
	c := processCase(
		wheel.RunConfig{Shell: "exec <&-; echo deaf; exit 0"},
		func(r *wheel.Run) error { return r.Put(strings.Repeat("x", 200_000)) },
	)
	wheeltest.Run(t, c)
}
