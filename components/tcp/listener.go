package tcp

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
)

// listener is a server's session.
type listener[In, Out any] struct {
	cfg    ServerConfig[In, Out]
	terms  *terms[In, Out]
	rows   rows[In, Out] // of the connections' sessions
	server *Server
	gate   gate
	state  ServerState

	factory  *wheel.SocketFactory
	conns    map[kernel.Address]*Conn[In, Out]
	failed   []kernel.Address // the last that have ended after a failure: their DIE may come later
	drained  bool
	until    time.Time      // of Drain …
	deadline kernel.TimerID // … and its timer, while anybody is left
	name     string         // in Describe
}

// mostFailed bounds how many of its failed connections a listener remembers.
const mostFailed = 4096

func newListener[In, Out any](cfg ServerConfig[In, Out], t *terms[In, Out]) *listener[In, Out] {
	l := &listener[In, Out]{cfg: cfg, terms: t, server: new(Server), rows: t.rows(), conns: map[kernel.Address]*Conn[In, Out]{}}
	l.rows["_start"] = l.begin
	l.rows.add(cfg.ClientStates)
	return l
}

func (l *listener[In, Out]) session() *session.Session {
	states := []session.State{
		session.Handle("_start", l.start),
		session.Handle("_stop", l.stop),
		session.Handle("_child", l.child),
		session.Handle(evDie, l.die),
		session.On(evConn, l.accepted),
		session.On(evTrouble, l.trouble),
		session.On(evEnd, l.end),
		session.On(evDeadline, l.late),
		session.On(Shutdown, func(c *kernel.Context, _ struct{}) error { l.shutdown(c); return nil }),
		session.On(Drain, l.drain),
		session.On(SetConcurrency, l.setConcurrency),
	}
	if l.cfg.Acceptor != nil {
		states = append(states, session.On(Disconnected, l.disconnected))
	}
	return session.New(states...)
}

func (l *listener[In, Out]) start(c *kernel.Context) error {
	f, err := wheel.NewSocketFactory(c, wheel.SocketFactoryConfig{
		Network: l.cfg.Network, BindAddress: l.cfg.Address, Listener: l.cfg.Listener,
		TLS: l.cfg.TLS, HandshakeTimeout: l.cfg.HandshakeTimeout,
		Lean:         l.cfg.Acceptor == nil && l.cfg.ClientPreConnect == nil, // who may want a *net.TCPConn
		SuccessEvent: evConn, FailureEvent: evTrouble, CloseEvent: evEnd,
	})
	if err != nil {
		return err
	}
	l.factory = f
	s := l.server
	s.k, s.self, s.addr = c.Kernel(), c.Self(), f.Addr()
	l.state.Address, l.state.Listening = s.addr.String(), true
	c.Sig("DIE", evDie)
	l.move(l.gate.allow(l.cfg.Concurrency))
	if l.cfg.Started != nil {
		if err := l.cfg.Started(c); err != nil {
			return err
		}
	}
	l.name = describe(c, "tcp server", l.cfg.Alias)
	c.Kernel().Describe(l.name, func() any { return s.State() })
	return nil
}

// describe names a session in Describe: other sessions may have its alias later.
func describe(c *kernel.Context, kind, alias string) string {
	if alias == "" {
		alias = kind
	}
	return fmt.Sprintf("%s %v", alias, c.Self())
}

func (l *listener[In, Out]) stop(c *kernel.Context) error {
	l.gate.down = true
	l.publish()
	c.Kernel().Describe(l.name, nil)
	if l.cfg.Stopped == nil {
		return nil
	}
	return l.cfg.Stopped(c)
}

// accepted makes a connection's session, or leaves it to the Acceptor.
func (l *listener[In, Out]) accepted(c *kernel.Context, nc net.Conn) error {
	l.state.Accepted++
	defer l.publish()
	if l.gate.full() { // it was accepted before the server was shut down
		l.state.Refused++
		return nc.Close()
	}
	if l.cfg.Acceptor != nil {
		l.move(l.gate.enter())
		if err := l.cfg.Acceptor(c, nc); err != nil {
			l.refuse(c, nc, fmt.Errorf("the Acceptor: %w", err))
			return l.disconnected(c, struct{}{})
		}
		return nil
	}
	conn := &Conn[In, Out]{terms: l.terms, role: alone{}, fresh: nc}
	at, err := c.Spawn(&seat[In, Out]{conn: conn, rows: l.rows}, l.cfg.SessionOptions...)
	if err != nil {
		l.refuse(c, nc, err)
		return nil
	}
	if _, there := c.Kernel().Resolve(at); !there { // ClientConnected, or what came at once, has stopped its session
		l.remember(at, conn)
		return nil
	}
	l.conns[at] = conn
	l.move(l.gate.enter())
	if l.drained {
		l.ask(c, at)
	}
	return nil
}

// begin is the _start of a connection's session.
func (l *listener[In, Out]) begin(c *kernel.Context, conn *Conn[In, Out]) error {
	nc := conn.fresh
	conn.self, conn.fresh = c.Self(), nil
	conn.ends.Store(&ends{nc.LocalAddr(), nc.RemoteAddr()})
	if l.cfg.ClientPreConnect != nil {
		var err error
		if nc, err = l.cfg.ClientPreConnect(c, nc); err != nil {
			return err
		}
		if nc == nil {
			return errRefused
		}
	}
	return conn.attach(c, nc)
}

func (l *listener[In, Out]) refuse(c *kernel.Context, nc net.Conn, err error) {
	l.state.Refused++
	_ = nc.Close()
	if !errors.Is(err, errRefused) {
		c.Kernel().Report("tcp", "connection failed as it began", fmt.Errorf("from %v: %w", nc.RemoteAddr(), err))
	}
}

// alone is the role of a server's connection: it ends with its session.
type alone struct{}

func (alone) settled(*kernel.Context, bool) error { return nil }

func (l *listener[In, Out]) child(c *kernel.Context) error {
	at, _ := c.Arg(1).(kernel.Address)
	conn := l.conns[at]
	if c.Arg(0) != "lose" || conn == nil {
		return nil
	}
	delete(l.conns, at)
	l.remember(at, conn)
	m, _ := l.gate.leave()
	l.move(m)
	if len(l.conns) == 0 && l.deadline != 0 {
		_, _ = c.AlarmRemove(l.deadline)
		l.deadline = 0
	}
	return nil
}

// remember has the DIE of a connection that has ended recognised.
func (l *listener[In, Out]) remember(at kernel.Address, conn *Conn[In, Out]) {
	if conn.failed {
		l.failed = append(l.failed[max(0, len(l.failed)+1-mostFailed):], at)
	}
}

// disconnected is the end of an Acceptor's connection.
func (l *listener[In, Out]) disconnected(c *kernel.Context, _ struct{}) error {
	m, ok := l.gate.leave()
	if !ok {
		c.Kernel().Report("tcp", "Disconnected came once too often", fmt.Errorf("server %v has no connection, but %v says that one has ended", c.Self(), c.Sender()))
	}
	l.move(m)
	return nil
}

func (l *listener[In, Out]) setConcurrency(_ *kernel.Context, n int) error {
	if n < NoLimit {
		return misconfigured("SetConcurrency", "is %d; want NoLimit, 0 for nobody, or more", n)
	}
	l.move(l.gate.allow(n))
	return nil
}

func (l *listener[In, Out]) move(m gateMove) {
	switch m {
	case pause:
		l.factory.PauseAccept()
	case resume:
		l.factory.ResumeAccept()
	}
	l.publish()
}

// trouble is a failed accept or handshake; end says when there is an end of it.
func (l *listener[In, Out]) trouble(c *kernel.Context, e *wheel.Error) error {
	if l.cfg.Error != nil {
		return l.cfg.Error(c, e)
	}
	c.Kernel().Report("tcp", e.Op+" failed", fmt.Errorf("server at %v: %w", l.server.addr, e))
	return nil
}

// end: the listener is of no use any more, or has been drained.
func (l *listener[In, Out]) end(c *kernel.Context, _ error) error { l.shutdown(c); return nil }

func (l *listener[In, Out]) shutdown(c *kernel.Context) {
	if l.gate.down {
		return
	}
	if l.gate.shut() {
		l.factory.Drain()
	} else {
		l.factory.Close()
	}
	l.publish()
	if l.cfg.Alias != "" {
		_ = c.AliasRemove(l.cfg.Alias) // unless the program has done so
	}
}

func (l *listener[In, Out]) drain(c *kernel.Context, within time.Duration) error {
	if !l.drained {
		l.drained, l.until = true, c.Now().Add(within)
		for _, at := range l.sorted() {
			l.ask(c, at)
		}
	}
	l.shutdown(c)
	return nil
}

// ask has a connection finish; it may have come while the server was drained
// already.
func (l *listener[In, Out]) ask(c *kernel.Context, at kernel.Address) {
	if !l.conns[at].gone.Load() { // else, until _child has come, it would be reported as dropped
		insist(c, at, evDrain)
	}
	if l.deadline == 0 {
		l.deadline = evDeadline.AlarmSet(c, l.until, struct{}{})
	}
}

func (l *listener[In, Out]) late(c *kernel.Context, _ struct{}) error {
	l.deadline = 0
	for _, at := range l.sorted() {
		insist(c, at, Shutdown)
	}
	return nil
}

// insist is Post that no kernel.QueueLimit stops. Who has just ended does not mind.
func insist(c *kernel.Context, at kernel.Address, e kernel.Event[struct{}]) {
	if err := e.Post(c, at, struct{}{}); errors.Is(err, kernel.ErrQueueFull) {
		_ = c.Kernel().Tell(at, e.Name(), struct{}{})
	}
}

func (l *listener[In, Out]) sorted() []kernel.Address { return slices.Sorted(maps.Keys(l.conns)) }

// die handles the failure of a connection, which has hung up already. Others are
// not ours: DIE comes down from who made this server, too, and up from what the
// program has made below a connection.
func (l *listener[In, Out]) die(c *kernel.Context) error {
	x, _ := c.Arg(1).(*kernel.Exception)
	if x == nil || l.conns[x.Session] == nil && !slices.Contains(l.failed, x.Session) {
		return nil
	}
	c.SigHandled()
	l.state.Failed++
	l.publish()
	c.Kernel().Report("tcp", "connection failed", x)
	return nil
}

// publish has others see the state.
func (l *listener[In, Out]) publish() {
	g := &l.gate
	l.state.Listening, l.state.Concurrency, l.state.Paused, l.state.Connections = !g.down && l.factory != nil, g.limit, g.paused, g.count
	l.server.mu.Lock()
	l.server.state = l.state
	l.server.mu.Unlock()
}
