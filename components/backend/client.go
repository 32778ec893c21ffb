package backend

import (
	"errors"
	"fmt"
	"net"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

// A connection's session, on the server's side, takes these.
const (
	evIn    kernel.Event[filter.Frame] = "in"
	evOut   kernel.Event[filter.Frame] = "out"
	evErr   kernel.Event[*wheel.Error] = "error"
	evEnd   kernel.Event[error]        = "end"
	evHurry kernel.Event[struct{}]     = "hurry"
	evBye   kernel.Event[struct{}]     = "bye"
)

// Request is a command that a client sent. Whoever gets it answers once, from
// any goroutine; a request without an answer leaves its client to its timeout.
type Request struct {
	Message
	k    *kernel.Kernel
	conn kernel.Address
	id   uint64
}

// Wanted reports whether the client waits for an answer.
func (r *Request) Wanted() bool { return r.id != 0 }

// Reply answers with values; an error says that the client is gone, or that a
// value has no form on the wire.
func (r *Request) Reply(args ...any) error {
	return r.answer(filter.Frame{Name: evReply, Args: args})
}

// Fail answers with an error, which reaches the client as a *RemoteError.
func (r *Request) Fail(text string) error {
	return r.answer(filter.Frame{Name: evError, Args: []any{text}})
}

func (r *Request) answer(f filter.Frame) error {
	if r.id == 0 {
		return nil
	}
	if err := checkArgs(f.Args); err != nil {
		return err
	}
	f.ReplyTo = r.id
	return ended(evOut.PostFrom(r.k, r.conn, f))
}

// client is one connection on the server's side.
type client struct {
	srv  *Server
	desk kernel.Address
	conn net.Conn
	rw   *wheel.ReadWrite[filter.Frame, filter.Frame]
}

func newClient(s *Server, desk kernel.Address, conn net.Conn) *client {
	return &client{srv: s, desk: desk, conn: conn}
}

func (p *client) session() *session.Session {
	return session.New(
		session.Handle("_start", p.start),
		session.On(evIn, p.in),
		session.On(evOut, p.out),
		session.On(evErr, p.trouble),
		session.On(evEnd, func(c *kernel.Context, _ error) error { c.Stop(); return nil }),
		session.On(evHurry, p.hurry),
		session.On(evBye, p.bye),
	)
}

func (p *client) start(c *kernel.Context) error {
	f, err := filter.NewEvent(filter.EventConfig{MaxFrame: p.srv.cfg.MaxFrame})
	if err != nil {
		return err
	}
	p.rw, err = wheel.NewReadWrite(c, p.conn, wheel.ReadWriteConfig[filter.Frame, filter.Frame]{
		Filter: f, InputEvent: evIn, ErrorEvent: evErr, CloseEvent: evEnd,
	})
	if err == nil {
		evHurry.Delay(c, p.srv.cfg.RegisterTimeout, struct{}{})
	}
	return err
}

// in answers a frame, or passes it to whoever does.
func (p *client) in(c *kernel.Context, f filter.Frame) error {
	c.AlarmClear(evHurry.Name())
	switch {
	case f.Name == cmdRegister:
		r, ok := registrationOf(f.Args)
		if !ok {
			return p.refuse(c, f, "register_service wants a name")
		}
		return evRegister.Post(c, p.desk, r)
	case f.Name == cmdPing:
		return p.out(c, filter.Frame{Name: evPong, Args: f.Args, ReplyTo: f.ID})
	case f.To != "":
		return evRoute.Post(c, p.desk, f)
	}
	to, ok := p.srv.cfg.Commands[f.Name]
	if !ok {
		return p.refuse(c, f, "unknown command")
	}
	r := &Request{Message{Name: f.Name, Args: f.Args}, c.Kernel(), c.Self(), f.ID}
	if c.Post(to, f.Name, r) != nil {
		return p.refuse(c, f, "nobody to answer this command now")
	}
	return nil
}

// registration is what register_service brings: the service's name and, from our
// own clients, how often this connection was made anew.
type registration struct {
	name       string
	reconnects int
}

func registrationOf(args []any) (r registration, ok bool) {
	if len(args) > 0 {
		r.name, _ = args[0].(string)
	}
	if len(args) > 1 {
		r.reconnects, _ = args[1].(int)
	}
	return r, r.name != ""
}

func (p *client) refuse(c *kernel.Context, f filter.Frame, text string) error {
	return p.out(c, filter.Frame{Name: evError, Args: []any{text}, ReplyTo: f.ID})
}

// out sends a frame. A client that does not read its messages is dropped.
func (p *client) out(c *kernel.Context, f filter.Frame) error {
	if err := p.rw.Put(f); err != nil {
		c.Kernel().Report("backend", "connection dropped: it does not take its messages", err)
		p.rw.Close()
		c.Stop()
	}
	return nil
}

func (p *client) trouble(c *kernel.Context, e *wheel.Error) error {
	var refused *filter.FrameError
	switch {
	case errors.As(e, &refused):
		c.Kernel().Report("backend", "message refused", fmt.Errorf("from %v: %w", p.conn.RemoteAddr(), e))
		if refused.Frame.ID != 0 {
			return p.refuse(c, refused.Frame, refused.Err.Error())
		}
	case e.Op == "filter":
		c.Kernel().Report("backend", "connection closed: it does not speak our frames", fmt.Errorf("from %v: %w", p.conn.RemoteAddr(), e))
	}
	return nil
}

func (p *client) hurry(c *kernel.Context, _ struct{}) error {
	c.Kernel().Report("backend", "connection closed: nothing complete came within RegisterTimeout", fmt.Errorf("from %v", p.conn.RemoteAddr()))
	p.rw.Close()
	c.Stop()
	return nil
}

func (p *client) bye(*kernel.Context, struct{}) error {
	p.rw.CloseFlushed()
	return nil
}
