package tcp

import (
	"errors"
	"io"
	"net"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

// phase is where a connection is in its life.
//
//	none ──attach──▶ open ──Shutdown, end of input──▶ leaving
//	  ▲                │ hangUp, the wheel's end         │
//	  └─Disconnected─ over ◀─────────────────────────────┘
type phase uint8

const (
	none    phase = iota
	open          // Connected was told
	leaving       // no record comes any more, the rest is being sent
	over          // the wheel is closed, Disconnected is to be told
)

// role is what a server or a client does besides. settled follows each handler of
// the session; ended says that Disconnected was told after it.
type role interface {
	settled(c *kernel.Context, ended bool) error
}

// attach makes the wheel and tells Connected.
func (conn *Conn[In, Out]) attach(c *kernel.Context, nc net.Conn) error {
	f := conn.terms.filter()
	if f == nil {
		return misconfigured("Filter", "has made nil; want a filter for each connection")
	}
	rw, err := wheel.NewReadWrite(c, nc, conn.wheelConfig(f))
	if err != nil {
		return err
	}
	conn.rw, conn.phase, conn.err = rw, open, nil
	conn.asked, conn.paused, conn.hurried, conn.records = false, false, false, false
	conn.ends.Store(&ends{nc.LocalAddr(), nc.RemoteAddr()})
	if d := conn.terms.limits.IdleTimeout; d > 0 {
		conn.heard, conn.k = c.Now(), c.Kernel()
		evIdle.Delay(c, d, struct{}{})
	}
	return conn.run(c, conn.terms.connected)
}

func (conn *Conn[In, Out]) wheelConfig(f filter.Filter[In, Out]) wheel.ReadWriteConfig[In, Out] {
	t := conn.terms
	cfg := wheel.ReadWriteConfig[In, Out]{
		Filter: f, InputEvent: evInput, ErrorEvent: evError, CloseEvent: evClosed,
		Credit: t.limits.Credit, MaxOutput: t.limits.MaxOutput, HalfOpen: t.keepOnError,
		HighMark: t.limits.HighMark, LowMark: t.limits.LowMark,
	}
	if t.flushed != nil {
		cfg.FlushedEvent = evFlushed
	}
	if t.high != nil {
		cfg.HighEvent = evHigh
	}
	if t.low != nil {
		cfg.LowEvent = evLow
	}
	return cfg
}

func (conn *Conn[In, Out]) run(c *kernel.Context, h hook[In, Out]) error {
	if h == nil {
		return nil
	}
	return h(c, conn)
}

// leave is Shutdown without a word about who wanted it.
func (conn *Conn[In, Out]) leave() {
	if conn.phase == open {
		conn.phase = leaving
		conn.rw.CloseFlushed()
	}
}

// hangUp closes the connection at once. The first reason stands.
func (conn *Conn[In, Out]) hangUp(why error) {
	if conn.phase == open || conn.phase == leaving {
		conn.because(why)
		conn.phase = over
		conn.rw.Close()
	}
}

func (conn *Conn[In, Out]) because(why error) {
	if conn.err == nil {
		conn.err = why
	}
}

// trouble tells an error and does what follows from it (C13, C31).
func (conn *Conn[In, Out]) trouble(c *kernel.Context, e *wheel.Error) error {
	var err error
	switch t := conn.terms; {
	case t.failed != nil:
		err = t.failed(c, conn, e)
	case !usual(e):
		c.Kernel().Report("tcp", "connection error, "+e.Op, errorOf(conn, e))
	}
	final := e.Op == "idle" || errors.Is(e.Err, filter.ErrUnusable) || errors.Is(e.Err, wheel.ErrOutputFull)
	switch {
	case conn.terms.keepOnError && !final:
	case e.Op == "write":
		conn.hangUp(e)
	case e.Err == io.EOF && conn.phase == open:
		conn.phase = leaving // the wheel sends the rest and ends by itself
	case e.Op != "read": // after which the wheel ends by itself, too
		conn.because(e)
		conn.leave()
	}
	return err
}

// verdict is about what a handler returned: a refused Put is no failure of it. A
// failure costs the connection.
func (conn *Conn[In, Out]) verdict(c *kernel.Context, err error) error {
	refused := func() bool { return conn.refusal != nil && errors.Is(err, conn.refusal) }
	if refused() && errors.Is(err, wheel.ErrOutputFull) {
		err = conn.trouble(c, &wheel.Error{Op: "write", Err: err, Wheel: conn.ID()})
	}
	if err == nil || refused() && (errors.Is(err, wheel.ErrClosed) || errors.Is(err, wheel.ErrOutputFull)) {
		return nil
	}
	conn.asked, conn.failed = true, true
	conn.hangUp(err)
	return err
}

// settle does what handlers have asked for, when the outermost one has returned.
func (conn *Conn[In, Out]) settle(c *kernel.Context) error {
	if conn.phase == leaving && !conn.hurried {
		conn.hurried = true
		c.AlarmClear(evIdle.Name())
		if d := conn.terms.limits.FlushTimeout; d != NoLimit {
			evStuck.Delay(c, d, struct{}{})
		}
	}
	var err error
	ended := conn.phase == over
	if ended {
		conn.phase, conn.rw = none, nil
		conn.gone.Store(true)
		c.AlarmClear(evIdle.Name())
		c.AlarmClear(evStuck.Name())
		failed := conn.failed
		conn.failed = true // should Disconnected panic
		if err = conn.verdict(c, conn.run(c, conn.terms.disconnected)); err == nil {
			conn.failed = failed
		}
	}
	if c.Event() == "_stop" {
		return err
	}
	return joined(err, conn.role.settled(c, ended))
}
