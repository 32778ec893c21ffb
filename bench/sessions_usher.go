package main

import (
	"cmp"
	"context"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

func init() {
	for peer, mode := range usherModes {
		sessions.register(peer, map[string]Runner{
			"idle": func(ops int) (Sample, error) { return usherIdle(mode, ops) },
		})
	}
}

func usherIdle(mode kernel.Mode, ops int) (Sample, error) {
	table := session.New(session.Handle("_start", func(*kernel.Context) error { return nil }))
	k := kernel.New(kernel.Config{Mode: mode})
	var err error
	s := measureKept(ops, func() {
		for range ops {
			if _, err = k.Spawn(table); err != nil {
				return
			}
		}
	})
	return s, cmp.Or(err, k.Run(context.Background())) // in which all of them end
}
