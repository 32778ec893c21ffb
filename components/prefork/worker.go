//go:build unix

package prefork

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"time"

	"github.com/usher-go/usher/components/internal/gate"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

// The worker's session takes these beside evWord and evMute.
const (
	evTaken    kernel.Event[net.Conn]       = "taken"
	evTrouble  kernel.Event[*wheel.Error]   = "trouble"
	evShut     kernel.Event[error]          = "shut" // a door
	evFinished kernel.Event[struct{}]       = "finished"
	evDeserted kernel.Event[kernel.Address] = "deserted"
	evBeat     kernel.Event[struct{}]       = "beat"
	evLeave    kernel.Event[struct{}]       = "leave"
	evRetire   kernel.Event[struct{}]       = "retire"
	evPause    kernel.Event[bool]           = "pause"
)

// Worker is a worker process as Config.Server sees it. It accepts on the pool's
// listeners and hands each connection to the server session, as many at a time
// as Config.ConnsPerServer says.
type Worker struct {
	cfg    Config
	estate *estate
	lease  *kernel.Lease

	server kernel.Address
	event  kernel.Event[net.Conn]
	gate   *gate.Gate // instead of them: Listener

	lifeline *lifeline
	control  *controlWheel
	doors    []*wheel.SocketFactory // that accept
	ajar     int                    // doors not shut yet
	open     int                    // connections not closed yet
	draining bool
	paused   bool
	left     bool
	requests requests
}

// Slot is the worker's place on the scoreboard, from 0.
func (w *Worker) Slot() int { return w.estate.slot }

// Generation is that of the worker's program: 1, and one more with every reload
// that the master tried.
func (w *Worker) Generation() int { return w.estate.generation }

// Extend lets the worker be silent for d more than Config.Timeout and
// Config.SoftTimeout allow, from now: for a handler that is about to take long on
// purpose. It may be called from any goroutine, and cannot be taken back.
func (w *Worker) Extend(d time.Duration) { w.estate.seat.show(time.Now().Add(d)) }

// Addrs are the addresses of the pool's listeners.
func (w *Worker) Addrs() []net.Addr {
	var all []net.Addr
	for _, ln := range w.estate.listeners {
		all = append(all, ln.Addr())
	}
	return all
}

// Serve names who gets the connections: event is posted to a session with each
// of them. Closing a connection is what makes room for the next. A read from it
// fails when Config.ReadTimeout has passed without input or output. When that
// session ends, the worker finishes and leaves, after Config.Grace at the latest.
// Serve belongs in Config.Server; without it, and without Listener, the worker accepts
// nothing.
func (w *Worker) Serve(to kernel.Address, event kernel.Event[net.Conn]) {
	w.server, w.event = to, event
}

// Requested counts a finished request on the scoreboard, from any goroutine.
func (w *Worker) Requested() { w.estate.seat.request() }

// work is New in a worker: it runs the kernel and ends the process.
func work(k *kernel.Kernel, cfg Config) {
	if err := runWorker(k, cfg); err != nil {
		var stack []byte
		if x := (*kernel.Exception)(nil); errors.As(err, &x) {
			stack = x.Stack // of a panic: nobody else can print it
		}
		fmt.Fprintf(os.Stderr, "prefork: worker of %q, pid %d: %v\n%s", cfg.Name, os.Getpid(), err, stack)
		os.Exit(1)
	}
	os.Exit(0)
}

func runWorker(k *kernel.Kernel, cfg Config) error {
	e, err := inherit(cfg.Name, len(cfg.Listen))
	if err != nil {
		return err
	}
	w := &Worker{cfg: cfg, estate: e, lifeline: &lifeline{Conn: e.control, cut: backstop}}
	w.cfg.MaxRequests = cfg.requestLimit(rand.IntN)
	if _, err := k.Spawn(w.session(), kernel.Alias("prefork-worker")); err != nil {
		return err
	}
	return k.Run(context.Background())
}

func (w *Worker) session() *session.Session {
	return session.New(
		session.Handle("_start", w.start),
		session.Handle("signal", func(c *kernel.Context) error { c.SigHandled(); return w.drain(c) }), // P69–P71
		session.On(evWord, w.word),
		session.On(evMute, w.orphaned),
		session.On(evTaken, w.taken),
		session.On(evTrouble, w.trouble),
		session.On(evShut, w.shut),
		session.On(evFinished, w.finished),
		session.On(evDeserted, w.deserted),
		session.On(evBeat, w.beat),
		session.On(evRetire, func(c *kernel.Context, _ struct{}) error { return w.drain(c) }),
		session.On(evPause, w.pause),
		session.On(evLeave, func(c *kernel.Context, _ struct{}) error { w.leave(c); return nil }),
	)
}

// start builds the server, calls the fork handlers (P7), then opens the doors.
func (w *Worker) start(c *kernel.Context) error {
	w.lease = c.Lease("worker")
	c.Sig("TERM", "signal")
	c.Sig("INT", "signal")
	var err error
	if w.control, err = newControl(c, w.lifeline); err != nil {
		return err
	}
	if err := w.cfg.Server(c, w); err != nil {
		return fmt.Errorf("Config.Server: %w", err)
	}
	for to, event := range w.cfg.ForkHandlers {
		if _, err := c.Call(to, event); err != nil {
			return fmt.Errorf("Config.ForkHandlers: %w", err)
		}
	}
	if err := w.openDoors(c); err != nil {
		return err
	}
	w.estate.seat.set(StateIdle, time.Now())
	if w.cfg.beatInterval() > 0 {
		evBeat.Delay(c, w.cfg.beatInterval(), struct{}{})
	}
	if w.cfg.SoftTimeout > 0 {
		w.watchSilence()
	}
	birth.ready.Store(true)
	if err := speakUp(w.estate.stderr); err != nil {
		return err
	}
	return w.control.Put(filter.Frame{Name: wordReady})
}

func (w *Worker) openDoors(c *kernel.Context) error {
	switch {
	case w.server != "" && w.gate != nil:
		return errServedTwice
	case w.server != "":
		if err := c.Monitor(w.server, evDeserted.Name()); err != nil {
			return fmt.Errorf("Worker.Serve: %w", err)
		}
	case w.gate == nil:
		return nil
	}
	for _, ln := range w.estate.listeners {
		door, err := wheel.NewSocketFactory(c, wheel.SocketFactoryConfig{
			Listener: ln, Ahead: wheel.NoneAhead,
			SuccessEvent: evTaken, FailureEvent: evTrouble, CloseEvent: evShut,
		})
		if err != nil {
			return err
		}
		w.doors = append(w.doors, door)
		w.ajar++
	}
	return nil
}

func (w *Worker) word(c *kernel.Context, f filter.Frame) error {
	switch f.Name {
	case wordRetire:
		return w.drain(c)
	case wordReopen:
		if w.cfg.Reopen != nil {
			w.cfg.Reopen()
		}
	}
	return nil
}

// beat shows that events are handled here (P61, P68), also while draining (P67).
func (w *Worker) beat(c *kernel.Context, _ struct{}) error {
	if w.left {
		return nil
	}
	w.estate.seat.show(time.Now())
	evBeat.Delay(c, w.cfg.beatInterval(), struct{}{})
	return nil
}
