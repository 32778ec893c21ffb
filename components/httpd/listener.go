package httpd

import (
	"net"
	"strconv"
	"sync"
)

// listener makes conns of what it accepts, and has them wait while there are
// enough of them.
type listener struct {
	net.Listener
	server    *Server
	authority string // host and port of a Request's URL
	closed    chan struct{}
	once      sync.Once
}

func (s *Server) newListener(ln net.Listener) *listener {
	return &listener{Listener: ln, server: s, authority: s.authority(ln.Addr()), closed: make(chan struct{})}
}

// authority is the host in the URL of requests that come to an address.
func (s *Server) authority(at net.Addr) string {
	if a, ok := at.(*net.TCPAddr); ok {
		return net.JoinHostPort(s.cfg.Hostname, strconv.Itoa(a.Port))
	}
	return s.cfg.Hostname
}

// Accept is net/http's. A connection that has to wait for a seat was accepted, but
// nothing of it is read.
func (l *listener) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	s := l.server
	if s.seats != nil {
		select {
		case s.seats <- struct{}{}:
		case <-l.closed:
			nc.Close()
			return nil, net.ErrClosed
		}
	}
	return s.newConn(nc, l.authority)
}

func (l *listener) Close() error {
	err := net.ErrClosed
	l.once.Do(func() {
		close(l.closed)
		err = l.Listener.Close()
	})
	return err
}
