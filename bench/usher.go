package main

import (
	"cmp"
	"context"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// usherModes are the peers that are a kernel and nothing else.
var usherModes = map[string]kernel.Mode{usher: kernel.Parallel, usherSerial: kernel.Serial}

// usherPass is the event of the rows, usherStart has its session begin.
const (
	usherPass  kernel.Event[*token] = "pass"
	usherStart kernel.Event[*token] = "start"
)

// usherKernel is a running kernel; stop ends it and returns what Run did.
type usherKernel struct {
	*kernel.Kernel
	release func()
	leases  []*kernel.Lease // a lease that nobody has is released
	end     chan error
}

func runKernel(cfg kernel.Config) *usherKernel {
	u := &usherKernel{Kernel: kernel.New(cfg), end: make(chan error, 1)}
	u.release = u.Hold("bench")
	go func() { u.end <- u.Run(context.Background()) }()
	return u
}

func (u *usherKernel) spawn(r kernel.Receiver, opts ...kernel.SpawnOption) kernel.Address {
	l, err := u.SpawnHeld(r, opts...)
	if err != nil {
		panic(err)
	}
	u.leases = append(u.leases, l)
	return l.Address()
}

func (u *usherKernel) stop() error {
	u.Stop()
	u.release()
	return <-u.end
}

// inHandler runs f, which does all the work, in a session of its own.
func inHandler(mode kernel.Mode, f func(c *kernel.Context) (Sample, error)) (s Sample, err error) {
	u := runKernel(kernel.Config{Mode: mode})
	done := make(chan struct{})
	at := u.spawn(session.New(session.Handle(usherStart, func(c *kernel.Context) error {
		defer close(done)
		s, err = f(c)
		return nil
	})))
	if err := usherStart.PostFrom(u.Kernel, at, nil); err != nil {
		return s, err
	}
	<-done
	return s, cmp.Or(err, u.stop())
}
