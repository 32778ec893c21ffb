package httpd_test

import (
	"bufio"
	"errors"
	"math"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/components/httpd"
	"github.com/usher-go/usher/kernel"
)

// A Handler's own deadline for writing stands, and is over with its request; a later one
// than Config.WriteTimeout changes nothing.
func TestH24_H91_HandlersWriteDeadline(t *testing.T) {
	big := []byte(strings.Repeat("x", 1<<20))
	for own, want := range map[time.Duration]time.Duration{3 * time.Second: 3 * time.Second, time.Hour: 17 * time.Second} {
		var ended chan error // of the bubble
		cfg := httpd.Config{KeepAlive: true, WriteTimeout: 17 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(own)); err != nil {
				t.Error(err)
			}
			if q.URL.Path == "/big" {
				_, err := w.Write(big)
				ended <- err
			}
		})}
		inBubble(t, cfg, pages{"foo": hello}, func(t *testing.T, dial func() *peer, _ *rig) {
			ended = make(chan error, 1)
			p := dial()
			p.in = bufio.NewReader(p)
			p.get("/small")
			p.want(200, "")
			time.Sleep(10 * time.Second) // of the bubble
			p.get("/foo")
			p.want(200, "hello")
			began := time.Now()
			p.get("/big") // and nothing is read
			err := <-ended
			if d := time.Since(began); !errors.Is(err, os.ErrDeadlineExceeded) || d < want || d > want*9/8 {
				t.Errorf("deadline %v: %v after %v; want %v", own, err, d, want)
			}
		})
	}
}

// What is longer than any connection is no limit, and not a limit that has passed.
func TestH91_HugeLimits(t *testing.T) {
	const ever = time.Duration(math.MaxInt64)
	r := newRig(t, kernel.Parallel)
	s := r.serve(httpd.Config{
		KeepAlive: true, MaxBody: math.MaxInt64, MaxHeader: math.MaxInt, MaxConns: math.MaxInt, MaxStream: math.MaxInt,
		ReadHeaderTimeout: ever, ReadTimeout: ever, WriteTimeout: ever, IdleTimeout: ever, AnswerTimeout: ever, ShutdownTimeout: ever,
	}, pages{"foo": hello})
	p := dial(t, s)
	for range 2 {
		p.send("POST /foo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi")
		p.want(200, "hello")
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}
