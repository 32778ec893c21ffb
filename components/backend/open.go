package backend

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// Open returns the kernel's connection to a server under an alias, and starts one
// if there is none (B1). It does not wait for the server: messages do. Each kernel
// has its own (B20); in one, an alias stands for one host and port, so that two
// places need two aliases (B2). Errors match ErrArgument, and
// kernel.ErrAliasTaken when the alias is that of something else.
func Open(k *kernel.Kernel, cfg Config) (*Conn, error) {
	c, _, err := open(k, cfg, true)
	return c, err
}

// Connect is Open for a goroutine that wants to be sure: it waits until ctx ends
// for a connection that is good by the ping policy, and one that is not is made
// anew meanwhile (B9, B13). One that it makes is always pinged: when the pong has
// come, the server has registered its name. It counts as an access (B11). It fails
// with ErrRefused when the server does not take us, ErrDown by Config.FailFast,
// ErrTimeout after Config.Timeout, ctx's error, and says why there was no connection;
// that is then closed and not kept (B5), unless another Connect waits for it still, or
// has succeeded, or Open returned it. In a handler use Open and Conn.Watch.
func Connect(ctx context.Context, k *kernel.Kernel, cfg Config) (*Conn, error) {
	c, made, err := open(k, cfg, false)
	if err != nil {
		return nil, err
	}
	r := c.wait(ctx, "connect", func(done func(Reply)) (*outgoing, error) {
		if !made {
			return &outgoing{name: "connect", done: done}, nil
		}
		o, err := c.outgoing(pingMessage(k.Now()), done)
		o.always = true
		return o, err
	})
	tell(c, evTried, r.Err == nil)
	if r.Err != nil {
		return nil, r.Err
	}
	return c, nil
}

// wanted refuses a kernel that is nil.
func wanted(k *kernel.Kernel) error {
	if k == nil {
		return fmt.Errorf("%w: the kernel is nil; want a *kernel.Kernel", ErrArgument)
	}
	return nil
}

func open(k *kernel.Kernel, cfg Config, keep bool) (c *Conn, made bool, err error) {
	if err = wanted(k); err != nil {
		return nil, false, err
	}
	if cfg, err = cfg.complete(os.Getpid()); err != nil {
		return nil, false, err
	}
	dialect, err := newDialect(cfg.Serializer, cfg.MaxFrame, true)
	if err != nil {
		return nil, false, err
	}
	for { // more than once if another goroutine opens or closes it now
		if c, err = find(k, cfg, keep); c != nil || err != nil {
			return c, false, err
		}
		c = &Conn{k: k, cfg: cfg, dialect: dialect}
		_, err = k.Spawn(session.New(newWire(c, keep).states()...), kernel.Alias(cfg.Alias))
		switch {
		case err == nil:
			return c, true, nil
		case !errors.Is(err, kernel.ErrAliasTaken):
			return nil, false, err
		}
	}
}

// visit is somebody who wants the Conn of an alias, to a place if that is not empty:
// to keep it, or to try whether it can be had.
type visit struct {
	place string
	keep  bool
}

// find asks the session under the alias which connection it keeps. Nil without.
func find(k *kernel.Kernel, cfg Config, keep bool) (*Conn, error) {
	c, there, err := holder(k, cfg.Alias, visit{cfg.place(), keep})
	if err != nil || !there {
		return nil, err
	}
	if c == nil || c.cfg.place() != cfg.place() {
		return nil, fmt.Errorf("backend: Config.Alias %q: %w by something else; choose another", cfg.Alias, kernel.ErrAliasTaken)
	}
	return c, nil
}

// connOf is the connection under an alias, nil if there is none.
func connOf(k *kernel.Kernel, alias string, who visit) (*Conn, error) {
	c, _, err := holder(k, alias, who)
	return c, err
}

// holder is for the connection of whoever has the alias; there says that somebody had it
// when he was asked: a moment later it may be somebody else.
func holder(k *kernel.Kernel, alias string, who visit) (c *Conn, there bool, err error) {
	v, err := k.Call(background, kernel.Address(alias), evWhich.Name(), who)
	switch {
	case err == nil:
		c, _ = v.(*Conn)
		return c, true, nil
	case ended(err) == ErrClosed:
		return nil, false, nil
	case errors.Is(err, kernel.ErrNoHandler) || errors.Is(err, kernel.ErrDeadlock): // it is the caller's own
		return nil, true, nil
	}
	return nil, false, err
}
