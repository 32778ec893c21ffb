package wheel

import (
	"context"
	"crypto/tls"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/usher-go/usher/kernel"
)

// dialer is one attempt to connect. It waits on a goroutine, or, over a network
// that calls back, on none.
type dialer struct {
	src     *kernel.Source
	cfg     *SocketFactoryConfig
	network kernel.Network
	ctx     context.Context
	cancel  context.CancelFunc
	tls     *handshake // nil: a plain connection

	mu      sync.Mutex
	conn    net.Conn
	err     *Error
	started bool
	over    bool // there is an outcome, or nobody wants one
	cleanup []func()
}

func newDialer(network kernel.Network, src *kernel.Source, cfg *SocketFactoryConfig) *dialer {
	d := &dialer{src: src, cfg: cfg, network: network}
	d.ctx, d.cancel = context.WithCancel(kernel.WithLocalAddress(context.Background(), cfg.BindAddress))
	if cfg.TLS != nil {
		d.tls = newHandshake(cfg, tls.Client)
	}
	return d
}

// start may be called again. The time for the attempt counts from here.
func (d *dialer) start() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.started || d.over {
		return
	}
	d.started = true
	if limit := d.cfg.ConnectTimeout; limit > 0 {
		stop := d.src.Kernel().AfterFunc(limit, d.tooLate)
		d.cleanup = append(d.cleanup, func() { stop() })
	}
	if async, ok := d.network.(kernel.AsyncNetwork); ok {
		d.cleanup = append(d.cleanup, async.DialAsync(d.ctx, d.cfg.Network, d.cfg.RemoteAddress, d.dialled))
		return
	}
	ctx, cancel := d.ctx, context.CancelFunc(func() {})
	if limit := d.cfg.ConnectTimeout; limit > 0 {
		// So that a silent address of several does not get all of it; net.Dialer
		// shares it out. It is tooLate that ends the attempt, and mostly before this.
		ctx, cancel = context.WithDeadline(ctx, time.Now().Add(limit).Add(limit/4))
	}
	go func() {
		defer cancel()
		conn, err := d.network.Dial(ctx, d.cfg.Network, d.cfg.RemoteAddress)
		if err != nil && ctx.Err() == context.DeadlineExceeded {
			d.tooLate()
			return
		}
		d.dialled(conn, err)
	}()
}

func (d *dialer) dialled(conn net.Conn, err error) {
	if err != nil || d.tls == nil {
		d.tell("connect", conn, err)
		return
	}
	go func() {
		secure, err := d.tls.do(conn)
		d.tell("handshake", secure, err)
	}()
}

// tell keeps the first outcome for the owner.
func (d *dialer) tell(op string, conn net.Conn, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.over:
		if conn != nil {
			_ = conn.Close()
		}
		return
	case err != nil:
		d.err = &Error{Op: op, Err: err, Wheel: d.src.ID()}
	default:
		d.conn = conn
	}
	d.over = true
	d.src.Wake()
}

// tooLate ends an attempt that took ConnectTimeout.
func (d *dialer) tooLate() {
	d.tell("connect", nil, &net.OpError{Op: "dial", Net: d.cfg.Network, Err: errConnectTimeout})
	d.giveUp()
}

// timeoutError names the limit that was passed. It is a net.Error whose Timeout is
// true, and matches syscall.ETIMEDOUT (C29), context.DeadlineExceeded and
// os.ErrDeadlineExceeded.
type timeoutError string

const (
	errConnectTimeout   timeoutError = "ConnectTimeout"
	errHandshakeTimeout timeoutError = "HandshakeTimeout"
)

func (e timeoutError) Error() string { return string(e) + " passed" }
func (timeoutError) Timeout() bool   { return true }
func (timeoutError) Temporary() bool { return true }
func (timeoutError) Is(target error) bool {
	return target == context.DeadlineExceeded || target == os.ErrDeadlineExceeded || target == syscall.ETIMEDOUT
}

// take returns the outcome once; nil and nil before there is one.
func (d *dialer) take() (net.Conn, *Error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	conn, err := d.conn, d.err
	d.conn, d.err = nil, nil
	return conn, err
}

func (d *dialer) giveUp() {
	d.cancel()
	if d.tls != nil {
		d.tls.cancel()
	}
	d.mu.Lock()
	cleanup := d.cleanup
	d.cleanup = nil
	d.mu.Unlock()
	for _, f := range cleanup {
		f()
	}
}

// stop gives the attempt up, and closes a connection that nobody took.
func (d *dialer) stop() {
	d.giveUp()
	d.mu.Lock()
	conn := d.conn
	d.conn, d.over = nil, true
	d.mu.Unlock()
	if conn != nil {
		_ = conn.Close()
	}
}
