package httpclient

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// wire is a pooled connection with an http.ClientConn on it, attached to it from
// user to user. For net/http it is the net.Conn. It counts what passes, and knows
// by who reads and who closes it where net/http has got to:
//
//   - between two answers, net/http always waits in Read. When it does, nothing is
//     left over of the last answer, and the connection may be lent again.
//   - when a connection is used up, for whatever reason, net/http closes it.
type wire struct {
	net.Conn
	owner  *Transport
	tls    *tls.ConnectionState // of the pool's TLS, nil without
	tunnel bool                 // HTTP is not all that passes
	http   *http.ClientConn

	mu      sync.Mutex
	changed sync.Cond // reading or closed
	reading bool
	closed  bool      // or about to be
	user    *exchange // nil while idle; the last one when closed
	idle    time.Time // since
}

func newWire(t *Transport, conn net.Conn, tunnel bool) *wire {
	w := &wire{Conn: conn, owner: t, tls: state(conn), tunnel: tunnel}
	w.changed.L = &w.mu
	return w
}

var (
	errClosed  = errors.New("httpclient: the connection is closed")
	errUnasked = errors.New("the server sent something before it was asked")
)

// take makes x the user of an idle connection, and says how long it was idle;
// false if it has ended.
func (w *wire) take(x *exchange) (idle time.Duration, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.settle()
	if w.closed {
		return 0, false
	}
	x.wire, x.reused, w.user = w, true, x
	return time.Since(w.idle), true
}

// rest ends the use of a connection that has answered everything; false if that is
// not so, and it must be closed.
func (w *wire) rest() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.settle()
	if w.closed {
		return false
	}
	w.user, w.idle = nil, time.Now()
	return true
}

// settle waits until net/http has come back to Read or closed the connection. It
// is on its way: nothing that could make it wait lies between an answer and that.
func (w *wire) settle() {
	for !w.reading && !w.closed {
		w.changed.Wait()
	}
}

// retire ends the connection if it is idle; it remains to be closed.
func (w *wire) retire() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || w.user != nil {
		return false
	}
	w.closed = true
	return true
}

// attached is what the pool sees of a wire: whether it still stands. To close it,
// the pool closes the connection.
type attached struct{ wire *wire }

func (a attached) Err() error {
	a.wire.mu.Lock()
	defer a.wire.mu.Unlock()
	if a.wire.closed {
		return errClosed
	}
	return nil
}

// Read refuses bytes that came to a kept connection before the request's first
// went out: net/http would take them for the answer, in the moment in which it
// already expects one.
func (w *wire) Read(p []byte) (int, error) {
	w.mu.Lock()
	w.reading = true
	w.changed.Broadcast()
	w.mu.Unlock()

	n, err := w.Conn.Read(p)

	w.mu.Lock()
	w.reading = false
	x := w.user
	if n > 0 && !w.tunnel && (x == nil || x.reused && !x.begun) {
		n, err = 0, errUnasked
	}
	if x != nil {
		x.received += int64(n)
		w.fails(x, err)
	}
	if err != nil { // it may take net/http a while to close: TLS behind a proxy says goodbye first
		w.closed = true
		w.changed.Broadcast()
	}
	w.mu.Unlock()
	return n, err
}

// Write counts what it sends.
func (w *wire) Write(p []byte) (int, error) {
	w.starts()
	n, err := w.Conn.Write(p)
	w.sent(int64(n), err)
	return n, err
}

// ReadFrom keeps the system's ways of sending a file.
func (w *wire) ReadFrom(r io.Reader) (int64, error) {
	w.starts()
	n, err := io.Copy(w.Conn, r)
	w.sent(n, writing(err))
	return n, err
}

// writing is what err says of the connection, which it may be r's to have failed.
func writing(err error) error {
	for op := (*net.OpError)(nil); errors.As(err, &op); err = op.Err {
		if op.Op == "write" {
			return op
		}
	}
	return nil
}

func (w *wire) starts() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.user != nil {
		w.user.begun = true
	}
}

func (w *wire) sent(n int64, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.user != nil {
		w.user.sent += n
		w.fails(w.user, err)
	}
}

// fails notes what ended the connection, unless we did. w.mu is held.
func (w *wire) fails(x *exchange, err error) {
	if err != nil && !w.closed && x.lost == nil {
		x.lost = err
	}
}

// CloseWrite is for upgraded connections.
func (w *wire) CloseWrite() error {
	if half, ok := w.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// Close ends the connection and its use. Net/http calls it, and who was given the
// connection by an upgrade.
func (w *wire) Close() error {
	w.mu.Lock()
	x := w.user
	upgraded := x != nil && x.upgraded
	w.closed = true
	w.changed.Broadcast()
	w.mu.Unlock()
	w.owner.forget(w)
	err := socket(w.Conn).Close()
	if x != nil {
		x.end(false)
	}
	if upgraded {
		x.free()
	}
	return err
}

// upgrade leaves the connection to x, whose end is that of the connection; it says
// whether that has come already.
func (w *wire) upgrade(x *exchange) (closed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	x.upgraded = true
	return w.closed
}

// socket is what carries a TLS connection, whose own Close would first write.
func socket(conn net.Conn) net.Conn {
	if secure, ok := conn.(*tls.Conn); ok {
		return secure.NetConn()
	}
	return conn
}

var _ io.ReaderFrom = (*wire)(nil)
