package main

import (
	"fmt"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// request asks for a lock, or gives it back.
type request struct {
	lock    string
	yes, no string // the events that answer
}

const (
	Lock   kernel.Event[request] = "lock"
	Unlock kernel.Event[request] = "unlock"
)

// lockd knows who has which lock.
type lockd struct{ owners map[string]kernel.Address }

func startLockd(k *kernel.Kernel) error {
	d := &lockd{owners: make(map[string]kernel.Address)}
	_, err := k.Spawn(session.New(
		session.Handle("_start", d.start),
		session.On(Lock, d.lock),
		session.On(Unlock, d.unlock),
		session.Handle("signal", d.signal),
		session.Handle("_stop", d.stop),
	))
	return err
}

func (d *lockd) start(c *kernel.Context) error {
	c.Sig("IDLE", "signal")
	fmt.Println("lockd: starts")
	return c.AliasSet("lockd") // if the name is taken, that is Spawn's error
}

func (d *lockd) lock(c *kernel.Context, r request) error {
	owner, taken := d.owners[r.lock]
	if taken && owner != c.Sender() {
		fmt.Printf("lockd: refuses %s to %s, %s has it\n", r.lock, c.Sender(), owner)
		return c.Post(c.Sender(), r.no)
	}
	d.owners[r.lock] = c.Sender()
	fmt.Printf("lockd: lends %s to %s\n", r.lock, c.Sender())
	return c.Post(c.Sender(), r.yes)
}

func (d *lockd) unlock(c *kernel.Context, r request) error {
	if d.owners[r.lock] != c.Sender() {
		fmt.Printf("lockd: %s does not have %s\n", c.Sender(), r.lock)
		return c.Post(c.Sender(), r.no)
	}
	delete(d.owners, r.lock)
	fmt.Printf("lockd: gets %s back from %s\n", r.lock, c.Sender())
	return c.Post(c.Sender(), r.yes)
}

// signal looks on. Had it called c.SigHandled, the daemon would stay until ZOMBIE.
func (d *lockd) signal(c *kernel.Context) error {
	fmt.Printf("lockd: sees %s\n", c.Arg(0))
	return nil
}

func (d *lockd) stop(*kernel.Context) error {
	fmt.Println("lockd: stops")
	return nil
}
