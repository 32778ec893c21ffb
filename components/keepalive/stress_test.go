package keepalive

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

// TestA45_A89_R2_R4_EverybodyAtOnce: sessions that allocate, cancel, release,
// close, forget and stop at random, against servers that answer, close, half
// close, reset and send too much at random. Every request is answered or
// cancelled once, the counts come out even, and nothing is left behind.
func TestA45_A89_R2_R4_EverybodyAtOnce(t *testing.T) {
	for seed := range uint64(2) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { stress(t, seed) })
	}
}

const (
	stressSessions = 20
	stressRequests = 2000
)

type crowd struct {
	t     *testing.T
	pool  *Pool
	ports []int
	wg    sync.WaitGroup // workers

	mu    sync.Mutex
	fates map[RequestID]fate
}

type fate string

const (
	pending   fate = "pending"
	answered  fate = "answered"
	cancelled fate = "cancelled"
	orphaned  fate = "orphaned" // its session stopped
)

func stress(t *testing.T, seed uint64) {
	goroutines, descriptors := runtime.NumGoroutine(), openDescriptors(t)
	func() {
		rng := rand.New(rand.NewPCG(seed, 1))
		k := kernel.New(kernel.Config{Observer: &kernel.Observer{
			Failed: func(x *kernel.Exception) { t.Errorf("%v\n%s", x, x.Stack) },
		}})
		p := startPool(t, k, Config{MaxPerHost: 3, MaxOpen: 7, KeepAlive: 5 * time.Millisecond})
		cr := &crowd{t: t, pool: p, fates: map[RequestID]fate{}}
		for range 3 {
			s := newMoody(t, rng.Uint64())
			defer s.close()
			cr.ports = append(cr.ports, s.port())
		}
		for range stressSessions {
			cr.wg.Add(1)
			if _, err := k.Spawn(cr.worker(rng.Uint64(), stressRequests/stressSessions)); err != nil {
				t.Fatal(err)
			}
		}
		release := k.Hold("look at the counts")
		end := make(chan error, 1)
		go func() { end <- k.Run(context.Background()) }()
		cr.wg.Wait()
		until(t, "the counts come out even", func() bool { s, err := p.Stats(); return err == nil && s.Load == (Load{}) })
		release()
		p.Shutdown()
		if err := <-end; err != nil {
			t.Fatal(err)
		}
		n := map[fate]int{}
		for _, f := range cr.fates {
			n[f]++
		}
		t.Logf("requests: %v", n)
		if len(cr.fates) != stressRequests || n[pending] != 0 || n[answered] < stressRequests/2 || n[cancelled] == 0 || n[orphaned] == 0 {
			t.Errorf("%d requests: %v", len(cr.fates), n)
		}
	}()
	until(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= goroutines })
	until(t, "no descriptor is left", func() bool { return openDescriptors(t) <= descriptors })
}

func openDescriptors(t *testing.T) int {
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip(err)
	}
	return len(list)
}

// fate moves a request on; want is what it must be before.
func (cr *crowd) fate(id RequestID, want, next fate) {
	cr.mu.Lock()
	defer cr.mu.Unlock()
	if got := cr.fates[id]; got != want {
		cr.t.Errorf("request %d is %s and not %q on its way to %s", id, got, want, next)
	}
	cr.fates[id] = next
}

func (cr *crowd) was(id RequestID) fate {
	cr.mu.Lock()
	defer cr.mu.Unlock()
	return cr.fates[id]
}

// worker is a session that does its requests one after the other, or passes the
// rest to another one and stops.
type worker struct {
	*crowd
	rng  *rand.Rand
	left int
	id   RequestID // pending
	conn *Conn
}

const (
	evNext kernel.Event[struct{}] = "next"
	evDone kernel.Event[error]    = "done"
	evLate kernel.Event[struct{}] = "late"
)

func (cr *crowd) worker(seed uint64, left int) *session.Session {
	w := &worker{crowd: cr, rng: rand.New(rand.NewPCG(seed, 2)), left: left}
	return session.New(
		session.Handle("_start", func(c *kernel.Context) error { return evNext.Yield(c, struct{}{}) }),
		session.On(evNext, func(c *kernel.Context, _ struct{}) error { return w.next(c) }),
		session.On(evGot, w.got),
		session.On(line, func(c *kernel.Context, _ string) error { return w.finish(c, (*Conn).Release) }),
		session.On(evDone, func(c *kernel.Context, _ error) error { return w.finish(c, (*Conn).Close) }),
		session.On(evLate, func(c *kernel.Context, _ struct{}) error { return w.finish(c, (*Conn).Close) }),
	)
}

func (w *worker) next(c *kernel.Context) (err error) {
	if w.left == 0 {
		w.wg.Done()
		return nil
	}
	w.left--
	r := Request{Scheme: "test", Addr: "127.0.0.1", Port: w.ports[w.rng.IntN(len(w.ports))], Event: evGot}
	if w.rng.IntN(10) == 0 {
		r.Timeout = time.Duration(w.rng.IntN(int(time.Millisecond)) + 1)
	}
	if w.id, err = w.pool.Allocate(c, r); err != nil {
		return err
	}
	w.fate(w.id, "", pending)
	switch w.rng.IntN(20) {
	case 0:
		w.fate(w.id, pending, orphaned)
		return w.retire(c)
	case 1, 2:
		if err := w.pool.Deallocate(w.id); errors.Is(err, ErrNoRequest) {
			return nil // its answer, an error, is on the way
		} else if err != nil {
			return err
		}
		w.fate(w.id, pending, cancelled)
		w.id = 0
		return evNext.Yield(c, struct{}{})
	}
	return nil
}

// retire has another session do the rest.
func (w *worker) retire(c *kernel.Context) error {
	_, err := c.Spawn(w.worker(w.rng.Uint64(), w.left))
	c.Stop()
	return err
}

func (w *worker) got(c *kernel.Context, r Response) error {
	if w.was(r.ID) == cancelled { // posted before, and void
		if r.Conn == nil || r.Conn.NetConn() != nil {
			w.t.Errorf("a cancelled request got %+v", r)
		}
		return nil
	}
	w.fate(r.ID, pending, answered)
	if r.Err != nil {
		if r.Conn != nil || r.Function == "" {
			w.t.Errorf("got %+v", r)
		}
		return evNext.Yield(c, struct{}{})
	}
	w.conn = r.Conn
	switch w.rng.IntN(20) {
	case 0: // unused
		return w.finish(c, (*Conn).Release)
	case 1: // and never given back
		return w.retire(c)
	}
	rw, err := Start(c, r.Conn, wheel.ReadWriteConfig[string, string]{Filter: filter.Line(), InputEvent: line, CloseEvent: evDone})
	if err != nil {
		return err
	}
	evLate.Delay(c, time.Second, struct{}{})
	return rw.Put("hello")
}

func (w *worker) finish(c *kernel.Context, how func(*Conn) error) error {
	if w.conn == nil {
		return nil // the line came before the end
	}
	c.AlarmClear(evLate.Name())
	if err := how(w.conn); err != nil {
		return err
	}
	w.conn = nil
	return evNext.Yield(c, struct{}{})
}

// moody is a server that answers a line, or does not.
type moody struct {
	net.Listener
	mu    sync.Mutex
	rng   *rand.Rand
	conns map[net.Conn]bool
	wg    sync.WaitGroup
}

func newMoody(t *testing.T, seed uint64) *moody {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &moody{Listener: ln, rng: rand.New(rand.NewPCG(seed, 3)), conns: map[net.Conn]bool{}}
	m.wg.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			m.mu.Lock()
			m.conns[c] = true
			m.mu.Unlock()
			m.wg.Go(func() { m.serve(c.(*net.TCPConn)) })
		}
	})
	return m
}

func (m *moody) port() int { return m.Addr().(*net.TCPAddr).Port }

func (m *moody) dice(n int) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.rng.IntN(n)
}

func (m *moody) serve(c *net.TCPConn) {
	defer func() {
		m.mu.Lock()
		delete(m.conns, c)
		m.mu.Unlock()
		c.Close()
	}()
	for s := bufio.NewScanner(c); s.Scan(); {
		switch m.dice(12) {
		case 0:
			return
		case 1:
			fmt.Fprintln(c, "the last")
			return
		case 2:
			fmt.Fprintln(c, "the last")
			_ = c.CloseWrite()
		case 3:
			_ = c.SetLinger(0)
			return
		case 4:
			fmt.Fprint(c, "a line\nand what nobody asked for")
		default:
			fmt.Fprintln(c, "a line")
		}
	}
}

func (m *moody) close() {
	m.Close()
	m.mu.Lock()
	for c := range m.conns {
		c.Close()
	}
	m.mu.Unlock()
	m.wg.Wait()
}
