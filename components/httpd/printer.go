package httpd

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"time"
)

// printer writes one answer. Only the request's goroutine has it.
type printer struct {
	w     http.ResponseWriter
	req   Request
	x     exchange
	began time.Time // with an access log or a status page
	late  *time.Timer
	own   int // the code of the server's own answer
	code  int // that was sent; 0 before
}

func (s *Server) newPrinter(w http.ResponseWriter, r *http.Request, c *conn) *printer {
	p := &printer{w: w, req: Request{Request: r, Connection: &c.info}, x: exchange{server: s, conn: c}}
	if s.log != nil || s.remembers() {
		p.began = time.Now()
	}
	return p
}

func (p *printer) ip() string { return p.req.Connection.RemoteIP }

// linger is how long a body that nobody wants may still come, so that its sender
// finds the answer and not a broken connection.
const linger = 500 * time.Millisecond

// refuse has the server answer itself.
func (p *printer) refuse(code int) {
	p.own = code
	if p.req.ContentLength != 0 {
		_ = http.NewResponseController(p.w).SetReadDeadline(deadline(linger))
	}
	p.x.happen(vFailed)
}

// write sends what is decided until the answer is complete, and reports whether it
// is; if not, the client must not take it for one.
func (p *printer) write() (complete bool) {
	defer p.x.forget()
	for {
		t := p.x.take()
		for _, piece := range t.pieces {
			if !p.piece(piece) {
				p.logged(nil, false)
				return false
			}
		}
		switch t.phase {
		case ended:
			complete = p.finish(t.by, t.final)
			p.logged(t.final, complete)
			return complete
		case lost:
			p.logged(nil, false)
			return false
		}
		p.wait()
	}
}

// wait lasts until something happens.
func (p *printer) wait() {
	var late <-chan time.Time
	if d := p.x.server.cfg.AnswerTimeout; d > 0 && p.code == 0 {
		if p.late == nil {
			p.late = time.NewTimer(d)
		}
		late = p.late.C
	}
	gone := p.req.Context().Done()
	select {
	case <-p.x.wake:
	case <-late:
		if p.x.happen(vExpired) {
			p.x.complain(saysExpired, fmt.Errorf("%s %s: %w", p.req.Method, p.req.URL.Path, errDropped))
		}
	case <-gone:
		p.left(p.req.Context().Err())
	}
}

// left is told when the client has gone, or a write to it failed.
func (p *printer) left(err error) {
	switch here := p.x.happen(vGone); {
	case !here:
	case p.x.server.now() >= isCut:
		p.x.complain(saysUnfinished, fmt.Errorf("connection %d", p.req.Connection.ID)) // H92
	case p.code != 0 || p.x.streaming(): // an answer was begun
		p.x.complain(saysGone, err)
	}
}

// finish ends the answer.
func (p *printer) finish(by verb, final *Response) bool {
	flowed := p.code != 0
	switch {
	case by == vDone && flowed:
		return len(final.Content) == 0 || p.piece(piece{data: final.Content})
	case by > vGone && !flowed:
		return p.answer(p.ownAnswer())
	case by == vDone:
		return p.answer(final.Code, final.Header, final.Content)
	case by == vClose && flowed:
		if p.req.ProtoMajor == 1 {
			p.x.conn.retire()
		}
		return true
	}
	return false
}

func (p *printer) ownAnswer() (int, http.Header, []byte) {
	code := p.own
	if code == 0 {
		code = http.StatusInternalServerError
	}
	return code, nil, fmt.Appendln(nil, code, http.StatusText(code))
}

// answer sends a whole one.
func (p *printer) answer(code int, head http.Header, body []byte) bool {
	p.begin(code, head, len(body))
	return p.send(body)
}

// piece sends one of a stream, and has the next made when it has gone (H55).
func (p *printer) piece(v piece) bool {
	if p.code == 0 {
		p.begin(v.code, v.head, -1)
	}
	if !p.send(v.data) {
		return false
	}
	if err := http.NewResponseController(p.w).Flush(); err != nil {
		p.left(err)
		return false
	}
	p.x.gone(len(v.data))
	if v.back != nil {
		p.x.server.tell(p.x.callback(), v.back)
	}
	return true
}

func (p *printer) send(body []byte) bool {
	if p.req.Method == http.MethodHead || !bodyAllowed(p.code) || len(body) == 0 { // H41
		return true
	}
	n, err := p.w.Write(body)
	p.x.sent.Add(int64(n))
	switch {
	case errors.Is(err, http.ErrContentLength): // the program's own header was wrong
		p.x.complain(saysWrite, err)
	case err != nil:
		p.left(err)
	}
	return err == nil
}

var plainText = []string{"text/plain"}

// begin sends status and headers; size is that of the body, or -1 of a stream.
func (p *printer) begin(code int, head http.Header, size int) {
	h := p.w.Header()
	maps.Copy(h, head)
	if bodyAllowed(code) {
		if h["Content-Type"] == nil {
			h["Content-Type"] = plainText // H39
		}
		if h["Content-Length"] == nil {
			setLength(h, size, p.req.Method == http.MethodHead)
		}
	}
	if p.x.server.now() != isOpen || p.x.conn.unkept.Load() || mustClose(p.req.Request, code) {
		h.Set("Connection", "close")
	}
	p.code = code
	p.w.WriteHeader(code)
}
