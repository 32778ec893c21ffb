//go:build unix

package prefork

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// Pool is a running set of workers, as its master sees it.
type Pool struct {
	k    *kernel.Kernel
	name string
	self kernel.Address

	endpoints []*endpoint
	board     *scoreboard
}

// Stats is a glimpse of a pool.
type Stats struct {
	Workers []WorkerStatus // those that live
	Started int            // processes started so far
	Lost    int            // of them, how many ended without having been asked to
	Letters string         // the scoreboard, one State.Letter per slot
}

// New starts a pool of worker processes.
//
// In the master it opens the listeners, starts the workers when k runs, and
// returns. A listener that cannot be opened is an error before any worker starts
// (P57), a Config that cannot work is a *ConfigError.
//
// In a worker of this pool New does not return: it runs k with the worker's
// session, which calls Config.Server, and ends the process when the worker is
// done. Whatever stands before New in main runs in every process. In a worker of
// another pool New returns a Pool that does nothing.
//
// INT and TERM end the pool in order: workers finish what they have; a second
// signal ends them at once. When the pool is done the signal goes on to the rest
// of the kernel.
func New(k *kernel.Kernel, cfg Config) (*Pool, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	if cfg.Server == nil {
		return nil, &ConfigError{"Server", "nil", "a function that builds the worker's server session"}
	}
	if IsChild() {
		if birth.err == nil && birth.told.name != cfg.Name {
			return &Pool{k: k, name: cfg.Name}, nil
		}
		work(k, cfg)
	}
	addresses, err := cfg.addresses()
	if err != nil {
		return nil, err
	}
	p := &Pool{k: k, name: cfg.Name}
	if p.endpoints, err = openAll(addresses); err != nil {
		return nil, err
	}
	if p.board, err = createScoreboard(cfg.MaxClients); err != nil {
		p.closeEndpoints()
		return nil, err
	}
	m := &master{
		pool: p, cfg: cfg,
		table:   newTable(cfg.limits(), rand.Float64),
		spawner: &spawner{cfg.Name, p.board, p.endpoints},
		crew:    map[int]*hand{},
	}
	p.self, err = k.Spawn(session.New(m.states()...), kernel.Alias(cfg.Name))
	if err != nil {
		p.closeEndpoints()
		return nil, err
	}
	k.Describe(cfg.Name, func() any { s, _ := p.Stats(); return s })
	return p, nil
}

// Addrs are the addresses the pool listens on, in the order of Config.Listen.
func (p *Pool) Addrs() []net.Addr {
	var all []net.Addr
	for _, e := range p.endpoints {
		all = append(all, e.addr)
	}
	return all
}

// Stats returns a glimpse of the pool; kernel.ErrNoSession when it has ended.
func (p *Pool) Stats() (Stats, error) {
	v, err := p.k.Call(context.Background(), p.self, evStats.Name())
	if err != nil {
		return Stats{}, err
	}
	return v.(Stats), nil
}

// Shutdown asks every worker to finish and ends the pool when they have; those
// that do not within Config.Grace are killed. A second call kills them at once.
// It does not wait.
func (p *Pool) Shutdown() error {
	err := evShutdown.PostFrom(p.k, p.self, struct{}{})
	if errors.Is(err, kernel.ErrNoSession) {
		return nil // it has ended
	}
	return err
}

func (p *Pool) closeEndpoints() {
	for _, e := range p.endpoints {
		_ = e.close()
	}
}
