package httpd

import (
	"sync"

	"github.com/usher-go/usher/kernel"
)

// CloseHandler is the argument of SetCloseHandler: the event that the sender gets
// with Args when the connection closes, or none any more if Event is empty (H76).
type CloseHandler struct {
	Connection ConnectionID
	Event      string
	Args       []any
}

// setCloseHandler is for whoever has an ID only (H77).
func (s *Server) setCloseHandler(who kernel.Address, h CloseHandler) error {
	s.mu.Lock()
	c := s.conns[h.Connection]
	s.mu.Unlock()
	if c == nil {
		return ErrNoConnection
	}
	c.closers.set(who, h.Event, h.Args, nil)
	return nil
}

// closers are the close handlers of one connection, one for each session.
type closers struct {
	mu   sync.Mutex
	of   map[kernel.Address]closer
	shut func(closer) // set when the connection is closed: posts at once
}

type closer struct {
	who   kernel.Address
	event string
	args  []any
	lease *kernel.Lease // nil if nobody could take one
}

func (l *closers) set(who kernel.Address, event string, args []any, lease func(string) *kernel.Lease) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.of[who].release()
	delete(l.of, who)
	if event == "" {
		return
	}
	h := closer{who: who, event: event, args: args}
	if l.shut != nil {
		l.shut(h)
		return
	}
	if lease != nil {
		h.lease = lease("httpd close handler")
	}
	if l.of == nil {
		l.of = map[kernel.Address]closer{}
	}
	l.of[who] = h
}

// fire posts all of them, and from now on each that is set.
func (l *closers) fire(post func(closer)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.shut = post
	for _, h := range l.of {
		post(h)
		h.release()
	}
	l.of = nil
}

func (h closer) release() {
	if h.lease != nil {
		h.lease.Release()
	}
}
