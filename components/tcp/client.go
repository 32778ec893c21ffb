package tcp

import (
	"sync"

	"github.com/usher-go/usher/kernel"
)

// Client is a client's session. Its methods are for any goroutine, and none of
// them waits; in handlers there are events of the same names, too.
type Client struct {
	k    *kernel.Kernel
	self kernel.Address

	mu    sync.Mutex
	state ClientState
}

// ClientState is a glimpse of a client.
type ClientState struct {
	State    string // resting, connecting, connected, shutting down or waiting
	Remote   string // where it connects to
	Attempts uint64 // in all
	Failures uint64
	Connects uint64 // connections that came up
}

// NewClient starts a client: a session that begins to connect when its _start has
// returned (C24, C25), and lives through all reconnects until nothing holds it any
// more (C36). Errors match ErrConfig; or the alias is taken, or Started failed.
func NewClient[In, Out any](s Spawner, cfg ClientConfig[In, Out]) (*Client, error) {
	t, err := cfg.fill()
	if err != nil {
		return nil, err
	}
	cl := newCaller(cfg, t)
	opts := cfg.SessionOptions
	if cfg.Alias != "" {
		opts = append(opts[:len(opts):len(opts)], kernel.Alias(cfg.Alias))
	}
	if _, err := s.Spawn(cl.seat(), opts...); err != nil {
		return nil, err
	}
	return cl.client, nil
}

// Session is the address of the client's session.
func (cl *Client) Session() kernel.Address { return cl.self }

// State returns a glimpse of the client, of its end when it has ended.
func (cl *Client) State() ClientState {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	return cl.state
}

// Shutdown is Conn.Shutdown: what is unsent is sent, then the connection is closed
// (C32); no other follows.
func (cl *Client) Shutdown() { _ = cl.k.Tell(cl.self, Shutdown.Name(), struct{}{}) }

// Reconnect connects anew to the address it connected to last (C35).
func (cl *Client) Reconnect() { _ = cl.k.Tell(cl.self, Reconnect.Name(), struct{}{}) }

// Connect connects to another address, "host:port" or a path, and remembers it.
func (cl *Client) Connect(remote string) { _ = cl.k.Tell(cl.self, Connect.Name(), remote) }
