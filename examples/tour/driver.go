package main

import (
	"fmt"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/usher-go/usher/components/backend"
	"github.com/usher-go/usher/components/keepalive"
	"github.com/usher-go/usher/components/prefork"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// What the driver takes.
const (
	Answered kernel.Event[answered] = "answered"
	CutOff   kernel.Event[error]    = "cut_off"
	Look     kernel.Event[struct{}] = "look"
)

// poolEnded is what the driver gets when the last worker is gone.
const poolEnded = "pool_ended"

type answered struct {
	number int64
	pid    int
	reused bool
}

// driver hands the requests out to the lanes, and kills a worker half-way.
type driver struct {
	o       options
	pool    *prefork.Pool
	clients *keepalive.Pool
	server  *backend.Server
	addr    *net.TCPAddr

	screen *screen
	result result
	next   int64
	lanes  int // that have work
	began  time.Time
	over   bool // finished, or interrupted: no more work is handed out
}

func newDriver(o options, pool *prefork.Pool, clients *keepalive.Pool, server *backend.Server) *driver {
	return &driver{
		o: o, pool: pool, clients: clients, server: server,
		screen: newScreen(os.Stderr, o.requests),
		result: result{Requests: o.requests, byWorker: map[int]int{}},
	}
}

func (d *driver) states() []session.State {
	return []session.State{
		session.Handle("_start", d.start),
		session.On(Answered, d.answered),
		session.On(CutOff, d.cutOff),
		session.On(Look, d.look),
		session.Handle("interrupted", d.interrupted),
		session.Handle(poolEnded, d.poolHasEnded),
	}
}

func (d *driver) start(c *kernel.Context) error {
	c.Sig("INT", "interrupted")
	c.Sig("TERM", "interrupted")
	return Look.Yield(c, struct{}{})
}

// interrupted lets the lanes finish what they have.
func (d *driver) interrupted(c *kernel.Context) error {
	if d.over {
		return nil // again: now everything stops at once
	}
	c.SigHandled()
	d.over = true
	d.screen.say("interrupted; finishing what is under way")
	if d.lanes == 0 {
		return d.finish(c)
	}
	return nil
}

// begin starts as many lanes as requests may be under way.
func (d *driver) begin(c *kernel.Context) error {
	d.began = c.Now()
	for range min(d.o.concurrency, d.o.requests) {
		lane, err := c.Spawn((&lane{d: d}).session(), kernel.Alias(fmt.Sprintf("lane-%d", d.lanes)))
		if err != nil {
			return err
		}
		d.lanes++
		d.next++
		if err := Work.Post(c, lane, d.next); err != nil {
			return err
		}
	}
	return nil
}

func (d *driver) answered(c *kernel.Context, a answered) error {
	r := &d.result
	r.Answered++
	r.byWorker[a.pid]++
	if a.reused {
		r.Reused++
	}
	if r.Answered == r.Requests/2 {
		d.kill(a.pid)
	}
	if !d.over && int(d.next) < r.Requests {
		d.next++
		return Work.Post(c, c.Sender(), d.next)
	}
	return d.laneEnded(c)
}

// kill ends the worker that has just answered, in the rudest way there is.
func (d *driver) kill(pid int) {
	if syscall.Kill(pid, syscall.SIGKILL) == nil {
		d.result.WorkersKilled++
		d.result.killed = pid
		d.screen.say("killed worker %d with SIGKILL; its requests are repeated, another worker is started", pid)
	}
}

// cutOff is a request without an answer: it is repeated, unless all is over.
func (d *driver) cutOff(c *kernel.Context, why error) error {
	d.result.lastTrouble = why
	if d.over {
		return d.laneEnded(c)
	}
	d.result.repeated++
	return Retry.Post(c, c.Sender(), struct{}{})
}

func (d *driver) laneEnded(c *kernel.Context) error {
	if d.lanes--; d.lanes > 0 {
		return nil
	}
	return d.finish(c)
}

// look shows where things are, four times a second; the first times it waits for
// the workers.
func (d *driver) look(c *kernel.Context, _ struct{}) error {
	s, err := d.pool.Stats()
	if err != nil {
		return err
	}
	d.result.WorkersStarted = s.Started
	if d.began.IsZero() {
		if ready(s) == d.o.workers {
			d.screen.say("%d workers are ready on %v", d.o.workers, d.addr)
			if err := d.begin(c); err != nil {
				return err
			}
		}
		Look.Delay(c, 20*time.Millisecond, struct{}{})
		return nil
	}
	d.screen.progress(d.result.Answered, c.Now().Sub(d.began), s.Letters)
	Look.Delay(c, 250*time.Millisecond, struct{}{})
	return nil
}

func ready(s prefork.Stats) int {
	n := 0
	for _, w := range s.Workers {
		if w.State == prefork.StateIdle || w.State == prefork.StateBusy {
			n++
		}
	}
	return n
}

func (d *driver) finish(c *kernel.Context) error {
	d.over = true
	d.result.took = c.Now().Sub(d.began)
	d.result.Seconds = d.result.took.Seconds()
	if s, err := d.pool.Stats(); err == nil {
		d.result.WorkersStarted = s.Started
		d.screen.progress(d.result.Answered, d.result.took, s.Letters)
	}
	c.AlarmClear(Look.Name())
	d.screen.done()
	if s, err := d.server.State(); err == nil {
		d.result.BackendReconnects = s.Reconnects
	}
	d.clients.Shutdown()
	if err := c.Monitor(poolName, poolEnded); err != nil {
		return err
	}
	return d.pool.Shutdown()
}

// poolHasEnded: no worker is left that needs the backend.
func (d *driver) poolHasEnded(*kernel.Context) error {
	d.server.Shutdown()
	return nil
}
