package httpd

import (
	"errors"
	"fmt"

	"github.com/usher-go/usher/components/prefork"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// session is the server's: a desk where events come in. The work is the Server's.
func (s *Server) session() kernel.Receiver {
	return session.New(
		session.Handle("_start", s.onStart),
		session.Handle("_stop", func(*kernel.Context) error { s.cut(); return nil }),
		session.On(evServe, func(*kernel.Context, struct{}) error { s.serveAll(); return nil }),
		session.On(evConn, s.onConn),
		session.On(evRetired, func(*kernel.Context, struct{}) error { s.drain(); return nil }),
		session.Handle(Done, s.onResponse((*Response).Done)),
		session.Handle(Close, s.onResponse((*Response).Close)),
		session.Handle(Stream, s.onResponse((*Response).Send)),
		session.Handle(GetHandlers, s.onGet(func() any { return s.Handlers() })),
		session.On(SetHandlers, func(c *kernel.Context, list []Route) error { return s.refusal(c, s.SetHandlers(list)) }),
		session.Handle(GetForkHandlers, s.onGet(func() any { return s.ForkHandlers() })),
		session.On(SetForkHandlers, func(c *kernel.Context, m map[kernel.Address]string) error {
			return s.refusal(c, s.SetForkHandlers(m))
		}),
		session.Handle(IsChild, func(c *kernel.Context) error { c.Return(prefork.IsChild()); return nil }),
		session.Handle(SetCloseHandler, s.onSetCloseHandler),
		session.Handle(StartListen, s.onStartListen),
		session.Handle(StopListen, func(*kernel.Context) error { s.StopListen(); return nil }),
		session.Handle(Shutdown, s.onShutdown),
	)
}

// onStart has serving begin when the kernel runs.
func (s *Server) onStart(c *kernel.Context) error {
	s.self = c.Self()
	s.lease = c.Lease("httpd server")
	return evServe.Yield(c, struct{}{})
}

// onResponse ignores what is no Response (H37): a posted event that fails would end
// the kernel.
func (s *Server) onResponse(do func(*Response)) kernel.Handler {
	return func(c *kernel.Context) error {
		resp, ok := c.Arg(0).(*Response)
		if !ok || resp == nil || resp.x == nil {
			s.complain(saysArgument, "", fmt.Errorf("event %q from %v: want a *httpd.Response that a handler got, not a %T", c.Event(), c.Sender(), c.Arg(0)))
			return nil
		}
		do(resp)
		return nil
	}
}

// onGet posts what get returns.
func (s *Server) onGet(get func() any) kernel.Handler {
	return func(c *kernel.Context) error {
		t, ok := c.Arg(0).(Target)
		if !ok {
			t.Event, _ = c.Arg(1).(string)
			switch a := c.Arg(0).(type) {
			case kernel.Address:
				t.Session = a
			case string:
				t.Session = kernel.Address(a)
			}
		}
		if t.check(c.Event()) == nil {
			s.tell(t, get())
		}
		return nil
	}
}

// refusal tells of what only the other kind of process can do, and goes on (P24, P25).
func (s *Server) refusal(c *kernel.Context, err error) error {
	if errors.Is(err, ErrWorker) {
		s.complain(saysRefused, "", fmt.Errorf("event %q from %v: %w", c.Event(), c.Sender(), err))
		return nil
	}
	return err
}

func (s *Server) onSetCloseHandler(c *kernel.Context) error {
	h, ok := c.Arg(0).(CloseHandler)
	if !ok {
		switch a := c.Arg(0).(type) {
		case *Connection:
			if a != nil {
				h.Connection = a.ID
			}
		case ConnectionID:
			h.Connection = a
		}
		h.Event, _ = c.Arg(1).(string)
		if c.Arg(1) != nil && h.Event == "" {
			s.complain(saysArgument, "", fmt.Errorf("event %q from %v: the second argument is a %T; want an event's name", c.Event(), c.Sender(), c.Arg(1)))
			return nil
		}
		if all := c.Args(); len(all) > 2 {
			h.Args = all[2:]
		}
	}
	err := s.setCloseHandler(c.Sender(), h)
	if err != nil {
		s.complain(saysArgument, "", fmt.Errorf("event %q from %v: %w", c.Event(), c.Sender(), err))
	}
	return nil
}

func (s *Server) onStartListen(*kernel.Context) error {
	start := func() {
		if err := s.StartListen(); err != nil {
			s.complain(saysListen, "", err)
		}
	}
	if s.herd != nil { // it waits for workers
		go start()
	} else {
		start()
	}
	return nil
}

func (s *Server) onShutdown(c *kernel.Context) error {
	_ = c.AliasRemove(s.cfg.Alias) // the second time it is gone already
	graceful := c.Arg(0) != nil && c.Arg(0) != false
	if s.post != nil { // the worker goes first: it must not accept what nobody serves
		s.post.worker.Retire()
	}
	switch {
	case !graceful:
		s.cut()
	case s.post == nil:
		s.drain()
	}
	return nil
}
