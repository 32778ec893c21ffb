package backend

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

// The session of a Conn takes these.
const (
	evWhich   kernel.Event[visit]                = "which"   // called, by whoever wants the Conn of this alias
	evTried   kernel.Event[bool]                 = "tried"   // called: a Connect is over, well or not
	evSubmit  kernel.Event[*outgoing]            = "submit"  // called
	evAbandon kernel.Event[*outgoing]            = "abandon" // a transaction
	evPolicy  kernel.Event[pingPolicy]           = "policy"  // called
	evEpoch   kernel.Event[struct{}]             = "epoch"   // called
	evWatch   kernel.Event[kernel.Event[Change]] = "watch"   // called
	evLeave   kernel.Event[struct{}]             = "leave"   // called
	evClose   kernel.Event[struct{}]             = "close"   // called
	evGlimpse kernel.Event[struct{}]             = "glimpse"
	evUp      kernel.Event[net.Conn]             = "up"
	evFailed  kernel.Event[*wheel.Error]         = "failed"
	evHello   kernel.Event[[]byte]               = "hello"
	evMute    kernel.Event[struct{}]             = "mute" // the hellos take too long
	evWake    kernel.Event[struct{}]             = "wake"
	evNoPong  kernel.Event[struct{}]             = "no pong"
	evIdle    kernel.Event[struct{}]             = "idle"
	evOverdue kernel.Event[struct{}]             = "overdue"
	evLate    kernel.Event[late]                 = "late" // called
)

// late is a request that nobody waits for any more.
type late struct {
	out *outgoing
	err error
}

// wire is the session of a Conn: it does what its link decides.
type wire struct {
	conn *Conn
	link *link
	dial *wheel.SocketFactory
	rw   stream
	talk *wheel.ReadWrite[filter.Frame, []byte] // rw, once the hellos are over

	greet    *clientGreeting
	greeting *wheel.ReadWrite[[]byte, []byte]
	watchers []watcher
	since    time.Time // the link's state is what it is
	unlisted bool      // another may have the alias
	kept     bool      // somebody has it, or waits for no Connect to have it
	trying   int       // Connects under way
	traffic  traffic
}

// stream is a ReadWrite, whatever its records are.
type stream interface {
	ID() kernel.WheelID
	Close()
	CloseFlushed()
}

type watcher struct {
	who   kernel.Address
	event kernel.Event[Change]
}

func newWire(c *Conn, keep bool) *wire {
	w := &wire{conn: c}
	w.admit(keep)
	return w
}

func (w *wire) states() []session.State {
	plain := func(f func(*kernel.Context) []any) func(*kernel.Context, struct{}) error {
		return func(c *kernel.Context, _ struct{}) error { return w.do(c, f(c)) }
	}
	return []session.State{
		session.Handle("_start", w.start),
		session.Handle("_stop", func(c *kernel.Context) error { return w.close(c, struct{}{}) }),
		session.On(evWhich, w.which),
		session.On(evTried, w.tried),
		session.On(evSubmit, w.submit),
		session.On(evAbandon, func(c *kernel.Context, o *outgoing) error { _ = w.submit(c, o); return nil }),
		session.On(evPolicy, func(_ *kernel.Context, p pingPolicy) error { w.link.cfg.PingTimeout = p.d; return nil }),
		session.On(evEpoch, func(c *kernel.Context, _ struct{}) error { c.Return(w.link.epoch); return nil }),
		session.On(evWatch, w.watch),
		session.On(evLeave, w.leave),
		session.On(evClose, w.close),
		session.On(evGlimpse, w.glimpse),
		session.On(evUp, w.up),
		session.On(evFailed, w.failed),
		session.On(evHello, w.hello),
		session.On(evIn, w.in),
		session.On(evErr, w.trouble),
		session.On(evEnd, w.end),
		session.On(evOver, func(c *kernel.Context, _ struct{}) error { w.hangUp(c); c.Stop(); return nil }),
		session.On(evMute, plain(func(*kernel.Context) []any {
			return w.link.giveUp(errMute)
		})),
		session.On(evWake, plain(func(*kernel.Context) []any { return w.link.wake() })),
		session.On(evNoPong, plain(func(*kernel.Context) []any { return w.link.noPong() })),
		session.On(evIdle, plain(func(c *kernel.Context) []any { return w.link.idle(c.Now()) })),
		session.On(evOverdue, plain(func(c *kernel.Context) []any { return w.link.overdue(c.Now()) })),
		session.On(evLate, func(c *kernel.Context, l late) error { return w.do(c, w.link.fail(l.out, l.err)) }),
	}
}

func (w *wire) start(c *kernel.Context) error {
	w.conn.self = c.Self()
	chance := rand.New(c.Kernel().Chance("backend " + string(c.Self())))
	w.link = newLink(w.conn.cfg, func() uint64 { return w.conn.ids.Add(1) }, chance.Float64)
	w.link.room = w.room
	w.conn.txs.Store(newTxIDs(chance))
	w.since = c.Now()
	if err := w.do(c, []any{doConnect{}}); err != nil {
		return err
	}
	remember(w.conn)
	c.Kernel().Describe(w.conn.cfg.Alias, func() any { s, _ := w.conn.State(); return s })
	return nil
}

// which gives away the Conn.
func (w *wire) which(c *kernel.Context, who visit) error {
	if who.place == w.conn.cfg.place() {
		w.admit(who.keep)
	}
	c.Return(w.conn)
	return nil
}

func (w *wire) admit(keep bool) {
	if w.kept = w.kept || keep; !keep {
		w.trying++
	}
}

// tried: a connection that nobody has got is not kept (B5).
func (w *wire) tried(c *kernel.Context, well bool) error {
	w.trying--
	if w.kept = w.kept || well; w.kept || w.trying > 0 {
		return nil
	}
	return w.close(c, struct{}{})
}

// close is also what happens when the kernel ends.
func (w *wire) close(c *kernel.Context, _ struct{}) error {
	return w.do(c, w.link.close(nil))
}

func (w *wire) leave(c *kernel.Context, _ struct{}) error {
	if w.link.leaving || w.link.state == Closed {
		return nil
	}
	evClose.Delay(c, w.conn.cfg.DrainTimeout, struct{}{})
	w.unlist(c)
	return w.do(c, w.link.leave())
}

func (w *wire) submit(c *kernel.Context, o *outgoing) error {
	acts, err := w.link.submit(o, c.Now())
	if err != nil {
		return err
	}
	return w.do(c, acts)
}

func (w *wire) failed(c *kernel.Context, e *wheel.Error) error {
	c.Kernel().Report("backend", "no connection to "+w.conn.cfg.address(), e)
	w.dial = nil
	return w.do(c, w.link.down(e))
}

// in takes a frame: an answer, or a message from the server or another client.
func (w *wire) in(c *kernel.Context, f filter.Frame) error {
	acts, answers := w.link.frame(f, c.Now())
	if !answers {
		w.deliver(c, f)
	}
	return w.do(c, acts)
}

func (w *wire) deliver(c *kernel.Context, f filter.Frame) {
	cfg := &w.conn.cfg
	if f.Name == evError && f.ReplyTo == 0 { // to a message that wanted no answer
		c.Kernel().Report("backend", "message refused by the server", asReply(f).Err)
		return
	}
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
	if w.rw == nil || c.Wheel() != w.rw.ID() {
		return nil // one that was given up before
	}
	switch {
	case e.Op == "write" && w.link.state == Closed:
		c.Stop()
	case e.Op == "write": // its end of input may be far away (B28)
		return w.do(c, w.link.giveUp(e))
	case e.Op == "filter" && errors.Is(e, filter.ErrUnusable):
		c.Kernel().Report("backend", "connection given up: what comes are no frames", fmt.Errorf("from %s: %w", w.conn.cfg.address(), e))
		return w.do(c, w.link.giveUp(e))
	case e.Op == "filter": // the server sent what we cannot read; its request fails now
		c.Kernel().Report("backend", "message refused", fmt.Errorf("from %s: %w", w.conn.cfg.address(), e))
		var refused *filter.FrameError
		if errors.As(e, &refused) && refused.Frame.ReplyTo != 0 {
			acts, _ := w.link.frame(filter.Frame{Name: evError, Args: []any{refused.Err.Error()}, ReplyTo: refused.Frame.ReplyTo}, c.Now())
			return w.do(c, acts)
		}
	}
	return nil
}

// errMute is a hello that nobody answers within Config.ConnectTimeout.
var errMute = errors.New("backend: the server does not answer the hello; is it a backend server? Perl's needs Config.Serializer Storable")

// errEnd is an end of input that came too early.
var errEnd = errors.New("backend: the server closed the connection")

// end: the wheel is gone, and with it the connection (B26).
func (w *wire) end(c *kernel.Context, err error) error {
	if w.rw == nil || c.Wheel() != w.rw.ID() {
		return nil // one that was given up before
	}
	w.rw, w.talk, w.greeting = nil, nil, nil
	c.AlarmClear(evMute.Name())
	if w.link.state == Closed {
		c.Stop()
		return nil
	}
	if err == nil {
		err = errEnd
	}
	return w.do(c, w.link.down(err))
}

func (w *wire) watch(c *kernel.Context, event kernel.Event[Change]) error {
	for i, o := range w.watchers {
		if o.who == c.Sender() {
			w.watchers = append(w.watchers[:i:i], w.watchers[i+1:]...)
			break
		}
	}
	if event == "" {
		return nil
	}
	if w.link.state == Closed {
		return ErrClosed
	}
	if err := event.Post(c, c.Sender(), Change{Conn: w.conn, From: w.link.state, To: w.link.state}); err != nil {
		return err
	}
	w.watchers = append(w.watchers, watcher{c.Sender(), event})
	return nil
}

// tell posts a change to all who watch and are still there.
func (w *wire) tell(c *kernel.Context, t doTell) {
	w.since = c.Now()
	kept := w.watchers[:0]
	for _, o := range w.watchers {
		err := o.event.Post(c, o.who, Change{w.conn, t.from, t.to, t.err, t.wait})
		full := errors.Is(err, kernel.ErrQueueFull)
		if full {
			c.Kernel().Report("backend", "change not told: the queue of one who watches the connection is full", err)
		}
		if err == nil || full {
			kept = append(kept, o)
		}
	}
	w.watchers = kept
}

func (w *wire) glimpse(c *kernel.Context, _ struct{}) error {
	l := w.link
	c.Return(ConnState{
		State: l.state, Waiting: len(l.queue), Asked: len(l.asked), Calls: l.calls,
		Reconnects: l.reconnects, Dropped: l.dropped, Err: l.err,
		Since: w.since, Access: l.access, Heard: l.heard, PingTimeout: l.cfg.PingTimeout, IdlePing: l.idleEvery(),
		RoundTrip: l.trip, WaitingBytes: l.queued, Tx: w.conn.open.count(l.epoch, l.stands()), Traffic: w.traffic.read(),
	})
	return nil
}
