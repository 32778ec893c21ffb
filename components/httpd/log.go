package httpd

import (
	"context"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/usher-go/usher/kernel"
)

// LogFormat is how Config.AccessLog is written.
type LogFormat int

const (
	// Common is Apache's: client, time, request line, status, bytes.
	Common LogFormat = iota

	// Combined adds Referer and User-Agent.
	Combined

	// JSON is an object a line, by slog: time, ip, method, uri, proto, status, bytes,
	// duration (nanoseconds), referer and agent.
	JSON
)

// entry is one request in the access log. Without an answer the status is 0, which
// the two of Apache show as "-".
type entry struct {
	ip       string
	began    time.Time
	req      *Request // nil of what was none
	status   int
	bytes    int64
	duration time.Duration
}

type accessLog struct {
	k     *kernel.Kernel
	line  func(entry) error
	mu    sync.Mutex
	cause string // of the last failure, so that a full disk is reported once
}

// newAccessLog returns nil without a writer.
func newAccessLog(k *kernel.Kernel, w io.Writer, f LogFormat) *accessLog {
	if w == nil {
		return nil
	}
	l := &accessLog{k: k}
	w = &apart{w: w}
	var lines sync.Mutex
	switch f {
	case JSON:
		h := slog.NewJSONHandler(w, &slog.HandlerOptions{ReplaceAttr: plainJSON})
		l.line = func(e entry) error { return h.Handle(context.Background(), e.record()) }
	default:
		l.line = func(e entry) error {
			b := e.apache(make([]byte, 0, 256), f == Combined)
			lines.Lock()
			defer lines.Unlock()
			_, err := w.Write(b)
			return err
		}
	}
	return l
}

// apart keeps lines apart: what a full disk has taken of one does not run into the next.
// One goroutine at a time may write.
type apart struct {
	w    io.Writer
	torn bool
}

func (a *apart) Write(line []byte) (int, error) {
	if a.torn {
		line = append([]byte{'\n'}, line...)
	}
	n, err := a.w.Write(line)
	if n > 0 {
		a.torn = err != nil && line[n-1] != '\n'
	}
	return n, err
}

// write never fails: who is served must not suffer from a log.
func (l *accessLog) write(e entry) {
	if l == nil {
		return
	}
	if e.began.IsZero() {
		e.began = time.Now()
	}
	err, cause := l.line(e), ""
	if err != nil {
		cause = err.Error()
	}
	l.mu.Lock()
	first := err != nil && cause != l.cause
	l.cause = cause
	l.mu.Unlock()
	if first {
		l.k.Report("httpd", saysAccessLog, err)
	}
}

// apache appends the line. What comes from outside is quoted, so that nobody writes
// lines of his own.
func (e entry) apache(b []byte, combined bool) []byte {
	b = append(b, strings.Map(plain, e.ip)...)
	b = append(b, " - - ["...)
	b = e.began.AppendFormat(b, "02/Jan/2006:15:04:05 -0700")
	b = append(b, "] "...)
	if e.req != nil {
		b = strconv.AppendQuoteToASCII(b, e.req.Method+" "+e.req.RequestURI+" "+e.req.Proto)
	} else {
		b = append(b, `"-"`...)
	}
	b = append(b, ' ')
	b = number10(b, int64(e.status))
	b = append(b, ' ')
	b = number10(b, e.bytes)
	if combined {
		for _, name := range []string{"Referer", "User-Agent"} {
			v := "-"
			if e.req != nil && e.req.Header.Get(name) != "" {
				v = e.req.Header.Get(name)
			}
			b = append(b, ' ')
			b = strconv.AppendQuoteToASCII(b, v)
		}
	}
	return append(b, '\n')
}

// plain keeps in one word what a client of a unix socket has called its own.
func plain(r rune) rune {
	if r <= ' ' || r > '~' {
		return '?'
	}
	return r
}

// number10 appends a number, and a hyphen for none.
func number10(b []byte, n int64) []byte {
	if n == 0 {
		return append(b, '-')
	}
	return strconv.AppendInt(b, n, 10)
}

func (e entry) record() slog.Record {
	r := slog.NewRecord(e.began, slog.LevelInfo, "", 0)
	r.AddAttrs(slog.String("ip", e.ip))
	if e.req != nil {
		r.AddAttrs(slog.String("method", e.req.Method), slog.String("uri", e.req.RequestURI), slog.String("proto", e.req.Proto))
	}
	r.AddAttrs(slog.Int("status", e.status), slog.Int64("bytes", e.bytes), slog.Duration("duration", e.duration))
	if e.req != nil {
		r.AddAttrs(slog.String("referer", e.req.Referer()), slog.String("agent", e.req.UserAgent()))
	}
	return r
}

// plainJSON leaves out what slog puts into every record.
func plainJSON(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && (a.Key == slog.LevelKey || a.Key == slog.MessageKey) {
		return slog.Attr{}
	}
	return a
}

// logged tells of a request that is over (H82, H58).
func (p *printer) logged(final *Response, complete bool) {
	s := p.x.server
	if s.log != nil {
		s.log.write(entry{ip: p.ip(), began: p.began, req: &p.req, status: p.code, bytes: p.x.sent.Load(), duration: time.Since(p.began)})
	}
	if !p.began.IsZero() && s.remembers() {
		p.remember()
	}
	if !complete || !s.cfg.Log2Handler.set() {
		return
	}
	if final == nil || final.Code != p.code {
		final = &Response{Code: p.code, Header: p.w.Header().Clone(), Connection: p.req.Connection, x: &p.x}
	}
	s.tell(s.cfg.Log2Handler, &p.req, final)
}
