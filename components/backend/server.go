package backend

import (
	"context"
	"fmt"
	"net"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel/filter"
)

// Server is a backend server: a session that listens, with a child session for
// each connection.
type Server struct {
	k     *kernel.Kernel
	cfg   ServerConfig
	codec codec
	self  kernel.Address // set by _start, like addr
	addr  net.Addr
}

// ServerState is a glimpse of a server.
type ServerState struct {
	Connections int
	Refused     int
	Reconnects  int            // clients that came back after their connection broke
	Services    map[string]int // connections by service name
}

// NewServer starts a server. It listens when NewServer returns; a failure to
// listen, and a Config that cannot work, are errors.
func NewServer(k *kernel.Kernel, cfg ServerConfig) (*Server, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	codec, err := newCodec(cfg.MaxFrame)
	if err != nil {
		return nil, err
	}
	s := &Server{k: k, cfg: cfg, codec: codec}
	if _, err := k.Spawn(newDesk(s).session(), kernel.Alias(cfg.Alias)); err != nil {
		return nil, err
	}
	return s, nil
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
	b, err := s.codec.encode(filter.Frame{Name: m.Name, Args: m.Args, From: m.From})
	if err != nil {
		return err
	}
	return ended(evRoute.PostFrom(s.k, s.self, parcel{m.To, b}))
}

// State returns a glimpse of the server, ErrClosed when it has ended.
func (s *Server) State() (ServerState, error) {
	v, err := s.k.Call(context.Background(), s.self, evState.Name())
	if err != nil {
		return ServerState{}, ended(err)
	}
	return v.(ServerState), nil
}

// Shutdown closes the listener, and every connection when its output is sent,
// after five seconds at the latest. It does not wait.
func (s *Server) Shutdown() { _ = evDown.PostFrom(s.k, s.self, struct{}{}) }
