package httpd

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/usher-go/usher/kernel"
)

// serve is one request, on net/http's goroutine for it.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	c := r.Context().Value(connKey{}).(*conn)
	c.asked.Store(true)
	defer s.leave(s.enter(r))
	r = s.limitRead(w, r)
	if s.now() != isOpen && r.Header["Upgrade"] == nil { // a Handler may pass that on
		w.Header().Set("Connection", "close") // net/http's HTTP/2, too, understands that
	}

	var route *compiled
	if r.Method != http.MethodConnect { // H36
		route = s.routes.Load().match(subject(r, s.cfg.ProxyMode))
	}
	if route == nil && s.cfg.Handler != nil {
		s.foreign(w, r, c)
		return
	}
	p := s.newPrinter(w, r, c)
	s.route(p, route)
	if !p.write() {
		panic(http.ErrAbortHandler) // net/http's way to close, or to end one HTTP/2 stream
	}
}

// route has a request answered by the program, or by the server itself (H24).
func (s *Server) route(p *printer, route *compiled) {
	if route == nil {
		s.tellRequest(p)
		p.refuse(http.StatusNotFound)
		return
	}
	err := s.read(p.w, &p.req)
	if err != nil {
		s.complain(saysBody, p.ip(), err)
	}
	if !s.cfg.ProxyMode {
		complete(p.req.Request, p.x.conn)
	}
	s.tellRequest(p)
	if err != nil {
		p.refuse(bodyCode(err))
		return
	}
	s.call(p, route)
}

// call runs the handler, ahead of what its session has queued. A Response that it
// keeps is out of sight when this returns.
func (s *Server) call(p *printer, route *compiled) {
	x := &p.x
	resp := &Response{Code: http.StatusOK, Header: make(http.Header, len(s.cfg.Headers)), Connection: p.req.Connection, x: x}
	for name, values := range s.cfg.Headers {
		resp.Header[name] = append([]string(nil), values...)
	}
	finished := false
	defer func() {
		if !finished { // runtime.Goexit: net/http closes the connection
			x.happen(vGone)
		}
	}()
	// Not with the request's context: it ends when a client ends its side of the
	// connection, and that one may wait for its answer.
	_, err := s.k.Call(context.Background(), route.Session, route.Event, &p.req, resp, route.dir)
	finished = true
	if err != nil {
		s.callFailed(p, err)
	}
	x.release(resp)
}

// callFailed has the client told, unless it has an answer (H25).
func (s *Server) callFailed(p *printer, err error) {
	p.x.happen(vFailed)
	says := saysFailed
	if undelivered := new(kernel.PostError); errors.As(err, &undelivered) {
		says = saysNoHandler
	}
	s.complain(says, p.ip(), fmt.Errorf("%s %s: %w", p.req.Method, p.req.URL.Path, err))
}

// tellRequest costs nothing when nobody is to be told, which boxed arguments would.
func (s *Server) tellRequest(p *printer) {
	if s.cfg.LogHandler.set() {
		s.tell(s.cfg.LogHandler, &p.req, p.ip())
	}
}

// enter begins a request.
func (s *Server) enter(r *http.Request) (q begunRequest) {
	s.served.Add(1)
	s.requests.Add(1)
	switch {
	case s.post != nil:
		q.id = s.post.worker.RequestBegan(r.Method + " " + r.URL.EscapedPath())
	case s.remembers():
		what := r.Method + " " + r.URL.EscapedPath()
		q.at = &current{what[:min(len(what), maxPath)], time.Now()}
		s.current.Store(q.at)
	}
	return q
}

// begunRequest is how a request that runs is known to who shows it.
type begunRequest struct {
	id uint64   // in a worker
	at *current // in one process
}

// leave ends a request. Either it sees that the server ends, or who ends it sees
// that it was the last.
func (s *Server) leave(q begunRequest) {
	if s.post != nil {
		s.post.worker.RequestEnded(q.id)
	}
	if q.at != nil {
		s.current.CompareAndSwap(q.at, nil)
	}
	if s.requests.Add(-1) == 0 && s.now() != isOpen {
		s.settle()
	}
}
