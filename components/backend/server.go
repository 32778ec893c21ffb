package backend

import (
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"syscall"

	"github.com/usher-go/usher/components/internal/socketfile"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel/filter"
)

// Server is a backend server: a session that listens, with a child session for
// each connection.
type Server struct {
	k        *kernel.Kernel
	cfg      ServerConfig
	wire     events // what messages are kept in on their way
	dialects map[Serializer]dialect
	queued   atomic.Int64   // bytes that wait for clients
	self     kernel.Address // set by _start, like addr and outcomes
	addr     net.Addr
	outcomes *outcomes // the desk's; connections ask it for tokens only
}

// NewServer starts a server. It listens when NewServer returns, in the place of a
// socket file that a killed server has left. A failure to listen, and a Config that
// cannot work, are errors: one that matches ErrArgument for a Listen that others than
// this machine reach without having to say who they are.
func NewServer(k *kernel.Kernel, cfg ServerConfig) (*Server, error) {
	if err := wanted(k); err != nil {
		return nil, err
	}
	cfg, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	s := &Server{k: k, cfg: cfg, dialects: map[Serializer]dialect{}}
	if s.wire, err = newEvents(cfg.MaxFrame + headroom); err != nil {
		return nil, err
	}
	for _, name := range cfg.Serializers {
		if s.dialects[name], err = newDialect(name, cfg.MaxFrame, false); err != nil {
			return nil, err
		}
	}
	if err := s.start(); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Server) start() error {
	start := func() error {
		_, err := s.k.Spawn(newDesk(s).session(), kernel.Alias(s.cfg.Alias))
		return err
	}
	err := start()
	if s.cfg.Network != "unix" || !errors.Is(err, syscall.EADDRINUSE) {
		return err
	}
	if why := socketfile.RemoveStale(s.cfg.Listen); why != nil {
		return fmt.Errorf("backend: ServerConfig.Listen %q: %w; choose another path: %w", s.cfg.Listen, why, err)
	}
	return start()
}

// Addr is where the server listens.
func (s *Server) Addr() net.Addr { return s.addr }

// Send passes a message on, from any goroutine: to the connections registered
// under m.To, or to all with Everyone. Nobody there is no error (B33). Errors
// match ErrArgument, kernel.ErrNotEncodable, filter.ErrTooLong and ErrClosed.
func (s *Server) Send(m Message) error {
	if m.To == "" {
		return fmt.Errorf("%w: Message.To is empty; want a service name or Everyone", ErrArgument)
	}
	if reserved(m.Name) {
		return fmt.Errorf("%w: Message.Name %q is the server's own; choose another", ErrArgument, m.Name)
	}
	b, err := s.wire.encode(filter.Frame{Name: m.Name, Args: m.Args, From: m.From})
	if err != nil {
		return err
	}
	return ended(evRoute.PostFrom(s.k, s.self, parcel{m.To, b}))
}

// Drain closes the listener and tells clients, which end what they have begun, say
// that nothing new follows, and go elsewhere; then, or after
// ServerConfig.DrainTimeout, it is Shutdown. It does not wait.
func (s *Server) Drain() { _ = evDrainAll.PostFrom(s.k, s.self, struct{}{}) }

// Shutdown closes the listener, and every connection when its output is sent,
// after five seconds at the latest. It does not wait.
func (s *Server) Shutdown() { _ = evDown.PostFrom(s.k, s.self, struct{}{}) }
