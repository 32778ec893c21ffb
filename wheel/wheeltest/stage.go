package wheeltest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/usher-go/usher/kernel"
)

// endsWithin is how long a run may take, and endsAfter how long what ends on its own
// may take after it. Both are for the system's time.
var endsWithin, endsAfter = 20 * time.Second, 2 * time.Second

// setting is how a kernel runs.
type setting struct {
	mode kernel.Mode
	seed uint64
}

func (s setting) String() string { return fmt.Sprintf("%v, seed %d", s.mode, s.seed) }

func settings(real bool) []setting {
	list := []setting{{kernel.Parallel, 0}, {kernel.Parallel, 1}, {kernel.Serial, 0}, {kernel.Serial, 1}}
	for seed := uint64(0); !real && seed < 6; seed++ {
		list = append(list, setting{kernel.Simulated, seed})
	}
	return list
}

// stage is a case in a setting.
type stage struct {
	Case
	setting
	tempDir func() string
	runs    *[]run
}

// run is one that is over.
type run struct {
	setting
	plan
	k *kernel.Kernel
	w *World
}

// outcome is what came of one run.
type outcome struct {
	events []string // the wheel's, in order
	closed int      // how many of them are Closed
	done   bool     // what was planned did happen
}

// play runs a kernel with one session and its wheel, from the beginning to the end,
// and returns an error for what no run of any wheel may do.
func (s stage) play(plan plan) (outcome, error) {
	w := &World{
		Network: New(Config{Seed: s.seed, Link: Link{Jitter: time.Millisecond}}),
		Seed:    s.seed,
		TempDir: s.tempDir,
	}
	k := kernel.New(kernel.Config{
		Mode: s.mode, Seed: s.seed, Network: w.Network, Debug: true,
		Observer: &kernel.Observer{}, // the receiver handles what comes, and says what is wrong
	})
	o := &owner{Case: s.Case, plan: plan, w: w}
	if _, err := k.Spawn(o); err != nil {
		return outcome{}, fmt.Errorf("the wheel was not made: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), endsWithin)
	defer cancel()
	if err := k.Run(ctx); err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			err = fmt.Errorf("the session does not end within %v: what it waited for is over, and the wheel holds it; or %s never came", endsWithin, Closed)
		}
		return outcome{}, errors.Join(err, o.err())
	}
	w.settle(k, s.mode)
	*s.runs = append(*s.runs, run{s.setting, plan, k, w})
	return o.outcome, o.err()
}

// settle lets peers come to their end after the kernel's.
func (w *World) settle(k *kernel.Kernel, mode kernel.Mode) {
	if mode != kernel.Simulated {
		return
	}
	end := k.Now().Add(time.Minute)
	for more := true; more; more = k.Advance(end) {
		for k.Step() {
		}
	}
}

// left is what a run has left behind.
func (r run) left() error {
	if list := until(r.w.Network.Open); len(list) > 0 {
		return fmt.Errorf("left open: %s", strings.Join(list, "; "))
	}
	if list := until(r.k.Goroutines); len(list) > 0 {
		return fmt.Errorf("left running: %s", strings.Join(list, "; "))
	}
	return nil
}

// until waits for a list to be empty, and returns what stays on it.
func until(list func() []string) []string {
	late := time.After(endsAfter)
	for pause := 100 * time.Microsecond; ; pause *= 2 {
		got := list()
		if len(got) == 0 {
			return nil
		}
		select {
		case <-late:
			return got
		case <-time.After(pause):
		}
	}
}

// descriptors is how many the process has open; 0 where nobody knows.
func descriptors() int {
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(files)
}
