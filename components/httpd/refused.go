package httpd

import (
	"bytes"
	"errors"
	"log"
	"strings"
)

// encrypted is what is shorter than any encrypted answer, and longer than TLS's own
// good-bye.
const encrypted = 96

// note keeps the status line of an answer that no handler gave. Under TLS it can
// only be guessed that there was one.
func (c *conn) note(b []byte) {
	switch {
	case c.tls.Load() != nil:
		if len(b) > encrypted && (c.heard.Load() || c.turn.between()) && !c.http2() {
			c.refused(unseen)
		}
	case bytes.HasPrefix(b, []byte("HTTP/1.")):
		line, _, _ := bytes.Cut(b, []byte("\r\n"))
		_, status, _ := bytes.Cut(line, []byte(" "))
		c.refused(string(status))
	}
}

const unseen = "400 or the like, encrypted"

// refused ends net/http's wait for a body that nobody wants, for which it sets
// itself no limit.
func (c *conn) refused(text string) {
	c.refusal.Store(&text)
	_ = c.SetReadDeadline(deadline(linger))
}

var errNoAnswer = errors.New("it ended, or was not complete in time")

// refuse tells of what was no request (H32).
func (s *Server) refuse(c *conn) {
	s.refused.Add(1)
	why, status := errNoAnswer, 0
	if text := c.refusal.Load(); text != nil {
		why = errors.New(*text)
		status = statusOf(*text)
	}
	s.tell(s.cfg.LogHandler, nil, c.info.RemoteIP)
	s.complain(saysMalformed, c.info.RemoteIP, why)
	s.log.write(entry{ip: c.info.RemoteIP, status: status})
}

// statusOf reads the three digits that a refusal begins with.
func statusOf(text string) (n int) {
	for _, r := range text[:min(3, len(text))] {
		if r < '0' || r > '9' {
			return 0
		}
		n = 10*n + int(r-'0')
	}
	return n
}

// errorLog takes what net/http would log: failed handshakes (H94), panics of
// Config.Handler, misuse of its http.ResponseWriter. A client that leaves before it
// has said anything is no news (H75).
func (s *Server) errorLog() *log.Logger { return log.New(logLines{s}, "", 0) }

type logLines struct{ s *Server }

func (l logLines) Write(b []byte) (int, error) {
	line := strings.TrimSpace(strings.TrimPrefix(string(b), "http: "))
	says := saysNetHTTP
	if rest, ok := strings.CutPrefix(line, "TLS handshake error "); ok {
		if strings.HasSuffix(rest, ": EOF") || strings.HasSuffix(rest, "connection reset by peer") {
			return len(b), nil
		}
		says, line = saysHandshake, rest
	}
	l.s.complain(says, "", errors.New(line))
	return len(b), nil
}
