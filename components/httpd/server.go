package httpd

import (
	"context"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/usher-go/usher/kernel"
)

// Spawner is where a server is made: a *kernel.Kernel or, in a handler, the
// *kernel.Context, whose session becomes its parent.
type Spawner interface {
	Spawn(r kernel.Receiver, opts ...kernel.SpawnOption) (kernel.Address, error)
}

var (
	_ Spawner = (*kernel.Kernel)(nil)
	_ Spawner = (*kernel.Context)(nil)
)

// Server is an HTTP server. Its methods are for any goroutine; Shutdown waits.
type Server struct {
	k      *kernel.Kernel
	cfg    Config
	http   *http.Server
	routes atomic.Pointer[routes]
	log    *accessLog
	self   kernel.Address
	lease  *kernel.Lease
	seats  chan struct{} // Config.MaxConns
	herd   *herd         // of a master: its workers
	post   *post         // of a worker
	born   time.Time

	recent  recent
	current atomic.Pointer[current] // of one process, while somebody may want to see it

	over context.Context // ends when no request and no connection is left
	end  context.CancelFunc

	requests atomic.Int64 // under way
	served   atomic.Uint64
	refused  atomic.Uint64
	accepted atomic.Uint64

	stage atomic.Uint32 // a stage; the lock is held to change it

	mu      sync.Mutex
	serving bool // evServe came: the kernel runs
	doors   []*door
	conns   map[ConnectionID]*conn
}

// New opens the addresses and makes the server's session. Requests are served
// once the kernel runs; until then clients wait. The session lives until Shutdown,
// also while nothing is listened on (H86). Errors match ErrConfig, or say why an
// address cannot be opened or the alias not be had; then nothing is left open.
//
// A simulated kernel cannot have one: net/http works with goroutines and the real
// clock.
func New(in Spawner, cfg Config) (*Server, error) {
	k, _ := in.(*kernel.Kernel)
	if c, ok := in.(*kernel.Context); ok && c != nil {
		k = c.Kernel()
	}
	switch {
	case k == nil:
		return nil, misconfigured("New's first argument", "is a %T, of another kind or nil; want a *kernel.Kernel or a *kernel.Context", in)
	case k.Mode() == kernel.Simulated:
		return nil, misconfigured("kernel.Config.Mode", "is simulated; a server needs Parallel or Serial")
	}
	compiled, err := cfg.fill()
	if err != nil {
		return nil, err
	}
	if cfg.Prefork != nil {
		return newPreforked(in, cfg, compiled)
	}
	s := newServer(k, cfg, compiled)
	if cfg.MaxConns > 0 {
		s.seats = make(chan struct{}, cfg.MaxConns)
	}
	if err := s.openAll(); err != nil {
		return nil, err
	}
	if err := s.spawn(in); err != nil {
		return nil, err
	}
	s.inherit()
	return s, nil
}

func newServer(k *kernel.Kernel, cfg Config, compiled *routes) *Server {
	s := &Server{k: k, cfg: cfg, conns: map[ConnectionID]*conn{}, born: time.Now()}
	s.routes.Store(compiled)
	s.log = newAccessLog(k, cfg.AccessLog, cfg.AccessLogFormat)
	s.over, s.end = context.WithCancel(context.Background())
	s.http = s.newHTTP()
	return s
}

// spawn makes the session, or leaves nothing open.
func (s *Server) spawn(in Spawner) error {
	var opts []kernel.SpawnOption
	if s.cfg.Alias != "" {
		opts = append(opts, kernel.Alias(s.cfg.Alias))
	}
	if _, err := in.Spawn(s.session(), opts...); err != nil {
		s.closeDoors()
		return err
	}
	s.k.Describe(s.name(), func() any { return s.Stats() })
	return nil
}

// newHTTP is what speaks HTTP.
func (s *Server) newHTTP() *http.Server {
	h := &http.Server{
		Handler:                      http.HandlerFunc(s.serve),
		TLSConfig:                    s.cfg.TLS,
		ReadHeaderTimeout:            s.cfg.ReadHeaderTimeout,
		IdleTimeout:                  s.cfg.IdleTimeout,
		MaxHeaderBytes:               s.cfg.MaxHeader,
		ConnState:                    connState,
		ConnContext:                  withConn,
		ErrorLog:                     s.errorLog(),
		DisableGeneralOptionsHandler: true, // "OPTIONS *" is a request like any other, for the logs
	}
	h.SetKeepAlivesEnabled(s.cfg.KeepAlive)
	return h
}

func (s *Server) name() string {
	if s.cfg.Alias != "" {
		return "httpd " + s.cfg.Alias
	}
	return "httpd " + string(s.self)
}

// Session is the address of the server's session (H14).
func (s *Server) Session() kernel.Address { return s.self }

// Addrs are the addresses, in the order of Config.Listen and then
// Config.Listeners, with the ports that were chosen (H3), also while they are not
// listened on.
func (s *Server) Addrs() []net.Addr {
	if s.herd != nil {
		return s.herd.addrs()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []net.Addr
	for _, d := range s.doors {
		all = append(all, d.addr)
	}
	return all
}

// Handlers returns a copy of the routes (H26).
func (s *Server) Handlers() []Route {
	return append([]Route(nil), s.routes.Load().list...)
}

// SetHandlers has other routes from the next request on. ErrConfig, and no change,
// if they cannot work (H19). In a master it is workers started from then on that
// have them; a worker refuses with ErrWorker (P25).
func (s *Server) SetHandlers(list []Route) error {
	if s.post != nil {
		return ErrWorker
	}
	r, err := compile("SetHandlers: Route", list)
	if err == nil && s.herd != nil {
		err = s.herd.tell(func(t *told) { t.Handlers = append([]Route{}, r.list...) })
	}
	if err == nil {
		s.routes.Store(r)
	}
	return err
}

// Stats is a glimpse of a server, or of one worker of it; kernel.Kernel.Describe shows
// it, too. That of a master is empty but for the addresses: see Server.Pool.
type Stats struct {
	Addresses   []string
	Listening   bool
	Connections int    // now
	Requests    int    // under way
	Accepted    uint64 // connections, ever
	Served      uint64 // requests that reached the server, ever
	Refused     uint64 // what was no proper request, ever
}

// Stats returns a glimpse of the server.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := Stats{Connections: len(s.conns), Requests: int(s.requests.Load()),
		Accepted: s.accepted.Load(), Served: s.served.Load(), Refused: s.refused.Load()}
	for _, d := range s.doors {
		st.Addresses = append(st.Addresses, d.addr.String())
		st.Listening = st.Listening || d.ln != nil
	}
	switch {
	case s.post != nil:
		st.Listening = s.now() == isOpen && !s.post.paused.Load()
	case s.herd != nil:
		st.Listening = s.herd.listening()
		for _, a := range s.herd.addrs() {
			st.Addresses = append(st.Addresses, a.String())
		}
	}
	return st
}
