package httpd

import (
	"net"
	"sync/atomic"

	"github.com/usher-go/usher/components/internal/gate"
	"github.com/usher-go/usher/components/prefork"
	"github.com/usher-go/usher/kernel"
)

// What a worker's server is told by its worker.
const (
	evConn    kernel.Event[net.Conn] = "httpd_conn"
	evRetired kernel.Event[struct{}] = "httpd_retired"
)

// post is a server's place in a worker process: the worker accepts for it, and
// decides when it ends.
type post struct {
	worker *prefork.Worker
	herd   *herd // what the master told
	gate   *gate.Gate
	paused atomic.Bool
}

// work makes the server of a worker.
func (s *Server) work(c *kernel.Context, w *prefork.Worker, h *herd) error {
	var at net.Addr
	for _, a := range w.Addrs() {
		s.doors = append(s.doors, &door{addr: a})
		at = a
	}
	s.post = &post{worker: w, herd: h, gate: gate.New(at)}
	if err := s.spawn(c); err != nil {
		return err
	}
	w.ServeRequests(s.self, evConn, evRetired)
	return nil
}

// serveGate has net/http take what is admitted.
func (s *Server) serveGate() {
	for _, d := range s.doors {
		s.setUp(d.addr)
	}
	g := s.post.gate
	go func() {
		if s.cfg.TLS != nil {
			_ = s.http.ServeTLS(g, "", "")
		} else {
			_ = s.http.Serve(g)
		}
	}()
}

// onConn takes a connection over from the worker.
func (s *Server) onConn(_ *kernel.Context, nc net.Conn) error {
	if c, err := s.newConn(nc, s.authority(nc.LocalAddr())); err == nil {
		s.post.gate.Admit(c)
	}
	return nil
}

// pause is StopListen in a worker: the others serve who comes (P26).
func (p *post) pause(on bool) {
	p.paused.Store(on)
	p.worker.Pause(on)
}
