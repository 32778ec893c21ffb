package httpd

import (
	"crypto/tls"
	"net"
	"sync/atomic"

	"github.com/usher-go/usher/kernel"
)

// ConnectionID names a connection; IDs are not used again in a process (H73).
type ConnectionID uint64

var connectionIDs atomic.Uint64

// Connection is the client's side of one or more requests (H65, H68). Its methods
// are for any goroutine. One that no server has made, as in a handler's test, is open
// and stays so.
type Connection struct {
	ID         ConnectionID
	RemoteIP   string // "local" of a unix socket (H70)
	RemotePort int
	RemoteAddr net.Addr
	LocalIP    string // a unix socket's path
	LocalPort  int
	LocalAddr  net.Addr

	c *conn
}

func newConnection(c *conn) Connection {
	info := Connection{ID: ConnectionID(connectionIDs.Add(1)), RemoteAddr: c.RemoteAddr(), LocalAddr: c.LocalAddr(), c: c}
	info.RemoteIP, info.RemotePort = parts(info.RemoteAddr, "local")
	info.LocalIP, info.LocalPort = parts(info.LocalAddr, "local")
	return info
}

// parts takes an address apart, as logs and POE have it.
func parts(a net.Addr, nameless string) (string, int) {
	switch a := a.(type) {
	case *net.TCPAddr:
		return a.IP.String(), a.Port
	case nil:
	default:
		if s := a.String(); s != "" && s != "@" {
			return s, 0
		}
	}
	return nameless, 0
}

// Dead reports whether the connection was closed, by whichever side, or a write to
// it failed (H71). It may be looked at before an answer is made.
func (c *Connection) Dead() bool { return c.c != nil && c.c.dead.Load() }

// TLS is the state of an encrypted connection, nil of a plain one (H72).
func (c *Connection) TLS() *tls.ConnectionState {
	if c.c == nil {
		return nil
	}
	t := c.c.tls.Load()
	if t == nil {
		return nil
	}
	st := t.ConnectionState()
	return &st
}

// Cipher is the name of the cipher of an encrypted connection, "" of a plain one
// (H72).
func (c *Connection) Cipher() string {
	if st := c.TLS(); st != nil {
		return tls.CipherSuiteName(st.CipherSuite)
	}
	return ""
}

// OnClose has event posted, once, to the session whose handler this is when the
// connection is closed, with args and nothing else (H79). Until then the session is
// held (H78). A session has one of them: the next takes its place, and an empty
// event removes it (H76). For a connection that is closed already the event is
// posted at once.
func (c *Connection) OnClose(ctx *kernel.Context, event string, args ...any) {
	if c.c == nil {
		return
	}
	c.c.closers.set(ctx.Self(), event, args, ctx.Lease)
}
