//go:build unix

package prefork

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

// listened is a pool whose workers run net/http's server.
var listened = pool("listened", func(dir string) Config {
	return Config{
		Listen: []string{"tcp://:0", unixAddress(dir)}, StartServers: 2, MinSpareServers: 2, MaxClients: 2,
		MaxRequests: Unlimited, ConnsPerServer: 10, CheckSpares: quick,
		Server: func(_ *kernel.Context, w *Worker) error {
			ln := w.Listener()
			server := &http.Server{Handler: http.HandlerFunc(func(a http.ResponseWriter, q *http.Request) {
				if q.URL.Path == "/close" {
					_ = ln.Close()
				}
				fmt.Fprint(a, os.Getpid())
			})}
			go func() {
				_ = server.Serve(ln)
				server.SetKeepAlivesEnabled(false)
			}()
			return nil
		},
	}
})

// get asks for a path, and returns the pid of the worker that has answered.
func (c *client) get(path string) (pid int, err error) {
	if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path); err != nil {
		return 0, err
	}
	a, err := http.ReadResponse(c.r, nil)
	if err != nil {
		return 0, err
	}
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(string(text))
}

func (c *client) mustGet(path string) int {
	c.t.Helper()
	pid, err := c.get(path)
	if err != nil {
		c.t.Fatal(err)
	}
	return pid
}

// A server that is no session serves all listeners, and drains like any other: no
// connection is lost, and idle ones hold nobody up.
func TestP10_P29_P65_ListenerOfAWorker(t *testing.T) {
	inModes(t, func(t *testing.T, mode kernel.Mode) {
		r := listened.run(t, mode, nil)
		r.showing("__")
		idle := r.dial()
		first := idle.mustGet("/")
		r.until("a busy worker", func(s Stats) bool { return strings.Count(s.Letters, "W") == 1 })
		socket := dial(t, "unix", r.Addrs()[1].String())
		socket.mustGet("/")
		_ = socket.Close()
		var stop atomic.Bool
		var clients sync.WaitGroup
		for range 3 {
			clients.Go(func() {
				for !stop.Load() {
					if err := r.getOnce(); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		for range 2 {
			if err := r.reload(); err != nil {
				t.Error(err)
			}
		}
		stop.Store(true)
		clients.Wait()
		idle.cut()
		if pid := r.dial().mustGet("/"); pid == first {
			t.Error("an old worker serves")
		}
		if s := r.stats(); s.Lost != 0 {
			t.Errorf("%+v", s)
		}
		if err := r.Shutdown(); err != nil {
			t.Error(err)
		}
		if err := r.wait(); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

// getOnce is one request on a connection of its own, for any goroutine.
func (r *running) getOnce() error {
	at := r.Addrs()[0]
	conn, err := net.DialTimeout(at.Network(), at.String(), patience)
	if err != nil {
		return err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	_, err = (&client{conn, r.t, bufio.NewReader(conn)}).get("/")
	return err
}

// A worker whose listener was closed finishes what it has, and is replaced.
func TestP66_ClosedListenerEndsItsWorker(t *testing.T) {
	inModes(t, func(t *testing.T, mode kernel.Mode) {
		r := listened.run(t, mode, nil)
		r.showing("__")
		c := r.dial()
		pid := c.mustGet("/close")
		c.cut()
		r.until("a replacement", func(s Stats) bool {
			for _, w := range s.Workers {
				if w.PID == pid {
					return false
				}
			}
			return s.Letters == "__" && s.Started == 3 && s.Lost == 0
		})
		r.dial().mustGet("/")
	})
}
