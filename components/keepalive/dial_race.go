package keepalive

import (
	"context"
	"net"
	"time"

	"github.com/usher-go/usher/kernel"
)

// nextAfter is how long an address has to itself before the next one is tried
// beside it (RFC 8305, 8: Connection Attempt Delay).
const nextAfter = 250 * time.Millisecond

// race connects to the first of several addresses that answers, as RFC 8305 (5) has
// it: one after the other, each 250 ms after the one before, or as soon as one has
// failed; the first to connect wins, and the others are given up. When all fail, the
// error is that of the first address.
type race struct {
	*dialer
	ctx     context.Context
	cancel  context.CancelFunc
	network string
	left    []string // not tried yet
	tries   []func() // cancel each; nil when it has ended
	running int
	next    func() bool // stops the clock for the next address
	err     error       // of the first
	done    func(*kernel.Context, net.Conn, error)
	over    bool
}

// race begins one, to at least one address. done is called once, in a turn.
func (d *dialer) race(ctx context.Context, network string, addrs []string, done func(*kernel.Context, net.Conn, error)) *race {
	r := &race{dialer: d, network: network, left: addrs, done: done, next: func() bool { return false }}
	r.ctx, r.cancel = context.WithCancel(ctx)
	r.try()
	return r
}

// try begins the next address.
func (r *race) try() {
	i, addr := len(r.tries), r.left[0]
	r.left = r.left[1:]
	r.running++
	r.tries = append(r.tries, nil)
	r.tries[i] = r.reach(r.ctx, r.network, addr, func(c *kernel.Context, conn net.Conn, err error) {
		r.tries[i] = nil
		r.running--
		if i == 0 {
			r.err = err
		}
		r.ended(c, conn)
	})
	if len(r.left) > 0 {
		r.next = r.after(nextAfter, func(*kernel.Context) {
			if len(r.left) > 0 && len(r.tries) == i+1 {
				r.try()
			}
		})
	}
}

// ended is the end of one address; conn is nil when it has failed.
func (r *race) ended(c *kernel.Context, conn net.Conn) {
	switch {
	case r.over && conn != nil:
		hangUp(conn)
	case r.over:
	case conn != nil:
		r.over = true
		r.quit()
		r.done(c, conn, nil)
	case len(r.left) > 0:
		r.next()
		r.try()
	case r.running == 0:
		r.over = true
		r.cancel()
		r.done(c, nil, r.err)
	}
}

// quit gives up what is under way. One may have connected all the same: then it has
// won.
func (r *race) quit() {
	r.next()
	r.left = nil
	for _, cancel := range r.tries {
		if cancel != nil {
			cancel()
		}
	}
	r.cancel()
}

// reach connects to one address. done is called once, in a turn, also after cancel.
// Over a network that calls back it takes no goroutine.
func (d *dialer) reach(ctx context.Context, network, addr string, done func(*kernel.Context, net.Conn, error)) (cancel func()) {
	told := false
	answer := func(conn net.Conn, err error) {
		d.put(word{conn: conn, take: func(c *kernel.Context) {
			switch {
			case !told:
				told = true
				done(c, conn, err)
			case conn != nil: // it crossed its cancel
				hangUp(conn)
			}
		}})
	}
	if async, ok := d.network.(kernel.AsyncNetwork); ok {
		cancel := async.DialAsync(ctx, network, addr, answer)
		return func() {
			cancel()
			answer(nil, errAborted)
		}
	}
	go func() { answer(d.network.Dial(ctx, network, addr)) }()
	return func() {} // what ends the wait is the context's end
}
