package httpd_test

import (
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/usher-go/usher/components/httpd"
	"github.com/usher-go/usher/kernel"
)

// workers have n clients at once make so many requests each, on a connection each.
func workers(t *testing.T, s *httpd.Server, n, requests int) {
	t.Helper()
	var all sync.WaitGroup
	for range n {
		p := dial(t, s)
		all.Go(func() {
			defer p.Close()
			for range requests {
				if err := p.tryHello(); err != nil {
					t.Errorf("a client that works: %v", err)
					return
				}
			}
		})
	}
	all.Wait()
}

var errWrong = errors.New("a wrong answer")

// tryHello asks for /foo, for goroutines that may not end the test.
func (p *peer) tryHello() error {
	if _, err := io.WriteString(p, "GET /foo HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		return err
	}
	a, b, err := p.read("GET")
	if err == nil && (a.StatusCode != 200 || b != "hello" || a.Close) {
		err = errWrong
	}
	return err
}

// files are this process's descriptors.
func files(t *testing.T) int {
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skipf("cannot count descriptors: %v", err)
	}
	return len(list)
}

// serving is how many goroutines net/http has for connections. (The kernel has more
// or fewer of its own as it needs them.)
func serving() int {
	var all strings.Builder
	_ = pprof.Lookup("goroutine").WriteTo(&all, 2)
	return strings.Count(all.String(), "net/http.(*conn).serve(")
}

// held is the memory in use: heap and stacks.
func held() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what has a finalizer goes with the second
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

// Connections that say nothing keep nobody from working, and leave nothing. Both
// ends are in this process: each costs two descriptors.
func TestH64_H66_H91_IdleCrowd(t *testing.T) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	n := min(mostIdle, int(min(limit.Cur, 1<<20)-500)/2)
	if n < 100 {
		t.Skipf("a limit of %d descriptors; raise ulimit -n", limit.Cur)
	}
	r := newRig(t, kernel.Parallel)
	cfg, b := r.keepBooks(httpd.Config{KeepAlive: true, MaxConns: httpd.NoLimit})
	s := r.serve(cfg, pages{"foo": hello})
	workers(t, s, 1, 1) // what is made once
	r.empty(s)
	runtime.GC() // connections of earlier tests
	open, before := files(t), held()

	idle := make([]net.Conn, n)
	var dials sync.WaitGroup
	for part := range 64 {
		dials.Go(func() {
			for i := part; i < n; i += 64 {
				nc, err := net.Dial("tcp", s.Addrs()[0].String())
				if err != nil {
					t.Errorf("connection %d: %v", i, err)
					return
				}
				idle[i] = nc
				p := newPeer(t, nc)
				if err := p.tryHello(); err != nil {
					t.Errorf("connection %d: %v", i, err)
				}
			}
		})
	}
	dials.Wait()
	if t.Failed() {
		t.FailNow()
	}
	if got := s.Stats().Connections; got != n {
		t.Errorf("%d connections; want %d", got, n)
	}
	t.Logf("%d idle connections: %d bytes each, both ends", n, int64(held()-before)/int64(n))
	workers(t, s, 100, 20)
	r.until("those who worked are gone", func() bool { return s.Stats().Connections == n })
	for _, nc := range idle {
		nc.Close()
	}
	r.empty(s)
	r.balance(b, int64(1+n+100*20))
	r.until("the descriptors are back", func() bool { return files(t) <= open })
	r.until("nobody serves any more", func() bool { return serving() == 0 })
}

// Slowloris: each sends its header a byte at a time, and never comes to its end. A
// byte moves no deadline.
func TestH32_H91_Slowloris(t *testing.T) {
	const slow = 200
	r := newRig(t, kernel.Parallel)
	cfg, b := r.keepBooks(httpd.Config{KeepAlive: true, ReadHeaderTimeout: 4 * time.Second})
	cfg.ErrorHandler = httpd.Target{Session: "books", Event: "error"}
	s := r.serve(cfg, pages{"foo": hello})
	var all sync.WaitGroup
	for range slow {
		p := dial(t, s)
		p.send("GET /foo HTTP/1.1\r\nHost: x\r\nX-Slow: ")
		all.Go(func() {
			gone := make(chan struct{})
			go func() { _, _ = io.Copy(io.Discard, p); close(gone) }()
			each := time.NewTicker(50 * time.Millisecond)
			defer each.Stop()
			for {
				select {
				case <-gone:
					return
				case <-each.C:
					_, _ = io.WriteString(p, "x")
				}
			}
		})
	}
	r.until("all are there, or were", func() bool { st := s.Stats(); return st.Connections+int(st.Refused) >= slow })
	workers(t, s, 20, 20)
	all.Wait() // the server has hung up on each of them
	r.empty(s)
	r.until("all are in the logs", func() bool { return b.asked.Load() == slow+20*20 && b.lines.Load() == slow+20*20 })
	if st := s.Stats(); st.Refused != slow || st.Served != 20*20 || b.answered.Load() != 20*20 || b.failed.Load() != 0 {
		t.Errorf("%+v, %d answered; want %d requests, and %d refused", st, b.answered.Load(), 20*20, slow)
	}
}
