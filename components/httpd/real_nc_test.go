package httpd_test

import (
	"net"
	"regexp"
	"testing"

	"github.com/usher-go/usher/components/httpd"
	"github.com/usher-go/usher/kernel"
)

var dates = regexp.MustCompile(`Date: [^\r]+ GMT\r\n`)

// What nc sends is nobody's idea of HTTP but ours, and what it prints is every byte.
func TestH32_H38_H39_H61_H62_H67_RawRequests(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		s := r.serve(r.logs(httpd.Config{KeepAlive: true}), pages{"foo": hello})
		host, port, err := net.SplitHostPort(s.Addrs()[0].String())
		if err != nil {
			t.Fatal(err)
		}
		const (
			kept = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"
			last = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"
		)
		for _, test := range []struct{ sent, want string }{
			{"GET /foo HTTP/1.1\r\nHost: x\r\n\r\nGET /foo HTTP/1.1\nHost: x\n\nGET /foo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", kept + kept + last},
			{"GET /foo HTTP/1.0\r\n\r\n", "HTTP/1.0 200 OK\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"},
			{"GET /foo HTTP/1.1\r\n\r\n", "HTTP/1.1 400 Bad Request: missing required Host header\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n400 Bad Request: missing required Host header"},
			{"HELO nobody\r\n\r\n", "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n400 Bad Request"},
		} {
			if got := dates.ReplaceAllString(program(t, test.sent, "nc", host, port), ""); got != test.want {
				t.Errorf("to %q\ncame %q\nwant %q", test.sent, got, test.want)
			}
		}
		r.awaitN("log nil 127.0.0.1", 2) // of the two that were refused
		r.empty(s)
		if st := s.Stats(); st.Served != 4 || st.Refused != 2 || r.count("log GET /foo") != 4 {
			t.Errorf("%+v; the log is %q", st, r.entries())
		}
	})
}
