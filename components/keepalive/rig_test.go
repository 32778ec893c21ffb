package keepalive

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/session"
)

func eachMode(t *testing.T, f func(t *testing.T, k *kernel.Kernel)) {
	for _, m := range []kernel.Mode{kernel.Parallel, kernel.Serial} {
		t.Run(m.String(), func(t *testing.T) { f(t, running(t, m)) })
	}
}

// running is a kernel that runs until the test ends.
func running(t *testing.T, m kernel.Mode) *kernel.Kernel {
	t.Helper()
	return runningWith(t, kernel.Config{Mode: m})
}

func runningWith(t *testing.T, cfg kernel.Config) *kernel.Kernel {
	t.Helper()
	cfg.Observer = &kernel.Observer{
		Failed: func(x *kernel.Exception) { t.Errorf("%v\n%s", x, x.Stack) },
	}
	k := kernel.New(cfg)
	kerneltest.Start(t, k)
	return k
}

func startPool(t *testing.T, k *kernel.Kernel, cfg Config) *Pool {
	t.Helper()
	p, err := New(k, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// user is a session that allocates when told to and passes every response on.
type user struct {
	t     *testing.T
	k     *kernel.Kernel
	pool  *Pool
	lease *kernel.Lease
	got   chan Response
}

const (
	evGot kernel.Event[Response]                    = "got"
	evRun kernel.Event[func(*kernel.Context) error] = "run"
)

func newUser(t *testing.T, k *kernel.Kernel, p *Pool) *user {
	t.Helper()
	u := &user{t: t, k: k, pool: p, got: make(chan Response, 1000)}
	var err error
	u.lease, err = k.SpawnHeld(session.New(
		session.On(evGot, func(_ *kernel.Context, r Response) error { u.got <- r; return nil }),
		session.On(evRun, func(c *kernel.Context, f func(*kernel.Context) error) error { return f(c) }),
	))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(u.lease.Release)
	return u
}

// do runs f in a handler of the user's session.
func (u *user) do(f func(*kernel.Context) error) {
	u.t.Helper()
	if _, err := u.k.Call(deadline(u.t), u.lease.Address(), evRun.Name(), f); err != nil {
		u.t.Fatal(err)
	}
}

func (u *user) allocate(port int) (id RequestID) {
	u.t.Helper()
	u.do(func(c *kernel.Context) (err error) {
		id, err = u.pool.Allocate(c, Request{Scheme: "test", Addr: "127.0.0.1", Port: port, Event: evGot, Context: "ctx"})
		return err
	})
	return id
}

// take waits for the next response.
func (u *user) take() Response {
	u.t.Helper()
	select {
	case r := <-u.got:
		return r
	case <-deadline(u.t).Done():
		u.t.Fatal("no response")
		return Response{}
	}
}

func (u *user) conn(port int) *Conn {
	u.t.Helper()
	u.allocate(port)
	r := u.take()
	if r.Err != nil {
		u.t.Fatal(r.Err)
	}
	return r.Conn
}

func deadline(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for ctx := deadline(t); !ok(); runtime.Gosched() {
		if ctx.Err() != nil {
			t.Fatalf("in vain: %s", what)
		}
	}
}

// echo is a real server that answers lines and counts who is connected.
type echo struct {
	net.Listener
	mu    sync.Mutex
	conns map[net.Conn]bool
	total int
}

func newEcho(t *testing.T) *echo {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e := &echo{Listener: ln, conns: map[net.Conn]bool{}}
	t.Cleanup(func() { ln.Close(); e.closeAll() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			e.mu.Lock()
			e.conns[c] = true
			e.total++
			e.mu.Unlock()
			go e.serve(c)
		}
	}()
	return e
}

func (e *echo) serve(c net.Conn) {
	for s := bufio.NewScanner(c); s.Scan(); {
		fmt.Fprintln(c, s.Text())
	}
	c.Close()
	e.mu.Lock()
	delete(e.conns, c)
	e.mu.Unlock()
}

func (e *echo) port() int { return e.Addr().(*net.TCPAddr).Port }

func (e *echo) closeAll() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for c := range e.conns {
		c.Close()
	}
}

func (e *echo) counts() (open, total int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.conns), e.total
}

// accepted waits until the server has accepted n connections, and checks that it
// were no more: a dial may succeed before its accept.
func (e *echo) accepted(t *testing.T, n int) {
	t.Helper()
	until(t, "the server accepts", func() bool { _, total := e.counts(); return total >= n })
	if _, total := e.counts(); total != n {
		t.Fatalf("%d connections were opened, want %d", total, n)
	}
}

func look(c net.Conn) condition { return newEye(c).look() }
