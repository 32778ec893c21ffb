package backend

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

// The session of a Conn takes these; evSubmit and evGlimpse are called.
const (
	evSubmit  kernel.Event[*outgoing]    = "submit"
	evClose   kernel.Event[struct{}]     = "close"
	evGlimpse kernel.Event[struct{}]     = "glimpse"
	evUp      kernel.Event[net.Conn]     = "up"
	evFailed  kernel.Event[*wheel.Error] = "failed"
	evWake    kernel.Event[struct{}]     = "wake"
	evNoPong  kernel.Event[struct{}]     = "no pong"
	evLate    kernel.Event[*outgoing]    = "late"
)

// wire is the session of a Conn: it does what its link decides.
type wire struct {
	conn  *Conn
	key   connKey
	link  *link
	dial  *wheel.SocketFactory
	rw    *wheel.ReadWrite[filter.Frame, filter.Frame]
	timer map[*outgoing]kernel.TimerID
}

func newWire(c *Conn, key connKey) *wire {
	return &wire{conn: c, key: key, link: newLink(c.cfg, rand.Float64), timer: map[*outgoing]kernel.TimerID{}}
}

func (w *wire) states() []session.State {
	return []session.State{
		session.Handle("_start", w.start),
		session.Handle("_stop", w.stop),
		session.On(evSubmit, w.submit),
		session.On(evClose, w.close),
		session.On(evGlimpse, w.glimpse),
		session.On(evUp, w.up),
		session.On(evFailed, w.failed),
		session.On(evIn, w.in),
		session.On(evErr, w.trouble),
		session.On(evEnd, w.end),
		session.On(evWake, func(c *kernel.Context, _ struct{}) error { return w.do(c, w.link.wake()) }),
		session.On(evNoPong, func(c *kernel.Context, _ struct{}) error { return w.do(c, w.link.noPong()) }),
		session.On(evLate, func(c *kernel.Context, o *outgoing) error {
			delete(w.timer, o)
			return w.do(c, w.link.late(o))
		}),
	}
}

func (w *wire) start(c *kernel.Context) error {
	open.Lock()
	if open.conns == nil {
		open.conns = map[connKey]*Conn{}
	}
	open.conns[w.key] = w.conn
	open.Unlock()
	name := w.conn.cfg.Alias
	c.Kernel().Describe(name, func() any { s, _ := w.conn.State(); return s })
	return w.do(c, []any{doConnect{}})
}

func (w *wire) stop(c *kernel.Context) error {
	open.Lock()
	if open.conns[w.key] == w.conn {
		delete(open.conns, w.key)
	}
	open.Unlock()
	c.Kernel().Describe(w.conn.cfg.Alias, nil)
	return w.do(c, w.link.close())
}

func (w *wire) submit(c *kernel.Context, o *outgoing) error {
	acts, err := w.link.submit(o, c.Now())
	if err != nil {
		return err
	}
	if o.done != nil {
		w.timer[o] = evLate.DelaySet(c, w.conn.cfg.Timeout, o)
	}
	return w.do(c, acts)
}

func (w *wire) up(c *kernel.Context, conn net.Conn) error {
	w.dial = nil
	rw, err := wheel.NewReadWrite(c, conn, wheel.ReadWriteConfig[filter.Frame, filter.Frame]{
		Filter: filter.Event(), InputEvent: evIn, ErrorEvent: evErr, CloseEvent: evEnd,
	})
	if err != nil {
		return err
	}
	w.rw = rw
	return w.do(c, w.link.up(c.Now()))
}

func (w *wire) failed(c *kernel.Context, e *wheel.Error) error {
	c.Kernel().Report("backend", "no connection to "+w.address(), e)
	w.dial = nil
	return w.do(c, w.link.down())
}

// in takes a frame: an answer, or a message from the server or another client.
func (w *wire) in(c *kernel.Context, f filter.Frame) error {
	acts, answers := w.link.frame(f)
	if to := w.conn.cfg.Deliver; !answers && to != "" {
		if err := c.Post(to, f.Name, Message{Name: f.Name, Args: f.Args, From: f.From}); err != nil {
			c.Kernel().Report("backend", "message dropped: nobody at Config.Deliver", err)
		}
	}
	return w.do(c, acts)
}

func (w *wire) trouble(c *kernel.Context, e *wheel.Error) error {
	var refused *filter.FrameError
	if errors.As(e, &refused) { // the server sent what we cannot read; its request fails now
		f := refused.Frame
		acts, _ := w.link.frame(filter.Frame{Name: evError, Args: []any{refused.Err.Error()}, ReplyTo: f.ReplyTo})
		return w.do(c, acts)
	}
	return nil
}

// end: the wheel is gone, and with it the connection (B26).
func (w *wire) end(c *kernel.Context, _ error) error {
	if c.Wheel() != w.wheel() {
		return nil // one that was given up before
	}
	w.rw = nil
	return w.do(c, w.link.down())
}

func (w *wire) wheel() kernel.WheelID {
	if w.rw == nil {
		return 0
	}
	return w.rw.ID()
}

func (w *wire) close(c *kernel.Context, _ struct{}) error {
	c.Stop()
	return nil
}

func (w *wire) glimpse(c *kernel.Context, _ struct{}) error {
	l := w.link
	c.Return(ConnState{l.state.String(), len(l.queue), len(l.asked), l.calls, l.reconnects})
	return nil
}

func (w *wire) address() string {
	return net.JoinHostPort(w.conn.cfg.Host, strconv.Itoa(w.conn.cfg.Port))
}

// do performs what the link wants.
func (w *wire) do(c *kernel.Context, acts []any) error {
	for _, a := range acts {
		if err := w.perform(c, a); err != nil {
			return err
		}
	}
	return nil
}

func (w *wire) perform(c *kernel.Context, a any) error {
	switch a := a.(type) {
	case doConnect:
		var err error
		w.dial, err = wheel.NewSocketFactory(c, wheel.SocketFactoryConfig{
			RemoteAddress: w.address(), SuccessEvent: evUp, FailureEvent: evFailed, ConnectTimeout: 10 * time.Second,
		})
		return err
	case doSend:
		return w.put(c, a.frame)
	case doPing:
		evNoPong.Delay(c, w.conn.cfg.PingWait, struct{}{})
		return w.put(c, a.frame)
	case doPingOver:
		c.AlarmClear(evNoPong.Name())
	case doWait:
		evWake.Delay(c, a.d, struct{}{})
	case doAnswer:
		if a.out.done != nil {
			if id, ok := w.timer[a.out]; ok {
				delete(w.timer, a.out)
				_, _ = c.AlarmRemove(id)
			}
			a.out.done(a.reply)
		}
	case doDisconnect:
		if w.dial != nil {
			w.dial.Close()
			w.dial = nil
		}
		if w.rw != nil {
			w.rw.Close()
			w.rw = nil
		}
	}
	return nil
}

// put writes a frame. A connection that takes no more counts as lost.
func (w *wire) put(c *kernel.Context, f filter.Frame) error {
	if w.rw == nil {
		return nil // lost by an earlier action of the same list; its requests failed then
	}
	if err := w.rw.Put(f); err != nil {
		c.Kernel().Report("backend", "connection given up: it takes no more output", err)
		w.rw.Close()
		w.rw = nil
		return w.do(c, w.link.down())
	}
	return nil
}
