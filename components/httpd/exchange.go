package httpd

import (
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
)

// exchange is what stands between a Response, which anybody may use at any time,
// and the request's goroutine, which alone writes. It does not know the Response
// before that is done, so that one which nobody has can be found. A Response that no
// server has made has none.
type exchange struct {
	server *Server
	conn   *conn
	sent   atomic.Int64

	mu      sync.Mutex
	phase   phase
	by      verb // what ended it
	final   *Response
	stream  *stream // nil unless the Response was marked
	cleanup runtime.Cleanup
	wake    chan struct{} // made when the request's goroutine has to wait
}

// stream is what an exchange knows of one.
type stream struct {
	call   Target // what it calls back
	flowed bool   // Send was called
	pieces []piece
	unsent int // bytes in pieces
}

func (s *stream) begun() bool { return s != nil && s.flowed }

// piece is what one Send has to send.
type piece struct {
	code int // and header: of the first
	head http.Header
	data []byte
	back *Response // to be called back with
}

// do has one thing happen, and tells the ErrorHandler what cannot be.
func (x *exchange) do(v verb, r *Response) {
	if x == nil {
		return
	}
	verdict, says := x.apply(v, r)
	if verdict == retire {
		x.conn.retire()
	}
	if says != "" {
		x.complain(says, fmt.Errorf("%s for connection %d", verbNames[v], x.conn.info.ID))
	}
}

var verbNames = [verbs]string{vDone: "DONE", vClose: "CLOSE", vStream: "STREAM"}

func (x *exchange) complain(says string, err error) {
	x.server.complain(says, x.conn.info.RemoteIP, err)
}

// happen has happen what the program does not do itself, and reports whether it
// counts.
func (x *exchange) happen(v verb) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	m := moves[x.phase][v]
	x.phase = m.to
	if m.verdict == take {
		x.by = v
		x.rouse()
	}
	return m.verdict == take
}

// apply is what the program does, and says what is wrong with that.
func (x *exchange) apply(v verb, r *Response) (verdict, string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if v == vStream && x.stream == nil {
		return pass, saysUnmarked
	}
	if x.wake != nil && x.phase < ended && x.conn.dead.Load() {
		x.phase, x.by = lost, vGone // the request's goroutine is about to see it, too
		x.rouse()
	}
	m := moves[x.phase][v]
	x.phase = m.to
	switch m.verdict {
	case again:
		return again, saysAnswered
	case absent:
		return absent, saysGone
	case take:
		x.by = v
		return take, x.accept(v, r)
	}
	return m.verdict, ""
}

func (x *exchange) accept(v verb, r *Response) (says string) {
	defer x.rouse()
	if v != vClose && !x.stream.begun() && (r.Code < 200 || r.Code > 999) { // net/http would panic
		r.Code, says = http.StatusInternalServerError, saysBadCode
	}
	switch v {
	case vDone:
		x.final = r
	case vStream:
		if !x.push(r) {
			x.stream.pieces, x.phase, x.by, says = nil, lost, vGone, saysTooFast
		}
	}
	return says
}

// push queues a piece, and reports false when there are too many.
func (x *exchange) push(r *Response) bool {
	st, p := x.stream, piece{data: r.Content}
	if !st.flowed {
		p.code, p.head = r.Code, r.Header.Clone()
		st.flowed = true
	}
	if st.call.set() {
		p.back = r
	}
	r.Content = nil
	st.unsent += len(p.data)
	st.pieces = append(st.pieces, p)
	m := x.server.cfg.MaxStream
	return m == 0 || st.unsent <= m
}

// rouse wakes the request's goroutine, if it waits.
func (x *exchange) rouse() {
	if x.wake != nil {
		select {
		case x.wake <- struct{}{}:
		default:
		}
	}
}

func (x *exchange) mark(to Target) {
	if x == nil {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.stream == nil {
		x.stream = &stream{}
	}
	x.stream.call = to
}

func (x *exchange) streaming() bool {
	if x == nil {
		return false
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.stream.begun()
}

var errDropped = errors.New("answer every Response with Done or Close")

// release ends the handler's turn: from now on the program may forget the
// Response.
func (x *exchange) release(r *Response) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.phase == ended || x.phase == lost {
		return
	}
	x.wake = make(chan struct{}, 1)
	x.cleanup = runtime.AddCleanup(r, func(x *exchange) {
		if x.happen(vDropped) {
			x.complain(saysDropped, errDropped)
		}
	}, x)
}

// taken is what the request's goroutine has to do next.
type taken struct {
	pieces []piece
	phase  phase
	by     verb
	final  *Response
}

func (x *exchange) take() taken {
	x.mu.Lock()
	defer x.mu.Unlock()
	t := taken{nil, x.phase, x.by, x.final}
	x.final = nil
	if st := x.stream; st != nil {
		t.pieces, st.pieces = st.pieces, nil
	}
	return t
}

// gone says that n bytes of a stream have left.
func (x *exchange) gone(n int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.stream.unsent -= n
}

// callback is where a stream calls back: nowhere, once it has ended.
func (x *exchange) callback() Target {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.phase != flowing {
		return Target{}
	}
	return x.stream.call
}

// forget ends the exchange: nobody writes any more. What it still knew would keep
// the Response for ever, through its clean-up.
func (x *exchange) forget() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.phase < ended {
		x.phase = lost
	}
	x.final = nil
	if x.stream != nil {
		x.stream.pieces = nil
	}
	x.cleanup.Stop()
}
