package backend

import (
	"errors"
	"fmt"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

// farewell is for output that a peer is slow to take, at the end.
const farewell = 5 * time.Second

// do performs what the link wants.
func (w *wire) do(c *kernel.Context, acts []any) error {
	for _, a := range acts {
		if err := w.perform(c, a); err != nil {
			return err
		}
	}
	w.link.reuse(acts)
	return nil
}

func (w *wire) perform(c *kernel.Context, a any) error {
	switch a := a.(type) {
	case doConnect:
		return w.connect(c)
	case doGreet:
		return w.sayHello(c)
	case doRegister:
		return w.command(c, filter.Frame{Name: cmdRegister, Args: []any{w.conn.cfg.Name, a.reconnects}})
	case doSend:
		w.send(c, a.out)
	case doPing:
		evNoPong.Delay(c, w.conn.cfg.PingWait, struct{}{})
		return w.command(c, filter.Frame{Name: cmdPing, Args: []any{c.Now()}, ID: a.id})
	case doConsent:
		return w.command(c, filter.Frame{Name: evReply, ReplyTo: a.id})
	case doPingOver:
		c.AlarmClear(evNoPong.Name())
	case doIdle:
		evIdle.Delay(c, a.d, struct{}{})
	case doWait:
		evWake.Delay(c, a.d, struct{}{})
	case doLimit:
		evOverdue.Delay(c, a.d, struct{}{})
	case doAnswer:
		if a.out.done != nil {
			a.out.done(a.reply)
		}
	case doDropped:
		c.Kernel().Report("backend", "message dropped: newer ones took its place", fmt.Errorf("message %.64q", a.out.name))
	case doTell:
		w.tell(c, a)
	case doDisconnect:
		w.hangUp(c)
	case doEnd:
		w.farewell(c)
	default:
		panic(fmt.Sprintf("backend: bug: no way to do %T", a))
	}
	return nil
}

func (w *wire) connect(c *kernel.Context) (err error) {
	cfg := &w.conn.cfg
	w.dial, err = wheel.NewSocketFactory(c, wheel.SocketFactoryConfig{
		Network: cfg.Network, RemoteAddress: cfg.address(), TLS: cfg.TLS, HandshakeTimeout: cfg.ConnectTimeout,
		SuccessEvent: evUp, FailureEvent: evFailed, ConnectTimeout: cfg.ConnectTimeout,
	})
	return err
}

// command sends a frame of ours, which is small.
func (w *wire) command(c *kernel.Context, f filter.Frame) error {
	b, err := w.conn.dialect.encode(f)
	if err != nil {
		return err
	}
	w.send(c, &outgoing{name: f.Name, encoded: b})
	return nil
}

// send writes a message. On a connection that has just ended it is as good as
// sent, and lost: the wheel's last event is on its way. For what others send there is
// room, or it would not be here; one that does not take our frames is given up by its
// ping.
func (w *wire) send(c *kernel.Context, o *outgoing) {
	if w.talk == nil {
		return
	}
	if err := w.talk.Put(o.encoded); errors.Is(err, wheel.ErrOutputFull) {
		c.Kernel().Report("backend", "message dropped: the connection takes no more output", fmt.Errorf("message %.64q: %w", o.name, err))
	}
}

// hangUp drops the connection, or the attempt to make one.
func (w *wire) hangUp(c *kernel.Context) {
	c.AlarmClear(evMute.Name())
	if w.dial != nil {
		w.dial.Close()
		w.dial = nil
	}
	if w.rw != nil {
		w.rw.Close()
		w.rw, w.talk, w.greeting = nil, nil, nil
	}
}

// unlist gives the alias away: nothing more is taken, and whoever opens it from now on
// makes another connection.
func (w *wire) unlist(c *kernel.Context) {
	if w.unlisted {
		return
	}
	w.unlisted = true
	c.Kernel().Describe(w.conn.cfg.Alias, nil)
	_ = c.AliasRemove(w.conn.cfg.Alias)
}

// farewell ends the session once what was sent has left.
func (w *wire) farewell(c *kernel.Context) {
	forget(w.conn)
	w.unlist(c)
	for _, e := range []string{evWake.Name(), evIdle.Name(), evMute.Name(), evClose.Name(), evOverdue.Name()} {
		c.AlarmClear(e)
	}
	if w.talk == nil {
		w.hangUp(c)
		c.Stop()
		return
	}
	w.talk.CloseFlushed()
	evOver.Delay(c, farewell, struct{}{})
}
