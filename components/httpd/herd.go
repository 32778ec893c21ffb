package httpd

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"sync"

	"github.com/usher-go/usher/components/prefork"
	"github.com/usher-go/usher/kernel"
)

// herd is what the server of a master has: the workers, who do the work.
type herd struct {
	server   *Server
	cfg      prefork.Config // start changes it
	starting sync.Mutex     // one at a time

	mu     sync.Mutex
	pool   *prefork.Pool
	asked  bool // to end
	paused bool // StopListen
	wanted bool // StartListen, which waits

	forkHandlers map[kernel.Address]string // of the configuration

	toldMu sync.Mutex // apart: asked for while the pool ends
	told   told
}

// told is what workers cannot know that are started later: what has changed since
// the program began. Nil has not; what was made empty is not nil.
type told struct {
	Handlers     []Route                   `json:"handlers,omitzero"`
	ForkHandlers map[kernel.Address]string `json:"fork_handlers,omitzero"`
}

// maxTold is how much of that prefork passes on.
const maxTold = 100 << 10

// preforkConfig puts in the defaults of SimpleHTTP::PreFork (P2–P6).
func (cfg *Config) preforkConfig() (prefork.Config, error) {
	pc := *cfg.Prefork
	switch {
	case len(pc.Listen) > 0:
		return pc, misconfigured("Config.Prefork.Listen", "is %q; put the addresses into Config.Listen", pc.Listen)
	case pc.ReadTimeout != 0:
		return pc, misconfigured("Config.Prefork.ReadTimeout", "is %v; leave it 0, and set Config.IdleTimeout and the like", pc.ReadTimeout)
	case pc.Tell != nil:
		return pc, misconfigured("Config.Prefork.Tell", "is set; leave it to the server")
	case cfg.Alias == poolName(pc):
		return pc, misconfigured("Config.Alias", "is %q, the name of the pool; choose another, or another Config.Prefork.Name", cfg.Alias)
	}
	pc.Listen, pc.ReadTimeout = cfg.Listen, prefork.Unlimited
	normal(&pc.MinSpareServers, 5)
	normal(&pc.MaxSpareServers, 10)
	normal(&pc.StartServers, 10)
	normal(&pc.MaxClients, 256)
	normal(&pc.MaxRequests, prefork.Unlimited)
	normal(&pc.ConnsPerServer, unlimited(cfg.MaxConns))
	normal(&pc.Grace, unlimited(cfg.ShutdownTimeout))
	return pc, nil
}

func normal[N number](v *N, standard N) {
	if *v == 0 {
		*v = standard
	}
}

// unlimited is prefork's word for a limit of Config that fill has made 0.
func unlimited[N number](v N) N {
	if v == 0 {
		return prefork.Unlimited
	}
	return v
}

// newPreforked is New with Config.Prefork. In a worker it does not return.
func newPreforked(in Spawner, cfg Config, compiled *routes) (*Server, error) {
	k, ok := in.(*kernel.Kernel)
	if !ok {
		return nil, misconfigured("Config.Prefork", "is set for a server that a session makes; call New in main, with the kernel")
	}
	pc, err := cfg.preforkConfig()
	if err != nil {
		return nil, err
	}
	if owner, taken := k.Resolve(kernel.Address(cfg.Alias)); taken { // before anything is opened
		return nil, fmt.Errorf("httpd: alias %q: %w by session %v; choose another Config.Alias", cfg.Alias, kernel.ErrAliasTaken, owner)
	}
	h := &herd{cfg: pc, forkHandlers: maps.Clone(pc.ForkHandlers)}
	if text := prefork.Told(poolName(pc)); text != "" {
		if err := json.Unmarshal([]byte(text), &h.told); err != nil {
			return nil, fmt.Errorf("httpd: what the master has told is no JSON: %w; let master and worker be the same program", err)
		}
		h.cfg.ForkHandlers = h.workersCall()
		if h.told.Handlers != nil {
			if compiled, err = compile("SetHandlers: Route", h.told.Handlers); err != nil {
				return nil, err
			}
		}
	}
	h.cfg.Tell = h.text
	h.cfg.Server = func(c *kernel.Context, w *prefork.Worker) error {
		if pc.Server != nil {
			if err := pc.Server(c, w); err != nil {
				return err
			}
		}
		own := cfg
		own.ShutdownTimeout = 0 // the master sees to it
		return newServer(k, own, compiled).work(c, w, h)
	}
	if h.pool, err = h.open(k, h.cfg); err != nil {
		return nil, err
	}
	s := newServer(k, cfg, compiled)
	s.herd, h.server = h, s
	if prefork.IsChild() { // of another pool: this server is none
		s.stage.Store(uint32(isOver))
		s.end()
		return s, nil
	}
	if err := s.spawn(k); err != nil {
		_ = h.pool.Shutdown()
		return nil, err
	}
	go h.watch(h.pool)
	return s, nil
}

func poolName(pc prefork.Config) string {
	if pc.Name == "" {
		return "prefork"
	}
	return pc.Name
}

// open makes a pool.
func (h *herd) open(k *kernel.Kernel, pc prefork.Config) (*prefork.Pool, error) {
	pool, err := prefork.New(k, pc)
	if bad := (*prefork.ConfigError)(nil); errors.As(err, &bad) {
		return nil, fmt.Errorf("httpd: %w: %w", ErrConfig, err)
	}
	return pool, err
}

// watch ends the server when its pool ends, unless that was StopListen.
func (h *herd) watch(p *prefork.Pool) {
	<-p.Done()
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.paused && h.pool == p {
		h.server.finish()
	}
}

// stop ends the workers gracefully, or at once. Without listen the server goes on
// (P27, H86).
func (h *herd) stop(forced, listen bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	over := false
	select {
	case <-h.pool.Done():
		over = true
	default:
	}
	h.paused, h.wanted = !listen, false
	if !h.asked { // a second time would end them at once
		_ = h.pool.Shutdown()
	}
	h.asked = true
	if forced {
		_ = h.pool.Shutdown()
	}
	if listen && over {
		h.server.finish()
	}
}

// start begins again, on the same ports (P27). Meanwhile it holds no lock that a handler
// may want: the old pool's end and the new one's begin need the kernel.
func (h *herd) start() error {
	h.starting.Lock()
	defer h.starting.Unlock()
	h.mu.Lock()
	old, paused := h.pool, h.paused
	h.wanted = paused
	h.mu.Unlock()
	if !paused {
		return nil
	}
	<-old.Done()
	if h.server.now() != isOpen {
		return ErrShutDown
	}
	pc := h.cfg
	pc.Listen = append([]string(nil), pc.Listen...)
	for i, a := range old.Addrs() {
		if _, ok := a.(*net.TCPAddr); ok {
			pc.Listen[i] = "tcp://" + a.String()
		}
	}
	pool, err := h.open(h.server.k, pc)
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.server.now() != isOpen:
		_ = pool.Shutdown()
		return ErrShutDown
	case !h.wanted: // StopListen, while it began
		_ = pool.Shutdown()
	}
	h.paused, h.asked = !h.wanted, !h.wanted
	h.cfg, h.pool = pc, pool
	go h.watch(pool)
	return nil
}

func (h *herd) addrs() []net.Addr {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.pool.Addrs()
}

func (h *herd) listening() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	select {
	case <-h.pool.Done():
		return false
	default:
		return !h.paused
	}
}

// text is what a worker is told.
func (h *herd) text() string {
	h.toldMu.Lock()
	defer h.toldMu.Unlock()
	b, _ := json.Marshal(h.told) // strings only
	return string(b)
}

// tell has workers know something else from the next one on.
func (h *herd) tell(change func(*told)) error {
	h.toldMu.Lock()
	defer h.toldMu.Unlock()
	t := h.told
	change(&t)
	b, err := json.Marshal(t)
	if err != nil {
		return err
	}
	if len(b) > maxTold {
		return misconfigured("SetHandlers, SetForkHandlers", "have %d bytes; want %d at most, as the workers' environment has to hold them", len(b), maxTold)
	}
	h.told = t
	return nil
}

// Pool is that of a master with Config.Prefork; nil of any other server. StartListen
// makes a new one.
func (s *Server) Pool() *prefork.Pool {
	if s.herd == nil {
		return nil
	}
	s.herd.mu.Lock()
	defer s.herd.mu.Unlock()
	return s.herd.pool
}

// ForkHandlers are those that workers started from now on call, or that this worker
// has called: sessions and events (P24). Nil without Config.Prefork.
func (s *Server) ForkHandlers() map[kernel.Address]string {
	h := s.herd
	if s.post != nil {
		h = s.post.herd
	}
	if h == nil {
		return nil
	}
	return maps.Clone(h.workersCall())
}

// workersCall are the fork handlers of a worker that is started now.
func (h *herd) workersCall() map[kernel.Address]string {
	h.toldMu.Lock()
	defer h.toldMu.Unlock()
	if h.told.ForkHandlers != nil {
		return h.told.ForkHandlers
	}
	return h.forkHandlers
}

// SetForkHandlers has workers started from now on call others (P24). ErrConfig for an
// empty name, ErrWorker where no workers are started.
func (s *Server) SetForkHandlers(m map[kernel.Address]string) error {
	if s.herd == nil {
		return ErrWorker
	}
	all := map[kernel.Address]string{}
	for to, event := range m {
		if to == "" || event == "" {
			return misconfigured("SetForkHandlers", "has %q: %q; name a session and an event", to, event)
		}
		all[to] = event
	}
	return s.herd.tell(func(t *told) { t.ForkHandlers = all })
}
