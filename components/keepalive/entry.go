package keepalive

import (
	"io"
	"net"
	"time"
)

// entry is an open connection, for as long as it is open, whoever has it.
type entry struct {
	net    net.Conn
	opened time.Time
	lent   int // how often
	state  any // what a user attached
}

// look says whether nobody has closed the connection or sent anything.
func (e *entry) look() condition {
	if minder, ok := e.state.(interface{ Err() error }); ok {
		if minder.Err() != nil {
			return closed
		}
		return clean
	}
	return look(e.net)
}

// inspect says how the connection comes back. raw: see the function of that name.
func (e *entry) inspect(raw bool) condition {
	if _, ok := e.state.(interface{ Err() error }); ok {
		return e.look()
	}
	return inspect(e.net, raw)
}

// close does not wait.
func (e *entry) close() {
	hangUp(e.net)
	if c, ok := e.state.(io.Closer); ok {
		_ = c.Close()
	}
}
