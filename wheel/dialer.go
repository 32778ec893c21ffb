package wheel

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/usher-go/usher/kernel"
)

// dialer is one attempt to connect, and the goroutine that waits for it.
type dialer struct {
	dial   func(context.Context) (net.Conn, error)
	src    *kernel.Source
	ctx    context.Context
	cancel context.CancelFunc

	mu      sync.Mutex
	conn    net.Conn
	err     error
	started bool
	stopped bool
}

func newDialer(network kernel.Network, cfg *SocketFactoryConfig) *dialer {
	d := &dialer{dial: func(ctx context.Context) (net.Conn, error) {
		return network.Dial(ctx, cfg.Network, cfg.RemoteAddress)
	}}
	ctx := kernel.WithLocalAddress(context.Background(), cfg.BindAddress)
	d.ctx, d.cancel = context.WithCancel(ctx)
	if cfg.ConnectTimeout > 0 {
		d.dial = within(cfg.ConnectTimeout, d.dial)
	}
	return d
}

// within limits dial; the time counts from the attempt, not from the constructor.
func within(limit time.Duration, dial func(context.Context) (net.Conn, error)) func(context.Context) (net.Conn, error) {
	return func(ctx context.Context) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		return dial(ctx)
	}
}

func (d *dialer) start() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.started && !d.stopped {
		d.started = true
		go d.run()
	}
}

func (d *dialer) run() {
	conn, err := d.dial(d.ctx)
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case !d.stopped:
		d.conn, d.err = conn, err
		d.src.Wake()
	case conn != nil:
		_ = conn.Close()
	}
}

// take returns the outcome once; nil and nil before there is one.
func (d *dialer) take() (net.Conn, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	conn, err := d.conn, d.err
	d.conn, d.err = nil, nil
	return conn, err
}

// stop gives the attempt up, and closes a connection that nobody took.
func (d *dialer) stop() {
	d.cancel()
	d.mu.Lock()
	conn := d.conn
	d.conn, d.stopped = nil, true
	d.mu.Unlock()
	if conn != nil {
		_ = conn.Close()
	}
}
