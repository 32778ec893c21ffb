//go:build unix

package prefork

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

// The worker's session takes these beside evWord and evMute.
const (
	evTaken    kernel.Event[net.Conn]     = "taken"
	evTrouble  kernel.Event[*wheel.Error] = "trouble"
	evFinished kernel.Event[struct{}]     = "finished"
	evBeat     kernel.Event[struct{}]     = "beat"
	evLeave    kernel.Event[struct{}]     = "leave"
)

// Worker is a worker process as Config.Server sees it. It accepts on the pool's
// listeners and hands each connection to the server session, as many at a time
// as Config.ConnsPerServer says.
type Worker struct {
	cfg    Config
	k      *kernel.Kernel
	estate *estate
	lease  *kernel.Lease

	server kernel.Address
	event  kernel.Event[net.Conn]

	doors    []*wheel.SocketFactory
	control  *wheel.ReadWrite[filter.Frame, filter.Frame]
	open     int // connections not closed yet
	draining bool
}

// Slot is the worker's place on the scoreboard, from 0.
func (w *Worker) Slot() int { return w.estate.slot }

// Generation counts the workers that had this slot, this one included.
func (w *Worker) Generation() uint64 { return w.estate.generation }

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
// fails when Config.ReadTimeout has passed without input. Serve belongs in
// Config.Server; without it the worker accepts nothing.
func (w *Worker) Serve(to kernel.Address, event kernel.Event[net.Conn]) {
	w.server, w.event = to, event
}

// Requested counts a finished request on the scoreboard, from any goroutine.
func (w *Worker) Requested() { w.estate.seat.request() }

// work is New in a worker: it runs the kernel and ends the process.
func work(k *kernel.Kernel, cfg Config) {
	if err := runWorker(k, cfg); err != nil {
		fmt.Fprintf(os.Stderr, "prefork: worker of %q, pid %d: %v\n", cfg.Name, os.Getpid(), err)
		os.Exit(1)
	}
	os.Exit(0)
}

func runWorker(k *kernel.Kernel, cfg Config) error {
	e, err := inherit(cfg.Name, len(cfg.Listen))
	if err != nil {
		return err
	}
	w := &Worker{cfg: cfg, k: k, estate: e}
	if _, err := k.Spawn(session.New(w.states()...), kernel.Alias("prefork-worker")); err != nil {
		return err
	}
	return k.Run(context.Background())
}

func (w *Worker) states() []session.State {
	return []session.State{
		session.Handle("_start", w.start),
		session.Handle("signal", func(c *kernel.Context) error { c.SigHandled(); return w.drain(c) }),
		session.On(evWord, w.word),
		session.On(evMute, w.orphaned),
		session.On(evLeave, func(c *kernel.Context, _ struct{}) error { w.leave(c); return nil }),
		session.On(evTaken, w.taken),
		session.On(evTrouble, w.trouble),
		session.On(evFinished, w.finished),
		session.On(evBeat, w.beat),
	}
}

// start builds the server, calls the fork handlers (P7), then opens the doors.
func (w *Worker) start(c *kernel.Context) error {
	w.lease = c.Lease("worker")
	c.Sig("TERM", "signal")
	c.Sig("INT", "signal")
	var err error
	if w.control, err = control(c, w.estate.control); err != nil {
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
	for _, ln := range w.estate.listeners {
		if w.server == "" {
			break
		}
		door, err := wheel.NewSocketFactory(c, wheel.SocketFactoryConfig{
			Listener: ln, Ahead: wheel.NoneAhead, SuccessEvent: evTaken, FailureEvent: evTrouble,
		})
		if err != nil {
			return err
		}
		w.doors = append(w.doors, door)
	}
	w.estate.seat.set(StateIdle, time.Now())
	if w.cfg.beatInterval() > 0 {
		evBeat.Delay(c, w.cfg.beatInterval(), struct{}{})
	}
	return w.control.Put(filter.Frame{Name: wordReady})
}

// taken passes a connection on, and closes the doors while there is no room.
func (w *Worker) taken(c *kernel.Context, conn net.Conn) error {
	w.open++
	if w.open == 1 {
		w.estate.seat.set(StateBusy, time.Now())
	}
	if n := w.cfg.ConnsPerServer; n != Unlimited && w.open >= n {
		for _, d := range w.doors {
			d.PauseAccept()
		}
	}
	taken := w.estate.seat.connection()
	if err := w.event.Post(c, w.server, guard(w, conn)); err != nil {
		_ = conn.Close()
		c.Kernel().Report("prefork", "connection dropped: the server session is gone", err)
		return w.drain(c)
	}
	if n := w.cfg.MaxRequests; n != Unlimited && taken >= uint64(n) {
		return w.drain(c)
	}
	return nil
}

// finished makes room: a connection was closed.
func (w *Worker) finished(c *kernel.Context, _ struct{}) error {
	w.open--
	switch {
	case w.draining && w.open == 0:
		w.leave(c)
	case !w.draining:
		if w.open == 0 {
			w.estate.seat.set(StateIdle, time.Now())
		}
		for _, d := range w.doors {
			d.ResumeAccept()
		}
	}
	return nil
}

func (w *Worker) word(c *kernel.Context, f filter.Frame) error {
	if f.Name == wordRetire {
		return w.drain(c)
	}
	return nil
}

// drain ends accepting; the worker leaves when its last connection has ended.
func (w *Worker) drain(c *kernel.Context) error {
	if w.draining {
		return nil
	}
	w.draining = true
	for _, d := range w.doors {
		d.Close()
	}
	w.estate.seat.set(StateDraining, time.Now())
	_ = w.control.Put(filter.Frame{Name: wordDrain}) // a master that is gone need not know
	if w.open == 0 {
		w.leave(c)
	}
	return nil
}

// orphanGrace is how long a worker goes on with what it has when its master is
// gone: nobody is left to end it.
const orphanGrace = 2 * time.Second

// orphaned: the control socket ended, and with it the master (P86).
func (w *Worker) orphaned(c *kernel.Context, _ error) error {
	evLeave.Delay(c, orphanGrace, struct{}{})
	return w.drain(c)
}

// leave ends the process: its kernel stops, with everything in it.
func (w *Worker) leave(c *kernel.Context) {
	w.lease.Release()
	c.Kernel().Stop()
}

func (w *Worker) trouble(c *kernel.Context, e *wheel.Error) error {
	if errors.Is(e, net.ErrClosed) {
		return nil
	}
	c.Kernel().Report("prefork", "accept failed", e)
	return nil
}

// beat shows that events are handled here (P61, P68).
func (w *Worker) beat(c *kernel.Context, _ struct{}) error {
	w.estate.seat.show(time.Now())
	evBeat.Delay(c, w.cfg.beatInterval(), struct{}{})
	return nil
}
