package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/usher-go/usher/components/prefork"
)

// workerStarts is how long a worker takes until it accepts connections.
var workerStarts = map[string]Runner{usherPrefork: usherWorkerStarts, goPlain: goWorkerStarts}

// greeterVariable says to this program that it is only to say that it runs.
const greeterVariable = "USHER_BENCH_GREETER"

func init() {
	if os.Getenv(greeterVariable) != "" {
		fmt.Println("ready")
		os.Exit(0)
	}
	for peer, run := range workerStarts {
		hello.register(peer, map[string]Runner{"worker-start": run})
	}
}

// usherWorkerStarts has a master add one worker after the other. The scoreboard has
// when it was begun with each, and when that one was ready.
func usherWorkerStarts(ops int) (Sample, error) {
	s := Sample{Ops: ops, TimeOnly: true}
	p, err := newGrowing(byEvents, 1, 1+ops, prefork.Unlimited)
	if err != nil {
		return s, err
	}
	ended := make(chan error, 1)
	go func() { ended <- p.run() }()
	err = func() error {
		for n := range ops + 1 {
			if n > 0 {
				if err := p.k.Signal("", "TTIN"); err != nil {
					return err
				}
			}
			took := time.Duration(0)
			if err := soon("a worker that is ready", func() bool { took = startOf(p.Pool(), n); return took > 0 }); err != nil {
				return err
			}
			if n > 0 { // the first comes as the program begins
				s.Waits = append(s.Waits, took)
				s.Elapsed += took
			}
		}
		return nil
	}()
	return s, errors.Join(err, p.Shutdown(context.Background()), <-ended)
}

// startOf is how long the worker in a slot took, 0 if it is not ready.
func startOf(p *prefork.Pool, slot int) time.Duration {
	s, err := p.Stats()
	if err != nil {
		return 0
	}
	for _, w := range s.Workers {
		if w.Slot == slot && w.State == prefork.StateIdle {
			return w.Changed.Sub(w.Started)
		}
	}
	return 0
}

// goWorkerStarts is the least that any Go program can do it in: this one is started,
// and says so at once.
func goWorkerStarts(ops int) (Sample, error) {
	s := Sample{Ops: ops, TimeOnly: true}
	exe, err := os.Executable()
	if err != nil {
		return s, err
	}
	for range ops {
		cmd := exec.Command(exe)
		cmd.Env = append(os.Environ(), greeterVariable+"=1")
		out, err := cmd.StdoutPipe()
		if err != nil {
			return s, err
		}
		began := time.Now()
		if err := cmd.Start(); err != nil {
			return s, err
		}
		_, err = io.ReadFull(out, make([]byte, 1))
		s.Waits = append(s.Waits, time.Since(began))
		s.Elapsed += time.Since(began)
		if err := cmp.Or(err, cmd.Wait()); err != nil {
			return s, err
		}
	}
	return s, nil
}
