package tcp

import (
	"fmt"
	"math/rand/v2"
	"net"
	"syscall"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel"
)

// caller is a client's session: it does what its link decides.
type caller[In, Out any] struct {
	cfg    ClientConfig[In, Out]
	terms  *terms[In, Out]
	client *Client
	conn   *Conn[In, Out]
	link   link
	remote string
	dial   *wheel.SocketFactory
	state  ClientState
	name   string // in Describe
}

func newCaller[In, Out any](cfg ClientConfig[In, Out], t *terms[In, Out]) *caller[In, Out] {
	cl := &caller[In, Out]{cfg: cfg, terms: t, client: new(Client), remote: cfg.RemoteAddress}
	cl.conn = &Conn[In, Out]{terms: t, role: cl}
	cl.link = link{policy: cfg.Reconnect, state: waiting} // for the first attempt
	return cl
}

func (cl *caller[In, Out]) seat() *seat[In, Out] {
	r := cl.terms.rows()
	stop := r["_stop"]
	for event, h := range map[string]func(*kernel.Context) error{
		"_start":         cl.start,
		evTimeout.Name(): cl.late,
		evWake.Name():    func(c *kernel.Context) error { return cl.do(c, cl.link.wake()) },
		Reconnect.Name(): cl.connect,
		Connect.Name():   cl.connectTo,
	} {
		r[event] = func(c *kernel.Context, _ *Conn[In, Out]) error { return h(c) }
	}
	r[evUp.Name()] = typed(func(c *kernel.Context, _ *Conn[In, Out], nc net.Conn) error { return cl.up(c, nc) })
	r[evFailed.Name()] = typed(func(c *kernel.Context, _ *Conn[In, Out], e *wheel.Error) error { return cl.failed(c, e) })
	r["_stop"] = func(c *kernel.Context, conn *Conn[In, Out]) error {
		c.Kernel().Describe(cl.name, nil)
		cl.rest()
		defer cl.rest() // whatever Disconnected has asked for
		return stop(c, conn)
	}
	r.add(cl.cfg.States)
	return &seat[In, Out]{conn: cl.conn, rows: r}
}

func (cl *caller[In, Out]) start(c *kernel.Context) error {
	cl.conn.self = c.Self()
	cl.client.k, cl.client.self = c.Kernel(), c.Self()
	chance := cl.cfg.Reconnect.Source
	if chance == nil {
		chance = c.Kernel().Chance(string(c.Self()))
	}
	cl.link.chance = rand.New(chance).Float64
	if cl.cfg.Started != nil {
		if err := cl.cfg.Started(c, cl.conn); err != nil {
			return err
		}
	}
	cl.name = describe(c, "tcp client", cl.cfg.Alias)
	c.Kernel().Describe(cl.name, func() any { return cl.client.State() })
	cl.publish()
	return evWake.Yield(c, struct{}{})
}

func (cl *caller[In, Out]) connect(c *kernel.Context) error {
	cl.conn.asked = false
	return cl.do(c, cl.link.connect())
}

func (cl *caller[In, Out]) connectTo(c *kernel.Context) error {
	remote, err := kernel.Payload[string](c)
	if err != nil {
		return err
	}
	if remote != "" {
		cl.remote = remote
	}
	return cl.connect(c)
}

// do carries out what the link decided.
func (cl *caller[In, Out]) do(c *kernel.Context, list []linkAct) error {
	defer cl.publish()
	for _, a := range list {
		switch a.verb {
		case setAlias:
			if err := cl.setAlias(c); err != nil {
				c.Kernel().Report("tcp", "client goes on without its alias", err)
			}
		case dropAlias:
			if cl.cfg.Alias != "" {
				_ = c.AliasRemove(cl.cfg.Alias) // gone before
			}
		case dial:
			if cl.link.state == connecting { // unless Disconnected has asked for something else
				cl.stopDial(c) // or has begun this already
				cl.startDial(c)
			}
		case stopDial:
			cl.stopDial(c)
		case hangUp:
			cl.conn.hangUp(nil)
			if err := cl.conn.settle(c); err != nil {
				return err
			}
		case flush:
			cl.conn.leave()
		case sleep:
			evWake.Delay(c, a.wait, struct{}{})
		case stopSleep:
			c.AlarmClear(evWake.Name())
		}
	}
	return nil
}

func (cl *caller[In, Out]) setAlias(c *kernel.Context) error {
	if cl.cfg.Alias == "" {
		return nil
	}
	return c.AliasSet(cl.cfg.Alias)
}

func (cl *caller[In, Out]) startDial(c *kernel.Context) {
	f, err := wheel.NewSocketFactory(c, wheel.SocketFactoryConfig{
		Network: cl.cfg.Network, RemoteAddress: cl.remote, BindAddress: cl.cfg.BindAddress,
		TLS: cl.cfg.TLS, SuccessEvent: evUp, FailureEvent: evFailed,
	})
	cl.state.Attempts++
	if err != nil { // an address that Connect brought and the wheel makes nothing of
		evFailed.Delay(c, 0, &wheel.Error{Op: "connect", Err: err})
		return
	}
	cl.dial = f
	if d := cl.cfg.ConnectTimeout; d > 0 {
		evTimeout.Delay(c, d, struct{}{})
	}
}

func (cl *caller[In, Out]) stopDial(c *kernel.Context) {
	if cl.dial != nil {
		cl.dial.Close()
	}
	cl.dialed(c)
}

// dialed: the attempt is over, one way or the other.
func (cl *caller[In, Out]) dialed(c *kernel.Context) {
	cl.dial = nil
	c.AlarmClear(evTimeout.Name())
	c.AlarmClear(evFailed.Name())
}

func (cl *caller[In, Out]) late(c *kernel.Context) error {
	if cl.dial == nil {
		return nil
	}
	e := &wheel.Error{Op: "connect", Err: syscall.ETIMEDOUT, Wheel: cl.dial.ID()}
	cl.dial.Close()
	return cl.failed(c, e)
}

// failed decides what is next before it tells, so that the callback can overrule
// it (C28).
func (cl *caller[In, Out]) failed(c *kernel.Context, e *wheel.Error) error {
	cl.dialed(c)
	cl.state.Failures++
	if err := cl.do(c, cl.link.failed()); err != nil {
		return err
	}
	if cl.terms.connectError != nil {
		return cl.terms.connectError(c, cl.conn, e)
	}
	c.Kernel().Report("tcp", "no connection", fmt.Errorf("client %v to %s: %w", c.Self(), cl.remote, e))
	return nil
}

func (cl *caller[In, Out]) up(c *kernel.Context, nc net.Conn) error {
	cl.dialed(c)
	if cl.cfg.PreConnect != nil {
		var err error
		if nc, err = cl.preConnect(c, nc); nc == nil || err != nil {
			return cl.unwanted(c, err)
		}
	}
	cl.state.Connects++
	cl.link.up(c.Now())
	cl.publish()
	err := cl.conn.attach(c, nc)
	if cl.conn.phase == none && cl.link.state == linked { // without a wheel
		cl.link.refuse()
		_ = nc.Close()
	}
	return err
}

// preConnect closes a connection that does not pass, also when the callback panics.
func (cl *caller[In, Out]) preConnect(c *kernel.Context, own net.Conn) (nc net.Conn, err error) {
	defer func() {
		if nc == nil || err != nil {
			_ = own.Close()
		}
	}()
	return cl.cfg.PreConnect(c, own)
}

// unwanted is a connection that PreConnect did not let pass.
func (cl *caller[In, Out]) unwanted(c *kernel.Context, err error) error {
	if err != nil {
		return cl.failed(c, &wheel.Error{Op: "preconnect", Err: err})
	}
	cl.link.refuse()
	cl.publish()
	return nil
}

var _ role = (*caller[string, string])(nil)

// settled has the link know what a handler asked of the connection, and its end.
func (cl *caller[In, Out]) settled(c *kernel.Context, ended bool) error {
	var list []linkAct
	if cl.conn.asked {
		cl.conn.asked = false
		list = cl.link.shutdown()
	}
	if ended {
		list = append(list, cl.link.lost(c.Now(), cl.conn.records)...)
	}
	if list == nil && !ended {
		return nil
	}
	return cl.do(c, list)
}

// rest is for a session that stops.
func (cl *caller[In, Out]) rest() {
	cl.link.state = resting
	cl.publish()
}

// publish has others see the state.
func (cl *caller[In, Out]) publish() {
	cl.state.State, cl.state.Remote = cl.link.state.String(), cl.remote
	cl.client.mu.Lock()
	cl.client.state = cl.state
	cl.client.mu.Unlock()
}
