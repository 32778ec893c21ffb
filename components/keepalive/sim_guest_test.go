package keepalive

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
	"github.com/usher-go/usher/wheel/wheeltest"
)

const evGiveUp kernel.Event[RequestID] = "give_up"

// guest uses the pool, one request after the other, or passes the rest to another
// one and stops.
type guest struct {
	*town
	rng   *rand.Rand
	name  int
	left  int
	place int
	id    RequestID // pending
	conn  *Conn
	said  string
}

func (w *town) guest(name, left int) *session.Session {
	g := &guest{town: w, name: name, left: left, rng: rand.New(rand.NewPCG(w.rng.Uint64(), 2))}
	return session.New(
		session.Handle("_start", func(c *kernel.Context) error { g.later(c); return nil }),
		session.On(evNext, func(c *kernel.Context, _ struct{}) error { return g.next(c) }),
		session.On(evGiveUp, g.giveUp),
		session.On(evGot, g.got),
		session.On(line, g.line),
		session.On(evDone, func(c *kernel.Context, _ error) error { return g.finish(c, "end", (*Conn).Close) }),
		session.On(evLate, func(c *kernel.Context, _ struct{}) error { return g.finish(c, "patience", (*Conn).Close) }),
	)
}

func (g *guest) chance(n int) bool { return g.rng.IntN(n) == 0 }

func (g *guest) note(format string, args ...any) {
	g.town.note("guest %d: %s", g.name, fmt.Sprintf(format, args...))
}

// later goes on after a pause, or at once.
func (g *guest) later(c *kernel.Context) {
	var d time.Duration
	if g.chance(2) {
		d = time.Duration(g.rng.Int64N(int64(2 * time.Second)))
	}
	evNext.Delay(c, d, struct{}{})
}

func (g *guest) next(c *kernel.Context) (err error) {
	if g.left == 0 {
		g.guests--
		return nil
	}
	g.left--
	g.place = g.rng.IntN(len(places))
	if g.chance(2) { // where everybody goes
		g.place %= 4
	}
	to := places[g.place]
	r := Request{Scheme: to.scheme, Addr: to.addr, Port: 80, Event: evGot}
	if g.chance(8) {
		r.Timeout = time.Duration(g.rng.Int64N(int64(500*time.Millisecond)) + 1)
	}
	r.Context = r.Timeout
	g.id, err = g.pool.Allocate(c, r)
	g.note("asks for %s %s: %v", to.scheme, to.addr, err)
	if errors.Is(err, ErrShutDown) {
		g.left = 0
		return evNext.Yield(c, struct{}{})
	} else if err != nil {
		return err
	}
	g.fate(g.id, "", pending)
	g.checkLimits()
	switch g.rng.IntN(15) {
	case 0:
		return g.giveUp(c, g.id)
	case 1, 2:
		evGiveUp.DelayAdd(c, time.Duration(g.rng.Int64N(int64(400*time.Millisecond))), g.id)
	case 3:
		g.fate(g.id, pending, orphaned)
		return g.retire(c)
	}
	return nil
}

// giveUp cancels a request that may have been answered meanwhile.
func (g *guest) giveUp(c *kernel.Context, id RequestID) error {
	err := g.pool.Deallocate(id)
	if errors.Is(err, ErrNoRequest) || errors.Is(err, ErrShutDown) {
		return nil
	} else if err != nil {
		return err
	}
	g.note("cancels")
	g.fate(id, pending, cancelled)
	g.later(c)
	return nil
}

// retire has another guest do the rest.
func (g *guest) retire(c *kernel.Context) error {
	g.note("retires")
	if g.conn != nil {
		g.held[g.place]--
	}
	_, err := c.Spawn(g.guest(g.name+10, g.left))
	c.Stop()
	return err
}

func (g *guest) got(c *kernel.Context, r Response) error {
	if g.fates[r.ID] == cancelled { // posted before, and void
		if r.Conn == nil || r.Conn.NetConn() != nil {
			g.Errorf("a cancelled request got %+v", r)
		}
		return nil
	}
	g.fate(r.ID, pending, answered)
	g.note("got %q %q %v", r.FromCache, r.Function, r.Err)
	g.checkLimits()
	if r.Err != nil {
		g.checkError(r)
		g.later(c)
		return nil
	}
	g.served++
	g.conn = r.Conn
	if g.held[g.place]++; g.held[g.place] > townConfig.MaxPerHost {
		g.Errorf("%d connections of %v are lent", g.held[g.place], places[g.place])
	}
	switch g.rng.IntN(16) {
	case 0:
		return g.finish(c, "no use", (*Conn).Release)
	case 1:
		return g.retire(c)
	case 2:
		_ = r.Conn.NetConn().(*wheeltest.Conn).CloseWrite() // Release has to find out
		return g.finish(c, "half closed", (*Conn).Release)
	}
	rw, err := Start(c, r.Conn, wheel.ReadWriteConfig[string, string]{Filter: filter.Line(), InputEvent: line, CloseEvent: evDone})
	if err != nil {
		return err
	}
	evLate.Delay(c, 700*time.Millisecond, struct{}{})
	g.said = fmt.Sprintf("guest %d, %d left", g.name, g.left)
	_ = rw.Put(g.said) // its error is the wheel's end
	return nil
}

func (g *guest) checkError(r Response) {
	long := r.Context == time.Duration(0)
	var limit *passed
	if r.Conn != nil || r.Function == "" {
		g.Errorf("got %+v", r)
	}
	if long && errors.Is(r.Err, ErrTimeout) && !errors.As(r.Err, &limit) {
		g.Errorf("%s %s waited in vain: %v", r.Scheme, r.Addr, r.Err)
	}
	if p := places[g.place]; long && p.good && errors.As(r.Err, &limit) {
		g.Errorf("%s %s: %v", r.Scheme, r.Addr, r.Err)
	}
}

func (g *guest) line(c *kernel.Context, s string) error {
	switch s {
	case g.said:
		return g.finish(c, "answer", (*Conn).Release)
	case unasked: // its own answer may still come
		return g.finish(c, unasked, (*Conn).Close)
	}
	g.Errorf("%q got %q", g.said, s)
	return g.finish(c, "wrong answer", (*Conn).Close)
}

func (g *guest) finish(c *kernel.Context, why string, how func(*Conn) error) error {
	if g.conn == nil {
		return nil // its line came before its end
	}
	c.AlarmClear(evLate.Name())
	conn := g.conn
	g.conn = nil
	g.held[g.place]--
	g.note("is done with it: %s", why)
	if err := how(conn); err != nil {
		return err
	}
	g.checkLimits()
	g.later(c)
	return nil
}
