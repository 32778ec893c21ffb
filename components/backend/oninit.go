package backend

import (
	"errors"
	"os"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// onInitAlias is of the session that has what ConnectOnInit was told.
const onInitAlias = "backend-on-init"

// The session of ConnectOnInit takes these, and evPolicy.
const (
	evRemember kernel.Event[Config]   = "remember" // called
	evInit     kernel.Event[struct{}] = "init"
)

// ConnectOnInit has a connection opened when the kernel starts to run (B6). It may
// be called any number of times, before the kernel runs, and before or after
// prefork.New: each worker opens its own connections, and a master, whose workers
// do the work, opens none (B7, B8). A kernel that runs already opens it at once.
// The Config is checked now; what goes wrong later is what goes wrong with any
// connection: it is reported, and tried again. Get the connection with Open and
// the same Config. Errors are those of Open.
func ConnectOnInit(k *kernel.Kernel, cfg Config) error {
	if err := wanted(k); err != nil {
		return err
	}
	if _, err := cfg.complete(os.Getpid()); err != nil {
		return err
	}
	for { // more than once if the session ends now, or another goroutine starts it
		_, err := k.Call(background, onInitAlias, evRemember.Name(), cfg)
		if ended(err) != ErrClosed {
			return err
		}
		o := &onInit{list: []Config{cfg}}
		_, err = k.Spawn(session.New(
			session.Handle("_start", func(c *kernel.Context) error { return evInit.Yield(c, struct{}{}) }),
			session.On(evRemember, o.remember),
			session.On(evPolicy, o.policy),
			session.On(evInit, o.open),
		), kernel.Alias(onInitAlias))
		if !errors.Is(err, kernel.ErrAliasTaken) {
			return err
		}
	}
}

// onInit has the connections to open.
type onInit struct{ list []Config }

func (o *onInit) remember(_ *kernel.Context, cfg Config) error {
	o.list = append(o.list, cfg)
	return nil
}

// policy is for connections that are not open yet; it returns whether it knows
// one of that alias.
func (o *onInit) policy(c *kernel.Context, p pingPolicy) error {
	known := false
	for i := range o.list {
		if alias := o.list[i].Alias; alias == p.alias || alias == "" && p.alias == "backend" {
			o.list[i].PingTimeout, known = p.d, true
		}
	}
	c.Return(known)
	return nil
}

// open is the first thing that happens when the kernel runs. Afterwards the
// session has nothing to wait for, and ends.
func (o *onInit) open(c *kernel.Context, _ struct{}) error {
	list := o.list
	o.list = nil
	_ = c.AliasRemove(onInitAlias)
	if preforks(c.Kernel()) {
		return nil
	}
	for _, cfg := range list {
		if _, err := Open(c.Kernel(), cfg); err != nil {
			c.Kernel().Report("backend", "ConnectOnInit", err)
		}
	}
	return nil
}

// preforks reports whether a kernel is the master of preforked workers, which
// shows in its descriptions: components meet there, and import no other.
func preforks(k *kernel.Kernel) bool {
	for _, d := range k.Descriptions() {
		if master, ok := d.(interface{ Preforks() bool }); ok && master.Preforks() {
			return true
		}
	}
	return false
}
