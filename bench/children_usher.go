package main

import (
	"cmp"
	"context"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

func init() {
	for peer, mode := range usherModes {
		children.register(peer, map[string]Runner{
			"child-bytes": func(ops int) (Sample, error) { return usherChildBytes(mode, ops) },
			"child-lines": func(ops int) (Sample, error) { return usherChildLines(mode, ops) },
		})
	}
}

func usherChildBytes(mode kernel.Mode, ops int) (Sample, error) {
	got := 0
	s, err := usherChild(mode, ops, wheel.RunConfig{Program: zeros(ops), Stdout: wheel.Decode(&filter.StreamFilter{Reuse: true}, usherGotBytes)},
		session.On(usherGotBytes, func(_ *kernel.Context, p []byte) error {
			got += len(p)
			return nil
		}))
	return moved(s), cmp.Or(err, complete("bytes", got, ops*len(chunk)))
}

func usherChildLines(mode kernel.Mode, ops int) (Sample, error) {
	got := 0
	s, err := usherChild(mode, ops, wheel.RunConfig{Program: lines(ops), StdoutEvent: usherGotLine},
		session.On(usherGotLine, func(*kernel.Context, string) error {
			got++
			return nil
		}))
	return s, cmp.Or(err, complete("lines", got, ops))
}

// usherChild runs a command in a kernel of its own, which ends with it.
func usherChild(mode kernel.Mode, ops int, cfg wheel.RunConfig, output session.State) (s Sample, err error) {
	var reason error
	cfg.NoStdin, cfg.CloseEvent = true, usherGone
	s = measure(ops, func() {
		k := kernel.New(kernel.Config{Mode: mode})
		if _, err = k.Spawn(session.New(output,
			session.Handle("_start", func(c *kernel.Context) error {
				_, err := wheel.NewRun(c, cfg)
				return err
			}),
			session.On(usherGone, func(_ *kernel.Context, err error) error {
				reason = err
				return nil
			}),
		)); err == nil {
			err = k.Run(context.Background())
		}
	})
	return s, cmp.Or(err, reason)
}
