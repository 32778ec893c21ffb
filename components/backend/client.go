package backend

import (
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

// A connection's session takes these; evIn to evEnd, evHello, evMute and evOver
// are those of a Conn, too.
const (
	evIn       kernel.Event[filter.Frame] = "in"
	evErr      kernel.Event[*wheel.Error] = "error"
	evEnd      kernel.Event[error]        = "end"
	evOut      kernel.Event[[]byte]       = "out"    // in the connection's own dialect
	evForward  kernel.Event[parcel]       = "parcel" // in Protobuf
	evAnswered kernel.Event[[]byte]       = "answered"
	evDrained  kernel.Event[struct{}]     = "drained"
	evJudged   kernel.Event[judgement]    = "judged"
	evHurry    kernel.Event[struct{}]     = "hurry"
	evExpire   kernel.Event[struct{}]     = "expire"
	evFinish   kernel.Event[struct{}]     = "finish" // the server drains
	evBye      kernel.Event[struct{}]     = "bye"
	evOver     kernel.Event[struct{}]     = "over"
	evStop     kernel.Event[struct{}]     = "stop"
)

// client is one connection on the server's side. Nothing that comes over it may
// harm another one.
type client struct {
	srv      *Server
	desk     kernel.Address
	conn     net.Conn
	card     *card
	greeting *wheel.ReadWrite[[]byte, []byte]
	greet    *serverGreeting
	judging  func() // ends the asking of ServerConfig.Auth

	serializer Serializer
	dialect    dialect
	rw         *wheel.ReadWrite[filter.Frame, []byte]
	identity   Identity
	name       string // it registered
	heard      bool   // a message has come
	book       *book
	queued     int // bytes that wait, as the server was told
	asked      int // requests that are not answered
	finishing  bool
	consents   bool // it knows that, and sends nothing new
	pinged     time.Time
	strikes    int // pings that came too early
	leaving    bool
}

func (p *client) session() *session.Session {
	return session.New(
		session.Handle("_start", p.start),
		session.Handle("_stop", p.stop),
		session.On(evHello, p.hello),
		session.On(evMute, p.mute),
		session.On(evJudged, p.judged),
		session.On(evIn, p.in),
		session.On(evOut, p.out),
		session.On(evForward, p.forward),
		session.On(evAnswered, p.answered),
		session.On(evDrained, func(*kernel.Context, struct{}) error { p.count(); return nil }),
		session.On(evErr, p.trouble),
		session.On(evEnd, func(c *kernel.Context, _ error) error { return p.leave(c) }),
		session.On(evHurry, p.hurry),
		session.On(evExpire, p.expire),
		session.On(evFinish, p.finish),
		session.On(evBye, p.bye),
		session.On(evOver, func(c *kernel.Context, _ struct{}) error { return p.leave(c) }),
		session.On(evStop, func(c *kernel.Context, _ struct{}) error { c.Stop(); return nil }),
	)
}

// stop: what was begun is rolled back, by being forgotten.
func (p *client) stop(c *kernel.Context) error {
	if p.judging != nil {
		p.judging()
	}
	p.srv.queued.Add(-int64(p.queued))
	return nil
}

// in answers a frame, or passes it to whoever does.
func (p *client) in(c *kernel.Context, f filter.Frame) error {
	if !p.heard {
		p.heard = true
		c.AlarmClear(evHurry.Name())
	}
	live := LiveActive
	err := error(nil)
	switch {
	case f.To != "": // whatever its name
		err = p.route(c, f)
	case f.Name == cmdPing:
		live, err = LivePing, p.ping(c, f)
	case f.Name == cmdRegister:
		err = p.register(c, f)
	case f.Name == cmdClient:
		err = p.toSession(c, f)
	case isTx(f.Name):
		err = p.transact(c, f)
	case p.finishing && !p.consents && f.ReplyTo == drainID:
		p.consents = true
		p.finished(c)
	case p.srv.cfg.Commands[f.Name] != "":
		err = p.command(c, f)
	default:
		live, err = LiveUnknown, p.refuse(c, f, "unknown command", "")
	}
	p.card.said(live, p.asked, c.Now())
	return err
}

// ping answers, unless pings come much faster than they should.
func (p *client) ping(c *kernel.Context, f filter.Frame) error {
	least, now := p.srv.cfg.MinPing, c.Now()
	if p.serializer != Storable && !p.pinged.IsZero() && now.Sub(p.pinged) < least/2 {
		if p.strikes++; p.strikes > maxStrikes {
			return p.drop(c, "connection closed: it pings too often", fmt.Errorf("ServerConfig.MinPing is %v", least))
		}
	}
	if !p.pinged.IsZero() {
		every := now.Sub(p.pinged)
		p.card.note(func(s *ConnStatus) { s.PingEvery = every })
	}
	p.pinged = now
	return p.answer(c, filter.Frame{Name: evPong, Args: f.Args, ReplyTo: f.ID})
}

const maxStrikes = 3

// register names the connection. The desk is called and not posted to, here and
// for routing: a client that floods waits for it, and cannot fill its queue.
func (p *client) register(c *kernel.Context, f filter.Frame) error {
	r, ok := registrationOf(f.Args)
	switch {
	case !ok:
		return p.refuse(c, f, fmt.Sprintf("register_service wants a name, of UTF-8, of at most %d bytes, and not %q", maxName, Everyone), "")
	case !p.allowed(Register, r.name):
		return p.refuse(c, f, fmt.Sprintf("you may not register %.64q", r.name), codeDenied)
	}
	switch v, err := evRegister.Call(c, p.desk, r); {
	case err != nil:
		return nil // a desk that ends takes us along
	case v == false:
		return p.refuse(c, f, "too many service names; see ServerConfig.MaxNames", codeLimit)
	}
	p.name = r.name
	p.card.note(func(s *ConnStatus) { s.Name = r.name })
	return nil
}

func (p *client) allowed(what Action, name string) bool {
	allow := p.srv.cfg.Allow
	return allow == nil || allow(p.identity, what, name)
}

// maySend is what Allow says to a To.
func (p *client) maySend(to string) error {
	what := SendTo
	if to == Everyone {
		what = Broadcast
	}
	if !p.allowed(what, to) {
		return &txError{fmt.Sprintf("you may not send to %.64q", to), codeDenied}
	}
	return nil
}

// parcelOf makes what others get of a message.
func (p *client) parcelOf(name, to string, args []any) (parcel, error) {
	if low, ok := serviceName(to); ok {
		to = low
	} else if to != Everyone {
		return parcel{}, &txError{fmt.Sprintf("%.64q is no service name", to), ""}
	}
	if reserved(name) {
		return parcel{}, &txError{fmt.Sprintf("messages of the name %q are the server's own", name), codeDenied}
	}
	if err := p.maySend(to); err != nil {
		return parcel{}, err
	}
	b, err := p.srv.wire.encode(filter.Frame{Name: name, Args: args, From: p.name})
	return parcel{to, b}, err
}

func (p *client) route(c *kernel.Context, f filter.Frame) error {
	parcel, err := p.parcelOf(f.Name, f.To, f.Args)
	if err != nil {
		return p.refuseErr(c, f, err)
	}
	_, _ = evRoute.Call(c, p.desk, parcel)
	return nil
}

func (p *client) command(c *kernel.Context, f filter.Frame) error {
	r := &Request{
		Message: Message{Name: f.Name, Args: f.Args, From: p.name}, Identity: p.identity,
		srv: p.srv, dialect: p.dialect, conn: c.Self(), id: f.ID,
	}
	switch err := c.Post(p.srv.cfg.Commands[f.Name], f.Name, r); {
	case errors.Is(err, kernel.ErrQueueFull):
		return p.refuse(c, f, "too many requests; ask later", codeLimit)
	case err != nil:
		return p.refuse(c, f, "nobody to answer this command now", "")
	}
	if f.ID != 0 {
		p.asked++
	}
	return nil
}

// refuseErr tells the client what it did wrong, in its own words if that is what
// they are for.
func (p *client) refuseErr(c *kernel.Context, f filter.Frame, err error) error {
	var t *txError
	if errors.As(err, &t) {
		return p.refuse(c, f, t.text, t.code)
	}
	return p.refuse(c, f, err.Error(), "")
}

func (p *client) refuse(c *kernel.Context, f filter.Frame, text, code string) error {
	return p.answer(c, filter.Frame{Name: evError, Args: []any{text, code}, ReplyTo: f.ID})
}

func (p *client) answer(c *kernel.Context, f filter.Frame) error {
	b, err := p.dialect.encode(f)
	if err != nil {
		c.Kernel().Report("backend", "answer dropped", err)
		return nil
	}
	return p.out(c, b)
}
