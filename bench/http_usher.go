package main

import (
	"cmp"
	"fmt"
	"net"
	"net/http"
	"strconv"

	"github.com/usher-go/usher/components/httpclient"
	"github.com/usher-go/usher/components/keepalive"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

func init() {
	for row, n := range gettersIn {
		httpClients.ask(usher, map[string]Load{row: usherGets(n)})
		httpClients.ask(usherEvents, map[string]Load{row: usherEventGets(n)})
	}
	httpClients.ask(usher, map[string]Load{"pool-hit": usherLoans})
}

// usherPool is a pool of n connections in a running kernel.
func usherPool(n int) (u *usherKernel, pool *keepalive.Pool, stop func(), err error) {
	u = runKernel(kernel.Config{})
	pool, err = keepalive.New(u.Kernel, keepalive.Config{MaxPerHost: n})
	return u, pool, func() {
		if pool != nil {
			pool.Shutdown()
		}
		_ = u.stop()
	}, err
}

func usherGets(n int) Load {
	return func(s *server) (Runner, func(), error) {
		_, pool, stop, err := usherPool(n)
		if err != nil {
			return nil, stop, err
		}
		run, err := gets(httpclient.NewTransport(pool), s, n)
		return run, stop, err
	}
}

// Events of clients.
const (
	usherGo     kernel.Event[*usherWork]          = "go"
	usherAnswer kernel.Event[httpclient.Response] = "answer"
	usherLoan   kernel.Event[keepalive.Response]  = "loan"
)

// usherWork is so many operations of a session.
type usherWork struct {
	left, flying int // not begun; not ended
	done         chan error
}

// end ends one, and reports whether to begin another.
func (w *usherWork) end(err error) (more bool) {
	w.flying--
	if err != nil {
		w.left = 0
		w.done <- err
		return false
	}
	if w.left == 0 && w.flying == 0 {
		w.done <- nil
	}
	return w.left > 0
}

// usherEventGets has one session ask, n requests at a time.
func usherEventGets(n int) Load {
	return func(s *server) (Runner, func(), error) {
		u, pool, stop, err := usherPool(n)
		if err != nil {
			return nil, stop, err
		}
		client, err := httpclient.New(u.Kernel, httpclient.Config{Pool: pool})
		if err != nil {
			return nil, stop, err
		}
		url := "http://" + s.addr + "/"
		var w *usherWork
		ask := func(c *kernel.Context) error {
			w.left, w.flying = w.left-1, w.flying+1
			req, err := http.NewRequest(http.MethodGet, url, nil)
			if err != nil {
				return err
			}
			_, err = client.Request(c, httpclient.Request{HTTP: req, Event: usherAnswer})
			return err
		}
		at := u.spawn(session.New(
			session.On(usherGo, func(c *kernel.Context, work *usherWork) (err error) {
				for w = work; err == nil && w.left > 0 && w.flying < n; {
					err = ask(c)
				}
				return err
			}),
			session.On(usherAnswer, func(c *kernel.Context, r httpclient.Response) error {
				err := r.Err
				if err == nil && string(r.Body) != hello {
					err = fmt.Errorf("%w: the answer was %q; want %q", errSample, r.Body, hello)
				}
				if !w.end(err) {
					return nil
				}
				return ask(c)
			}),
		))
		run := func(ops int) (Sample, error) { return usherDo(u, at, ops) }
		_, err = run(10 * n)
		return run, stop, err
	}
}

// usherDo has a session do its work.
func usherDo(u *usherKernel, at kernel.Address, ops int) (s Sample, err error) {
	work := &usherWork{left: ops, done: make(chan error, ops)}
	s = measureCPU(ops, func() {
		if err = usherGo.PostFrom(u.Kernel, at, work); err == nil {
			err = <-work.done
		}
	})
	return s, err
}

// usherLoans has one session borrow the same connection again and again.
func usherLoans(s *server) (Runner, func(), error) {
	u, pool, stop, err := usherPool(1)
	if err != nil {
		return nil, stop, err
	}
	host, text, err := net.SplitHostPort(s.addr)
	port, err2 := strconv.Atoi(text)
	if err := cmp.Or(err, err2); err != nil {
		return nil, stop, err
	}
	var w *usherWork
	ask := func(c *kernel.Context) error {
		w.left, w.flying = w.left-1, w.flying+1
		_, err := pool.Allocate(c, keepalive.Request{Scheme: "http", Addr: host, Port: port, Event: usherLoan})
		return err
	}
	at := u.spawn(session.New(
		session.On(usherGo, func(c *kernel.Context, work *usherWork) error {
			w = work
			return ask(c)
		}),
		session.On(usherLoan, func(c *kernel.Context, r keepalive.Response) error {
			err := r.Err
			if err == nil {
				err = r.Conn.Release()
			}
			if !w.end(err) {
				return nil
			}
			return ask(c)
		}),
	))
	run := func(ops int) (Sample, error) { return usherDo(u, at, ops) }
	_, err = run(1)
	return run, stop, err
}
