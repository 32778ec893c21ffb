package backend

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

// The session of a Conn takes these.
const (
	evWhich   kernel.Event[struct{}]     = "which"   // called, by whoever wants the Conn of this alias
	evSubmit  kernel.Event[*outgoing]    = "submit"  // called
	evClose   kernel.Event[struct{}]     = "close"   // called
	evGlimpse kernel.Event[struct{}]     = "glimpse" // called
	evUp      kernel.Event[net.Conn]     = "up"
	evFailed  kernel.Event[*wheel.Error] = "failed"
	evWake    kernel.Event[struct{}]     = "wake"
	evNoPong  kernel.Event[struct{}]     = "no pong"
	evLate    kernel.Event[*outgoing]    = "late"
)

const (
	connectTimeout = 10 * time.Second // for one attempt
	farewell       = 5 * time.Second  // for output that a peer is slow to take, at the end
)

// wire is the session of a Conn: it does what its link decides.
type wire struct {
	conn *Conn
	link *link
	dial *wheel.SocketFactory
	rw   *wheel.ReadWrite[filter.Frame, []byte]
}

func newWire(c *Conn) *wire {
	return &wire{conn: c, link: newLink(c.cfg, func() uint64 { return c.ids.Add(1) }, rand.Float64)}
}

func (w *wire) states() []session.State {
	return []session.State{
		session.Handle("_start", w.start),
		session.Handle("_stop", w.stop),
		session.On(evWhich, func(c *kernel.Context, _ struct{}) error { c.Return(w.conn); return nil }),
		session.On(evSubmit, w.submit),
		session.On(evClose, w.close),
		session.On(evGlimpse, w.glimpse),
		session.On(evUp, w.up),
		session.On(evFailed, w.failed),
		session.On(evIn, w.in),
		session.On(evErr, w.trouble),
		session.On(evEnd, w.end),
		session.On(evOver, func(c *kernel.Context, _ struct{}) error { c.Stop(); return nil }),
		session.On(evWake, func(c *kernel.Context, _ struct{}) error { return w.do(c, w.link.wake()) }),
		session.On(evNoPong, func(c *kernel.Context, _ struct{}) error { return w.do(c, w.link.noPong()) }),
		session.On(evLate, func(c *kernel.Context, o *outgoing) error { return w.do(c, w.link.late(o)) }),
	}
}

func (w *wire) start(c *kernel.Context) error {
	w.conn.self = c.Self()
	if err := w.do(c, []any{doConnect{}}); err != nil {
		return err
	}
	c.Kernel().Describe(w.conn.cfg.Alias, func() any { s, _ := w.conn.State(); return s })
	return nil
}

// stop: with its kernel, or because Close is through.
func (w *wire) stop(c *kernel.Context) error { return w.close(c, struct{}{}) }

func (w *wire) close(c *kernel.Context, _ struct{}) error {
	if w.link.state == shut {
		return nil
	}
	c.Kernel().Describe(w.conn.cfg.Alias, nil)
	_ = c.AliasRemove(w.conn.cfg.Alias) // whoever opens it from now on makes another
	return w.do(c, w.link.close())
}

func (w *wire) submit(c *kernel.Context, o *outgoing) error {
	acts, err := w.link.submit(o, c.Now())
	if err != nil {
		return err
	}
	if o.done != nil {
		o.timer = evLate.DelaySet(c, w.conn.cfg.Timeout, o)
	}
	return w.do(c, acts)
}

func (w *wire) up(c *kernel.Context, conn net.Conn) error {
	w.dial = nil
	f, err := w.conn.codec.filter()
	if err != nil {
		return err
	}
	w.rw, err = wheel.NewReadWrite(c, conn, wheel.ReadWriteConfig[filter.Frame, []byte]{
		Filter: f, InputEvent: evIn, ErrorEvent: evErr, CloseEvent: evEnd,
		MaxOutput: max(16<<20, 4*w.conn.cfg.MaxFrame),
	})
	if err != nil {
		return err
	}
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
	if !answers {
		w.deliver(c, f)
	}
	return w.do(c, acts)
}

func (w *wire) deliver(c *kernel.Context, f filter.Frame) {
	cfg := &w.conn.cfg
	if cfg.Deliver == "" {
		return
	}
	if !cfg.takes(f.Name) {
		c.Kernel().Report("backend", "message dropped: its name is not in Config.Events", fmt.Errorf("message %.64q from %q", f.Name, f.From))
		return
	}
	if err := c.Post(cfg.Deliver, f.Name, Message{Name: f.Name, Args: f.Args, From: f.From}); err != nil {
		c.Kernel().Report("backend", "message dropped: Config.Deliver does not take it", err)
	}
}

func (w *wire) trouble(c *kernel.Context, e *wheel.Error) error {
	var refused *filter.FrameError
	switch {
	case e.Op == "write" && w.link.state == shut:
		c.Stop()
	case e.Op == "write": // its end of input may be far away (B28)
		return w.do(c, w.link.giveUp())
	case errors.As(e, &refused): // the server sent what we cannot read; its request fails now
		c.Kernel().Report("backend", "message refused", fmt.Errorf("from %s: %w", w.address(), e))
		acts, _ := w.link.frame(filter.Frame{Name: evError, Args: []any{refused.Err.Error()}, ReplyTo: refused.Frame.ReplyTo})
		return w.do(c, acts)
	case e.Op == "filter":
		c.Kernel().Report("backend", "connection given up: what comes are no frames", fmt.Errorf("from %s: %w", w.address(), e))
	}
	return nil
}

// end: the wheel is gone, and with it the connection (B26).
func (w *wire) end(c *kernel.Context, _ error) error {
	if w.rw == nil || c.Wheel() != w.rw.ID() {
		return nil // one that was given up before
	}
	w.rw = nil
	if w.link.state == shut {
		c.Stop()
	}
	return w.do(c, w.link.down())
}

func (w *wire) glimpse(c *kernel.Context, _ struct{}) error {
	l := w.link
	c.Return(ConnState{l.state.String(), len(l.queue), len(l.asked), l.calls, l.reconnects})
	return nil
}

func (w *wire) address() string {
	return net.JoinHostPort(w.conn.cfg.Host, strconv.Itoa(w.conn.cfg.Port))
}
