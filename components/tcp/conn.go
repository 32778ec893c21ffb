package tcp

import (
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

// Conn is a connection: one client of a server, or the server that a client talks
// to. A client has one for all its life, through every reconnect.
//
// Its methods are for the handlers of its own session, which the callbacks are;
// none of them blocks. Send, Session and the addresses are for anybody.
type Conn[In, Out any] struct {
	// Heap is the program's, as POE's heap is; nothing here looks at it.
	Heap any

	self  kernel.Address
	fresh net.Conn // until the session has begun
	ends  atomic.Pointer[ends]
	gone  atomic.Bool // it has ended; for its server

	terms *terms[In, Out]
	role  role
	rw    *wheel.ReadWrite[In, Out]
	phase phase
	err   error // why it ends

	refusal error          // of the last Put that was refused
	heard   time.Time      // when the last record came, or a pause ended
	k       *kernel.Kernel // with IdleTimeout, for the time
	records bool           // one has come
	paused  bool
	asked   bool // the program wants it to end
	failed  bool // a handler did: there is a DIE
	hurried bool // the timer of FlushTimeout is set
}

// ends are the addresses of a connection, which outlive it.
type ends struct{ local, remote net.Addr }

// Put encodes the records and sends them: at once what the connection takes, the
// rest when it takes more. It queues all of them or, with an error, none: one that
// matches wheel.ErrClosed or wheel.ErrOutputFull, or the filter's. A handler may
// return that error as it is: wheel.ErrClosed is then ignored, because the
// connection's end is on its way, and wheel.ErrOutputFull is an error of the
// connection (Op "write"), which it ends.
func (conn *Conn[In, Out]) Put(records ...Out) error {
	if conn.rw == nil {
		conn.refusal = ErrNotConnected
		return ErrNotConnected
	}
	err := conn.rw.Put(records...)
	conn.refusal = err
	return err
}

// Send has Put done in the connection's session, from a handler of any session: it
// posts the event Put. What is sent to a connection that is ending is dropped, and
// so is what is sent to a client that has none now, which is reported, too. An error
// is that of Context.Post: there is no such session any more, or its
// kernel.QueueLimit is reached. Outside handlers use kernel.Kernel.Post.
func (conn *Conn[In, Out]) Send(c *kernel.Context, records ...Out) error {
	args := make([]any, len(records))
	for i, r := range records {
		args[i] = r
	}
	return c.Post(conn.self, Put, args...)
}

// Shutdown ends the connection in good order: no record comes any more, what is
// unsent is sent, and then Disconnected follows, within Limits.FlushTimeout (C12,
// C14, C30, C32). A client that is connecting, or waits to, gives up without a word
// (C33).
func (conn *Conn[In, Out]) Shutdown() {
	conn.asked = true
	conn.leave()
}

// Close ends the connection at once. What is unsent is lost. Disconnected follows
// when the current handler has returned. A client does not reconnect by itself.
func (conn *Conn[In, Out]) Close() {
	conn.asked = true
	conn.hangUp(nil)
}

// ShutdownOutput ends the output after what is queued was sent; records still
// come. See wheel.ReadWrite.ShutdownOutput for its errors.
func (conn *Conn[In, Out]) ShutdownOutput() error {
	if conn.rw == nil {
		return ErrNotConnected
	}
	return conn.rw.ShutdownOutput()
}

// PauseInput has the peer wait: no record comes until ResumeInput, and nothing is
// noticed of the peer meanwhile, not even its end.
func (conn *Conn[In, Out]) PauseInput() {
	if conn.rw != nil {
		conn.paused = true
		conn.rw.PauseInput()
	}
}

// ResumeInput ends PauseInput.
func (conn *Conn[In, Out]) ResumeInput() {
	if conn.rw != nil {
		if conn.paused && conn.k != nil {
			conn.heard = conn.k.Now()
		}
		conn.paused = false
		conn.rw.ResumeInput()
	}
}

// SetFilter changes the filter; what the old one had not parsed goes to the new
// one. A callback may do this between two records of one read (W28).
func (conn *Conn[In, Out]) SetFilter(f filter.Filter[In, Out]) error {
	if conn.rw == nil {
		return ErrNotConnected
	}
	rw, err := wheel.Exchange(conn.rw, conn.wheelConfig(f))
	if err == nil {
		conn.rw = rw
	}
	return err
}

// Connected reports whether there is a connection that is not about to end.
func (conn *Conn[In, Out]) Connected() bool { return conn.phase == open }

// Buffered is how many bytes of output are not sent yet.
func (conn *Conn[In, Out]) Buffered() int {
	if conn.rw == nil {
		return 0
	}
	return conn.rw.Buffered()
}

// High reports whether output has reached Limits.HighMark and not yet fallen to
// LowMark.
func (conn *Conn[In, Out]) High() bool { return conn.rw != nil && conn.rw.High() }

// ID is the wheel's, which its events carry in Context.Wheel; 0 without one.
func (conn *Conn[In, Out]) ID() kernel.WheelID {
	if conn.rw == nil {
		return 0
	}
	return conn.rw.ID()
}

// NetConn is the connection itself, for its options, such as those of a
// *net.TCPConn, or the state of a *tls.Conn. Nil without one. It is not for
// reading, writing or closing. On Linux the connection of a server with Address is a
// lean one (see wheel.SocketFactoryConfig) until it is asked for this, and still is
// one afterwards where wheel.TCPConn returns false: so ask for the type with ", ok".
func (conn *Conn[In, Out]) NetConn() net.Conn {
	if conn.rw == nil {
		return nil
	}
	nc := conn.rw.Conn()
	if tcp, ok := wheel.TCPConn(nc); ok {
		return tcp
	}
	return nc
}

// Err is why the connection ended, in Disconnected and after it: nil after a
// Shutdown or Close, and after the peer's end of input; a *wheel.Error after a
// failure; ErrIdle, ErrStuck.
func (conn *Conn[In, Out]) Err() error { return conn.err }

// Session is the address of the connection's session, or of the client's.
func (conn *Conn[In, Out]) Session() kernel.Address { return conn.self }

// RemoteAddr is the peer's address, also when the connection has ended. Nil before
// a client's first one.
func (conn *Conn[In, Out]) RemoteAddr() net.Addr {
	if e := conn.ends.Load(); e != nil {
		return e.remote
	}
	return nil
}

// LocalAddr is this side's address.
func (conn *Conn[In, Out]) LocalAddr() net.Addr {
	if e := conn.ends.Load(); e != nil {
		return e.local
	}
	return nil
}

// RemoteAddrPort is the peer's IP address, IPv6 or IPv4, and port (C7). It is not
// valid for a unix socket.
func (conn *Conn[In, Out]) RemoteAddrPort() netip.AddrPort {
	a, ok := conn.RemoteAddr().(interface{ AddrPort() netip.AddrPort })
	if !ok {
		return netip.AddrPort{}
	}
	at := a.AddrPort()
	return netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
}

// String is the session and the peer, for logs.
func (conn *Conn[In, Out]) String() string {
	return fmt.Sprintf("%v (%v)", conn.self, conn.RemoteAddr())
}
