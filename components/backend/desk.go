package backend

import (
	"fmt"
	"maps"
	"net"
	"slices"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
)

// The server's session takes these.
const (
	evConn        kernel.Event[net.Conn]                   = "connection"
	evTrouble     kernel.Event[*wheel.Error]               = "trouble"
	evRegister    kernel.Event[registration]               = "register" // called; false: there is no room
	evGone        kernel.Event[struct{}]                   = "gone"     // called by a connection that ends
	evRoute       kernel.Event[parcel]                     = "route"    // called by connections, posted by Send
	evCommit      kernel.Event[commission]                 = "commit"   // called
	evOutcome     kernel.Event[outcomeAsk]                 = "outcome"  // called
	evPenalty     kernel.Event[penaltyAsk]                 = "penalty"  // called
	evState       kernel.Event[struct{}]                   = "state"    // called
	evStatus      kernel.Event[struct{}]                   = "status"   // called
	evWatchServer kernel.Event[kernel.Event[ServerChange]] = "watch"    // called
	evDrainAll    kernel.Event[struct{}]                   = "drain"
	evDown        kernel.Event[struct{}]                   = "shutdown"
)

// registration is what register_service brings: the service's name and, from our
// own clients, how often this connection was made anew.
type registration struct {
	name       string
	reconnects int
}

func registrationOf(args []any) (r registration, ok bool) {
	r.reconnects = number(args, 1)
	r.name, ok = serviceName(text(args, 0))
	return r, ok
}

type (
	// parcel is a message for a service, encoded as Protobuf.
	parcel struct {
		to      string
		encoded []byte
	}

	// commission is a transaction to be carried out.
	commission struct {
		id      string
		parcels []parcel
	}

	outcomeAsk struct{ id, token string }

	penaltyAsk struct {
		from              string
		failed, succeeded bool
	}
)

// desk is the server's session: it accepts, and knows who is there.
type desk struct {
	srv      *Server
	reg      *registry
	cards    map[kernel.Address]*card
	gone     []*card // lately
	listen   *wheel.SocketFactory
	refused  int
	lastID   uint64
	draining bool
	down     bool

	penalties  *penalties
	watchers   []serverWatcher
	reconnects int
}

func newDesk(s *Server) *desk {
	return &desk{srv: s, reg: newRegistry(), cards: map[kernel.Address]*card{}, penalties: newPenalties()}
}

func (d *desk) session() *session.Session {
	return session.New(
		session.Handle("_start", d.start),
		session.Handle("_stop", d.stop),
		session.Handle("_child", d.child),
		session.Handle("DIE", d.die),
		session.On(evConn, d.connection),
		session.On(evTrouble, d.trouble),
		session.On(evRegister, d.register),
		session.On(evGone, func(c *kernel.Context, _ struct{}) error { d.reg.remove(c.Sender()); return nil }),
		session.On(evRoute, func(c *kernel.Context, p parcel) error { d.deliver(c, p); return nil }),
		session.On(evCommit, d.commit),
		session.On(evOutcome, d.outcome),
		session.On(evPenalty, d.penalty),
		session.On(evState, d.state),
		session.On(evStatus, d.status),
		session.On(evWatchServer, d.watch),
		session.On(evDrainAll, d.drain),
		session.On(evDown, d.shutdown),
	)
}

func (d *desk) start(c *kernel.Context) error {
	cfg := &d.srv.cfg
	f, err := wheel.NewSocketFactory(c, wheel.SocketFactoryConfig{
		Network: cfg.Network, BindAddress: cfg.Listen, TLS: cfg.TLS, HandshakeTimeout: cfg.HelloTimeout,
		SuccessEvent: evConn, FailureEvent: evTrouble,
	})
	if err != nil {
		return err
	}
	d.listen, d.srv.addr, d.srv.self = f, f.Addr(), c.Self()
	d.srv.outcomes = newOutcomes(newInstance(c), cfg.TxTimeout, c.Now())
	c.Sig("DIE", "DIE")
	c.Kernel().Describe(cfg.Alias, func() any { s, _ := d.srv.State(); return s })
	return nil
}

func (d *desk) stop(c *kernel.Context) error {
	d.unlist(c)
	return nil
}

// unlist takes the server off what shows it.
func (d *desk) unlist(c *kernel.Context) {
	if !d.down {
		d.down = true
		c.Kernel().Describe(d.srv.cfg.Alias, nil)
	}
}

func (d *desk) connection(c *kernel.Context, conn net.Conn) error {
	n := len(d.reg.names)
	if n >= d.srv.cfg.MaxConns || d.draining {
		d.refused++
		if !d.draining {
			c.Kernel().Report("backend", "connection refused: ServerConfig.MaxConns is reached", fmt.Errorf("%d connections", n))
		}
		_ = conn.Close()
		return nil
	}
	d.lastID++
	p := &client{srv: d.srv, desk: c.Self(), conn: conn, card: newCard(d.lastID, conn, c.Now())}
	at, err := c.Spawn(p.session())
	if err != nil {
		_ = conn.Close()
		c.Kernel().Report("backend", "connection dropped", err)
		return nil
	}
	d.cards[at] = p.card
	d.tell(c, Came, p.card)
	return nil
}

func (d *desk) trouble(c *kernel.Context, e *wheel.Error) error {
	c.Kernel().Report("backend", e.Op+" failed", e)
	return nil
}

// child keeps the registry true to the connections' lives.
func (d *desk) child(c *kernel.Context) error {
	conn, _ := c.Arg(1).(kernel.Address)
	switch c.Arg(0) {
	case "create":
		d.reg.add(conn)
	case "lose":
		d.reg.remove(conn)
		if card := d.cards[conn]; card != nil {
			delete(d.cards, conn)
			d.fade(c, card)
		}
		if d.draining && len(d.reg.names) == 0 {
			return d.shutdown(c, struct{}{})
		}
	}
	return nil
}

// die handles a connection's failure: it costs that connection only.
func (d *desk) die(c *kernel.Context) error {
	x, _ := c.Arg(1).(*kernel.Exception)
	if x != nil && x.Session != c.Self() {
		c.Kernel().Report("backend", "connection failed", x)
		c.SigHandled()
		_ = evOver.Post(c, x.Session, struct{}{}) // handled means that it lives on
	}
	return nil
}

func (d *desk) register(c *kernel.Context, r registration) error {
	if !d.reg.has(r.name) && len(d.reg.conns) >= d.srv.cfg.MaxNames {
		c.Return(false)
		return nil
	}
	d.reg.register(c.Sender(), r.name)
	if r.reconnects > 0 {
		d.reconnects++
	}
	if card := d.cards[c.Sender()]; card != nil {
		card.note(func(s *ConnStatus) { s.Name = r.name })
		d.tell(c, Registered, card)
	}
	return nil
}

// deliver posts a message to all it is for but its sender, and counts them.
func (d *desk) deliver(c *kernel.Context, p parcel) (n int) {
	for _, conn := range d.reg.route(p.to) {
		if conn != c.Sender() && evForward.Post(c, conn, p) == nil {
			n++ // else it ends: nobody to send to
		}
	}
	return n
}

// commit delivers a transaction's messages, in one go: nothing comes between.
func (d *desk) commit(c *kernel.Context, t commission) error {
	if d.srv.outcomes.decide(t.id, Committed, c.Now()) != Committed {
		return nil // somebody has been told that it never will be
	}
	counts := make([]any, len(t.parcels))
	for i, p := range t.parcels {
		counts[i] = d.deliver(c, p)
	}
	c.Return(counts)
	return nil
}

func (d *desk) outcome(c *kernel.Context, q outcomeAsk) error {
	c.Return(string(d.srv.outcomes.ask(q.id, q.token, c.Now())))
	return nil
}

func (d *desk) penalty(c *kernel.Context, q penaltyAsk) error {
	switch {
	case q.failed:
		d.penalties.failed(q.from, c.Now())
	case q.succeeded:
		d.penalties.succeeded(q.from)
	}
	c.Return(d.penalties.left(q.from, c.Now()))
	return nil
}

// drain lets clients finish, then shuts down.
func (d *desk) drain(c *kernel.Context, _ struct{}) error {
	if d.draining || d.down {
		return nil
	}
	d.draining = true
	d.listen.Close()
	for _, conn := range d.everybody() {
		_ = evFinish.Post(c, conn, struct{}{})
	}
	if len(d.reg.names) == 0 {
		return d.shutdown(c, struct{}{})
	}
	evDown.Delay(c, d.srv.cfg.DrainTimeout, struct{}{})
	return nil
}

func (d *desk) shutdown(c *kernel.Context, _ struct{}) error {
	if d.down {
		return nil
	}
	c.AlarmClear(evDown.Name())
	d.listen.Close()
	for _, conn := range d.everybody() {
		_ = evBye.Post(c, conn, struct{}{})
	}
	d.unlist(c)
	return c.AliasRemove(d.srv.cfg.Alias)
}

func (d *desk) everybody() []kernel.Address { return slices.Sorted(maps.Keys(d.reg.names)) }
