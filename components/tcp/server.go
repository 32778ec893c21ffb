package tcp

import (
	"net"
	"sync"
	"time"

	"github.com/usher-go/usher/kernel"
)

// Spawner is where a server or a client is made: a *kernel.Kernel or, in a
// handler, the *kernel.Context, whose session becomes its parent.
type Spawner interface {
	Spawn(r kernel.Receiver, opts ...kernel.SpawnOption) (kernel.Address, error)
}

var (
	_ Spawner = (*kernel.Kernel)(nil)
	_ Spawner = (*kernel.Context)(nil)
)

// Server is a server's session. Its methods are for any goroutine, and none of
// them waits; in handlers there are events of the same names, too.
type Server struct {
	k    *kernel.Kernel
	self kernel.Address
	addr net.Addr

	mu    sync.Mutex
	state ServerState
}

// ServerState is a glimpse of a server.
type ServerState struct {
	Address     string
	Listening   bool
	Concurrency int  // the limit; NoLimit without one
	Paused      bool // the limit is reached: clients wait
	Connections int
	Accepted    uint64
	Refused     uint64 // by PreConnect, by the Acceptor, or because they failed as they began
	Failed      uint64 // by a handler that failed
}

// NewServer starts a server: a session that listens when NewServer returns, with a
// child session for each connection (C1, C6). It lives until Shutdown and the end
// of its last connection. Errors match ErrConfig, or wheel.ErrConfig; or it cannot
// listen (a *wheel.Error with Op "listen"), the alias is taken, or Started failed.
func NewServer[In, Out any](s Spawner, cfg ServerConfig[In, Out]) (*Server, error) {
	t, err := cfg.fill()
	if err != nil {
		return nil, err
	}
	l := newListener(cfg, t)
	var opts []kernel.SpawnOption
	if cfg.Alias != "" {
		opts = append(opts, kernel.Alias(cfg.Alias))
	}
	if _, err := s.Spawn(l.session(), opts...); err != nil {
		return nil, err
	}
	return l.server, nil
}

// Session is the address of the server's session.
func (s *Server) Session() kernel.Address { return s.self }

// Addr is where the server listens, with the port that was chosen, also when it
// does not any more.
func (s *Server) Addr() net.Addr { return s.addr }

// State returns a glimpse of the server, of its end when it has ended.
func (s *Server) State() ServerState {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

// Shutdown stops listening; connections go on (C15). The alias goes at once.
func (s *Server) Shutdown() { _ = Shutdown.PostFrom(s.k, s.self, struct{}{}) }

// Drain is Shutdown, has ClientDrain told to every connection, and shuts down those
// that are left after a time.
func (s *Server) Drain(within time.Duration) { _ = Drain.PostFrom(s.k, s.self, within) }

// SetConcurrency changes the limit (C18): NoLimit, 0 for nobody, or more. Those who
// are connected stay.
func (s *Server) SetConcurrency(n int) { _ = SetConcurrency.PostFrom(s.k, s.self, n) }
