package httpd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/usher-go/usher/components/prefork"
)

// door is an address, listened on or not. The Server's lock guards it.
type door struct {
	at        *prefork.Address // with the port that was chosen, for the next time (H3); nil of one of Config.Listeners
	addr      net.Addr
	ln        *listener   // nil while it is shut
	tries     int         // that failed since it was last open
	stopRetry func() bool // nil without one
}

// maxTries is how often in a row an address may fail before nobody tries any more,
// POE's MAX_RETRIES; the pauses between them double (H13, H18).
const (
	maxTries   = 5
	firstPause = 100 * time.Millisecond
)

// errInherited: a socket that came open into the process cannot be made anew.
var errInherited = errors.New("one of Config.Listeners was closed, and only who gave it can open it again")

// openAll opens all addresses or none, and serves nobody yet.
func (s *Server) openAll() error {
	for i, text := range s.cfg.Listen {
		a, err := prefork.ParseAddress(fmt.Sprintf("Listen[%d]", i), text)
		if err != nil {
			return fmt.Errorf("httpd: %w: %w", ErrConfig, err)
		}
		s.doors = append(s.doors, &door{at: &a})
	}
	for _, d := range s.doors {
		if err := d.open(s); err != nil {
			s.closeDoors()
			return err
		}
	}
	return nil
}

// inherit takes Config.Listeners over, when nothing can fail any more.
func (s *Server) inherit() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, ln := range s.cfg.Listeners {
		d := &door{}
		d.use(s, ln)
		s.doors = append(s.doors, d)
		s.serveDoor(d)
	}
}

func (d *door) open(s *Server) error {
	if d.at == nil {
		return errInherited
	}
	ln, err := d.at.Listen(func(network, address string) (net.Listener, error) {
		return s.k.Network().Listen(context.Background(), network, address)
	})
	if err != nil {
		return fmt.Errorf("httpd: %w", err)
	}
	d.use(s, ln)
	return nil
}

func (d *door) use(s *Server, ln net.Listener) {
	d.addr = ln.Addr()
	if d.at != nil {
		*d.at = d.at.Chosen(d.addr)
	}
	d.ln = s.newListener(ln)
	d.tries = 0
}

func (d *door) close() {
	if d.stopRetry != nil {
		d.stopRetry()
		d.stopRetry = nil
	}
	if d.ln != nil {
		d.ln.Close()
		d.ln = nil
	}
}

func (s *Server) closeDoors() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.doors {
		d.close()
	}
}

// serveAll begins to accept from what is open.
func (s *Server) serveAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serving = true
	if s.post != nil {
		s.serveGate()
	}
	for _, d := range s.doors {
		s.serveDoor(d)
	}
}

func (s *Server) serveDoor(d *door) {
	if !s.serving || d.ln == nil {
		return
	}
	s.setUp(d.addr)
	go func(ln *listener) {
		var err error
		if s.cfg.TLS != nil {
			err = s.http.ServeTLS(ln, "", "")
		} else {
			err = s.http.Serve(ln)
		}
		s.failed(d, ln, err)
	}(d.ln)
}

// setUp says that an address begins to be served (H16).
func (s *Server) setUp(at net.Addr) {
	port := 0
	if a, ok := at.(*net.TCPAddr); ok {
		port = a.Port
	}
	s.tell(s.cfg.SetupHandler, port, at)
}

// failed opens an address again that cannot be accepted from any more.
func (s *Server) failed(d *door, ln *listener, err error) {
	ln.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now() != isOpen || d.ln != ln { // closed by us
		return
	}
	d.ln = nil
	s.retry(d, err)
}

// retry tries later, or says that it was the last time.
func (s *Server) retry(d *door, err error) {
	d.tries++
	if d.tries >= maxTries || d.at == nil {
		s.complain(saysListen, "", fmt.Errorf("given up: %w; then use StartListen", err))
		d.tries = 0
		return
	}
	d.stopRetry = s.k.AfterFunc(firstPause<<(d.tries-1), func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if d.stopRetry != nil && s.now() == isOpen {
			d.stopRetry = nil
			s.reopen(d)
		}
	})
}

func (s *Server) reopen(d *door) {
	if err := d.open(s); err != nil {
		s.retry(d, err)
		return
	}
	s.serveDoor(d)
}

// StopListen closes the listeners: who connects later is refused. Connections go
// on, and so does the server (H85, H86). In a master its workers finish and leave
// (P27), and until StartListen nobody watches the pool's signals; in a worker it accepts
// no more, and the others do (P26).
func (s *Server) StopListen() {
	switch {
	case s.post != nil:
		s.post.pause(true)
	case s.herd != nil:
		s.herd.stop(false, false)
	default:
		s.closeDoors()
	}
}

// StartListen opens what StopListen closed, and what could not be opened, with the
// same ports (H85). What cannot be had is tried again, five times altogether with
// growing pauses; then ErrorHandler is told (H18). ErrShutDown after Shutdown.
//
// In a master it waits for the old workers' end, starts others, and returns why that
// cannot be (P27). In a worker it accepts again (P26).
func (s *Server) StartListen() error {
	switch {
	case s.now() != isOpen:
		return ErrShutDown
	case s.post != nil:
		s.post.pause(false)
		return nil
	case s.herd != nil:
		return s.herd.start()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now() != isOpen {
		return ErrShutDown
	}
	for _, d := range s.doors {
		if d.ln == nil {
			d.close()
			d.tries = 0
			s.reopen(d)
		}
	}
	return nil
}
