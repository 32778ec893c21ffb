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
	c, _, err := open(k, cfg)
	return c, err
}

// Connect is Open for a goroutine that wants to be sure: it waits for the answer
// to a ping, until ctx ends. When that fails, a connection that it made is closed
// and not kept (B5). In a handler use Open.
func Connect(ctx context.Context, k *kernel.Kernel, cfg Config) (*Conn, error) {
	c, made, err := open(k, cfg)
	if err != nil {
		return nil, err
	}
	if err := c.Ping(ctx); err != nil {
		if made {
			c.Close()
		}
		return nil, err
	}
	return c, nil
}

func open(k *kernel.Kernel, cfg Config) (c *Conn, made bool, err error) {
	if cfg, err = cfg.complete(os.Getpid()); err != nil {
		return nil, false, err
	}
	codec, err := newCodec(cfg.MaxFrame)
	if err != nil {
		return nil, false, err
	}
	for { // more than once if another goroutine opens or closes it now
		if c, err = find(k, cfg); c != nil || err != nil {
			return c, false, err
		}
		c = &Conn{k: k, cfg: cfg, codec: codec}
		_, err = k.Spawn(session.New(newWire(c).states()...), kernel.Alias(cfg.Alias))
		switch {
		case err == nil:
			return c, true, nil
		case !errors.Is(err, kernel.ErrAliasTaken):
			return nil, false, err
		}
	}
}

// find asks the session under the alias which connection it keeps. Nil without.
func find(k *kernel.Kernel, cfg Config) (*Conn, error) {
	v, err := k.Call(context.Background(), kernel.Address(cfg.Alias), evWhich.Name())
	if ended(err) == ErrClosed {
		return nil, nil
	}
	if err != nil && !errors.Is(err, kernel.ErrNoHandler) {
		return nil, err
	}
	c, _ := v.(*Conn)
	if c == nil || c.cfg.Host != cfg.Host || c.cfg.Port != cfg.Port {
		return nil, fmt.Errorf("backend: Config.Alias %q: %w by something else; choose another", cfg.Alias, kernel.ErrAliasTaken)
	}
	return c, nil
}
