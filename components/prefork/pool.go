//go:build unix

package prefork

import (
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/usher-go/usher/kernel"
)

// Pool is a running set of workers, as its master sees it. Its methods may be
// called from any goroutine. Reload and Upgrade wait, the others do not block.
type Pool struct {
	k    *kernel.Kernel
	name string
	self kernel.Address

	endpoints []*endpoint
	board     *scoreboard
	born      time.Time
	view      atomic.Pointer[view] // what the master's session lets others see

	started, lost, slow atomic.Int64
	ended               atomic.Bool
	over                chan struct{} // closed when its session has ended
}

// New starts a pool of worker processes. It belongs in main, before k runs.
//
// In the master it opens the listeners, which looks up host names and may block
// for that, and returns; the workers start when k runs. A listener that cannot be
// opened is a *ListenError before any worker starts (P57), a Config that cannot
// work is a *ConfigError, a Name in use matches kernel.ErrAliasTaken, a PIDFile in
// use ErrPIDFile, a simulated kernel, or none, kernel.ErrArgument.
//
// In a worker of this pool New does not return: it runs k with the worker's
// session, which calls Config.Server, and ends the process when the worker is
// done. Whatever stands before New in main runs in every process. In a worker of
// another pool New returns a Pool without addresses that does nothing.
//
// The master watches signals, as the package's documentation lists. INT and TERM
// end the pool in order: workers finish what they have; a second signal ends them at
// once. When the pool is done the signal goes on to the rest
// of the kernel, so that sessions which watch it hear of it twice.
//
// When workers fail to start, over and over, or their processes cannot be
// created, the pool ends with an exception of its session: k.Run returns an
// error that matches ErrGaveUp or ErrSpawn.
func New(k *kernel.Kernel, cfg Config) (*Pool, error) { return newPool(k, cfg, nil) }

// newPool lets tests change what no Config says.
func newPool(k *kernel.Kernel, cfg Config, change func(*limits)) (*Pool, error) {
	switch {
	case k == nil:
		return nil, fmt.Errorf("prefork: %w: New's first argument is nil; want a *kernel.Kernel", kernel.ErrArgument)
	case k.Mode() == kernel.Simulated:
		return nil, fmt.Errorf("prefork: %w: kernel.Config.Mode is simulated; real processes need Parallel or Serial", kernel.ErrArgument)
	}
	cfg, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	if cfg.Server == nil {
		return nil, &ConfigError{"Server", "nil", "a function that builds the worker's server session"}
	}
	if IsChild() {
		if birth.err == nil && birth.told.name != cfg.Name {
			return notOurs(k, cfg.Name), nil
		}
		work(k, cfg)
	}
	from := handedOver.inheritedBy(cfg.Name)
	if err := (&pidFile{path: cfg.PIDFile, takeOver: from != nil}).free(); err != nil {
		return nil, err
	}
	addresses, err := cfg.addresses()
	if err != nil {
		return nil, err
	}
	p := &Pool{k: k, name: cfg.Name, born: k.Now(), over: make(chan struct{})}
	if p.endpoints, err = from.open(addresses); err != nil {
		return nil, err
	}
	if p.board, err = createScoreboard(cfg.MaxClients + cfg.surplus()); err != nil {
		p.closeEndpoints()
		return nil, err
	}
	l := cfg.limits()
	p.view.Store(&view{generation: 1, limits: l})
	if change != nil {
		change(&l)
	}
	m, err := newMaster(p, cfg, l, from)
	if err == nil {
		p.self, err = k.Spawn(m.session(), kernel.Alias(cfg.Name))
	}
	if err != nil {
		p.closeEndpoints()
		_ = p.board.close()
		return nil, err
	}
	k.Describe(cfg.Name, func() any { s, _ := p.Status(); return s })
	return p, nil
}

// notOurs is a pool in a worker of another one.
func notOurs(k *kernel.Kernel, name string) *Pool {
	p := &Pool{k: k, name: name, over: make(chan struct{})}
	p.ended.Store(true)
	close(p.over)
	return p
}

// Addrs are the addresses the pool listens on, in the order of Config.Listen.
func (p *Pool) Addrs() []net.Addr {
	var all []net.Addr
	for _, e := range p.endpoints {
		all = append(all, e.addr)
	}
	return all
}

// Shutdown asks every worker to finish and ends the pool when they have; those
// that do not within Config.Grace are killed. A second call kills them at once; one
// beside a signal does not. It does not wait. A pool that has ended is no error.
func (p *Pool) Shutdown() error {
	if p.ended.Load() {
		return nil
	}
	err := evShutdown.PostFrom(p.k, p.self, struct{}{})
	if errors.Is(err, kernel.ErrNoSession) || errors.Is(err, kernel.ErrStopped) {
		return nil
	}
	return err
}

func (p *Pool) closeEndpoints() {
	for _, e := range p.endpoints {
		_ = e.close()
	}
}
