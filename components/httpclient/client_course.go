package httpclient

import (
	"context"
	"errors"
	"net"
	"net/http/httptrace"
	"net/textproto"
	"strconv"
	"sync"
	"syscall"

	"github.com/usher-go/usher/components/keepalive"
)

// course is how far a request has come, as its transport tells the hooks of
// net/http/httptrace. They run on any goroutine, also when the request is over.
type course struct {
	mu   sync.Mutex
	at   stage
	peer string
}

type stage int

const (
	unknown    stage = iota // before anything, or the transport does not tell
	connecting              // waits for a connection
	asking                  // has one
	answering               // the first octet of the answer is there
)

func (p *course) trace(touch func()) *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn: func(string) { p.reach(connecting, "") },
		GotConn: func(i httptrace.GotConnInfo) { p.reach(asking, peerOf(i.Conn)) },
		GotFirstResponseByte: func() {
			touch()
			p.mu.Lock()
			defer p.mu.Unlock()
			p.at = answering
		},
	}
}

func (p *course) reach(at stage, peer string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at, p.peer = at, peer
}

func (p *course) look() (at stage, peer string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.at, p.peer
}

// peerOf is POE's form of a connection's other end: a period before the port.
func peerOf(conn net.Conn) string {
	if conn == nil {
		return ""
	}
	if a, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		return a.IP.String() + "." + strconv.Itoa(a.Port)
	}
	return conn.RemoteAddr().String()
}

// kindOf says what an error of http.Client or of a body means, by how far the
// request had come (A117). Nothing but the stage tells net/http's complaint about
// a malformed answer from others: it has no type.
func kindOf(err error, at stage) error {
	for _, kind := range []error{ErrScheme, ErrParse, ErrTooLarge} {
		if errors.Is(err, kind) {
			return kind
		}
	}
	var (
		errno   syscall.Errno
		failed  net.Error
		op      *net.OpError
		line    textproto.ProtocolError
		borrow  *keepalive.Error
		late    = errors.As(bare(err), &failed) && failed.Timeout()
		network = errors.As(err, &op) || errors.As(err, &errno) || isEOF(err)
	)
	if errors.As(err, &borrow) || errors.As(err, &op) && op.Op == "dial" {
		at = connecting
	}
	switch {
	case errors.Is(err, keepalive.ErrShutDown):
		return ErrShutDown
	case errors.Is(err, ErrArgument), // a proxy that is none
		errors.Is(err, keepalive.ErrCircuitOpen): // whatever failed before
		return ErrConnect
	case errors.Is(err, context.DeadlineExceeded):
		return ErrTimeout
	case errors.Is(err, context.Canceled):
		return ErrCancelled
	case late && (at == connecting || !errors.As(err, &errno)):
		return ErrTimeout
	case at == connecting:
		return ErrConnect
	case network:
		return ErrNoAnswer
	case at == answering || errors.As(err, &line):
		return ErrParse
	}
	return ErrNoAnswer
}
