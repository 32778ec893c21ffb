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

// A connection's session takes these; the first three and evOver are those of a
// Conn, too.
const (
	evIn    kernel.Event[filter.Frame] = "in"
	evErr   kernel.Event[*wheel.Error] = "error"
	evEnd   kernel.Event[error]        = "end"
	evOut   kernel.Event[[]byte]       = "out" // encoded
	evHurry kernel.Event[struct{}]     = "hurry"
	evBye   kernel.Event[struct{}]     = "bye"
	evOver  kernel.Event[struct{}]     = "over"
)

// client is one connection on the server's side. Nothing that comes over it may
// harm another one.
type client struct {
	srv   *Server
	desk  kernel.Address
	conn  net.Conn
	rw    *wheel.ReadWrite[filter.Frame, []byte]
	name  string // it registered
	heard bool   // a message has come
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
		session.On(evOver, func(c *kernel.Context, _ struct{}) error { c.Stop(); return nil }),
	)
}

func (p *client) start(c *kernel.Context) error {
	f, err := p.srv.codec.filter()
	if err != nil {
		return err
	}
	p.rw, err = wheel.NewReadWrite(c, p.conn, wheel.ReadWriteConfig[filter.Frame, []byte]{
		Filter: f, InputEvent: evIn, ErrorEvent: evErr, CloseEvent: evEnd, MaxOutput: p.srv.cfg.MaxOutput,
	})
	if err == nil {
		evHurry.Delay(c, p.srv.cfg.RegisterTimeout, struct{}{})
	}
	return err
}

// in answers a frame, or passes it to whoever does.
func (p *client) in(c *kernel.Context, f filter.Frame) error {
	if !p.heard {
		p.heard = true
		c.AlarmClear(evHurry.Name())
	}
	switch {
	case f.Name == cmdRegister:
		return p.register(c, f)
	case f.Name == cmdPing:
		return p.answer(c, filter.Frame{Name: evPong, Args: f.Args, ReplyTo: f.ID})
	case f.To != "":
		return p.route(c, f)
	}
	return p.command(c, f)
}

// register names the connection. The desk is called and not posted to, here and
// for routing: a client that floods waits for it, and cannot fill its queue.
func (p *client) register(c *kernel.Context, f filter.Frame) error {
	r, ok := registrationOf(f.Args)
	if !ok {
		return p.refuse(c, f, fmt.Sprintf("register_service wants a name, of UTF-8, of at most %d bytes, and not %q", maxName, Everyone))
	}
	p.name = r.name
	_, _ = evRegister.Call(c, p.desk, r) // a desk that ends takes us along
	return nil
}

func (p *client) route(c *kernel.Context, f filter.Frame) error {
	b, err := p.srv.codec.encode(filter.Frame{Name: f.Name, Args: f.Args, From: p.name})
	if err != nil {
		return p.refuse(c, f, err.Error())
	}
	_, _ = evRoute.Call(c, p.desk, parcel{f.To, b})
	return nil
}

func (p *client) command(c *kernel.Context, f filter.Frame) error {
	to, ok := p.srv.cfg.Commands[f.Name]
	if !ok {
		return p.refuse(c, f, "unknown command")
	}
	r := &Request{Message{Name: f.Name, Args: f.Args, From: p.name}, p.srv, c.Self(), f.ID}
	switch err := c.Post(to, f.Name, r); {
	case errors.Is(err, kernel.ErrQueueFull):
		return p.refuse(c, f, "too many requests; ask later")
	case err != nil:
		return p.refuse(c, f, "nobody to answer this command now")
	}
	return nil
}

func (p *client) refuse(c *kernel.Context, f filter.Frame, text string) error {
	return p.answer(c, filter.Frame{Name: evError, Args: []any{text}, ReplyTo: f.ID})
}

func (p *client) answer(c *kernel.Context, f filter.Frame) error {
	b, err := p.srv.codec.encode(f)
	if err != nil {
		c.Kernel().Report("backend", "answer dropped", err)
		return nil
	}
	return p.out(c, b)
}

// out sends a frame. A client that does not read its messages is dropped.
func (p *client) out(c *kernel.Context, b []byte) error {
	if err := p.rw.Put(b); errors.Is(err, wheel.ErrOutputFull) {
		return p.drop(c, "connection dropped: it does not read its messages", err)
	}
	return nil // or the wheel's last event is on its way
}

func (p *client) trouble(c *kernel.Context, e *wheel.Error) error {
	var refused *filter.FrameError
	switch {
	case errors.As(e, &refused):
		p.report(c, "message refused", e)
		if refused.Frame.ID != 0 {
			return p.refuse(c, refused.Frame, refused.Err.Error())
		}
	case e.Op == "filter":
		p.report(c, "connection closed: what comes are no frames", e)
	}
	return nil
}

func (p *client) hurry(c *kernel.Context, _ struct{}) error {
	return p.drop(c, "connection closed: no message came within RegisterTimeout", errors.New("silent"))
}

func (p *client) drop(c *kernel.Context, cause string, err error) error {
	p.report(c, cause, err)
	p.rw.Close()
	c.Stop()
	return nil
}

func (p *client) report(c *kernel.Context, cause string, err error) {
	c.Kernel().Report("backend", cause, fmt.Errorf("client %q at %v: %w", p.name, p.conn.RemoteAddr(), err))
}

func (p *client) bye(c *kernel.Context, _ struct{}) error {
	p.rw.CloseFlushed()
	evOver.Delay(c, farewell, struct{}{})
	return nil
}
