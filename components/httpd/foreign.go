package httpd

import (
	"bufio"
	"net"
	"net/http"
)

// foreign has Config.Handler serve a request. Only for logs and a status page something stands
// between it and net/http.
func (s *Server) foreign(w http.ResponseWriter, r *http.Request, c *conn) {
	if s.log == nil && !s.remembers() && !s.cfg.LogHandler.set() && !s.cfg.Log2Handler.set() {
		s.cfg.Handler.ServeHTTP(w, r)
		return
	}
	p := s.newPrinter(w, r, c)
	s.tellRequest(p)
	complete := false
	defer func() { p.logged(nil, complete) }() // also when the handler panics
	s.cfg.Handler.ServeHTTP(&recorder{w, p}, r)
	if complete = true; p.code == 0 {
		p.code = http.StatusOK
	}
}

// recorder sees status and bytes of an answer.
type recorder struct {
	http.ResponseWriter
	p *printer
}

var (
	_ http.Flusher  = (*recorder)(nil)
	_ http.Hijacker = (*recorder)(nil)
)

// Unwrap is for http.ResponseController.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (r *recorder) WriteHeader(code int) {
	if r.p.code == 0 && code >= 200 {
		r.p.code = code
	}
	r.ResponseWriter.WriteHeader(code)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.p.code == 0 {
		r.p.code = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(b)
	r.p.x.sent.Add(int64(n))
	return n, err
}

func (r *recorder) Flush() { _ = http.NewResponseController(r.ResponseWriter).Flush() }

func (r *recorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	r.p.code = http.StatusSwitchingProtocols
	return http.NewResponseController(r.ResponseWriter).Hijack()
}
