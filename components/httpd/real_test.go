package httpd_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/usher-go/usher/components/httpd"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// program runs a client that is not ours, with a deadline, and returns what it
// printed.
func program(t *testing.T, input, name string, args ...string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%v; see .ci/run for the package that has it", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stdin = strings.NewReader(input)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// books are what a server's three logs say, by number.
type books struct {
	asked    atomic.Int64 // LogHandler
	answered atomic.Int64 // Log2Handler, with 200
	failed   atomic.Int64 // Log2Handler, with another code
	lines    atomic.Int64 // AccessLog
}

// Write is for AccessLog.
func (b *books) Write(p []byte) (int, error) {
	b.lines.Add(int64(bytes.Count(p, []byte("\n"))))
	return len(p), nil
}

// keepBooks has a server's requests counted.
func (r *rig) keepBooks(cfg httpd.Config) (httpd.Config, *books) {
	b := &books{}
	r.spawn("books",
		session.Handle("asked", func(*kernel.Context) error { b.asked.Add(1); return nil }),
		session.Handle("error", func(*kernel.Context) error { return nil }),
		session.Handle("answered", func(c *kernel.Context) error {
			if c.Arg(1).(*httpd.Response).Code == 200 {
				b.answered.Add(1)
			} else {
				b.failed.Add(1)
			}
			return nil
		}))
	cfg.LogHandler = httpd.Target{Session: "books", Event: "asked"}
	cfg.Log2Handler = httpd.Target{Session: "books", Event: "answered"}
	cfg.AccessLog = b
	return cfg, b
}

// balance wants each log to have n requests, all of them answered well.
func (r *rig) balance(b *books, n int64) {
	r.t.Helper()
	r.until("the logs have all requests", func() bool { return b.asked.Load() >= n && b.answered.Load() >= n && b.lines.Load() >= n })
	if asked, answered, failed, lines := b.asked.Load(), b.answered.Load(), b.failed.Load(), b.lines.Load(); asked != n || answered != n || failed != 0 || lines != n {
		r.t.Errorf("%d requests; LogHandler has %d, Log2Handler %d and %d that failed, AccessLog %d", n, asked, answered, failed, lines)
	}
}

// empty wants nothing to be left of what a server had.
func (r *rig) empty(s *httpd.Server) {
	r.t.Helper()
	r.until("no request and no connection is left", func() bool { st := s.Stats(); return st.Requests == 0 && st.Connections == 0 })
}
