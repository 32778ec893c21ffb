package keepalive

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel/wheeltest"
)

// get allocates and waits for the response.
func (u *user) get(r Request) Response {
	u.t.Helper()
	r.Event = evGot
	if r.Scheme == "" {
		r.Scheme = "test"
	}
	u.do(func(c *kernel.Context) error {
		_, err := u.pool.Allocate(c, r)
		return err
	})
	return u.take()
}

// empties waits until the pool holds nothing.
func (u *user) empties() {
	u.t.Helper()
	until(u.t, "the pool holds nothing", func() bool { s, err := u.pool.Stats(); return err == nil && s.Load == (Load{}) })
}

// TestA46_A47_BothFamiliesOnLoopback: by literals, by the system's resolver, and by a
// name whose other address refuses.
func TestA46_A47_A50_BothFamiliesOnLoopback(t *testing.T) {
	k := running(t, kernel.Parallel)
	system := newUser(t, k, startPool(t, k, Config{}))
	both := newUser(t, k, startPool(t, k, Config{Resolver: static{"both": {"::1", "127.0.0.1"}}}))
	for addr, names := range map[string]map[string]*user{
		"127.0.0.1": {"127.0.0.1": system, "localhost": system, "both": both},
		"::1":       {"::1": system, "both": both},
	} {
		ln, err := net.Listen("tcp", net.JoinHostPort(addr, "0"))
		if err != nil {
			t.Log(err) // a machine without IPv6
			continue
		}
		defer ln.Close()
		for name, u := range names {
			r := u.get(Request{Addr: name, Port: ln.Addr().(*net.TCPAddr).Port})
			if r.Err != nil || r.Conn.NetConn().RemoteAddr().String() != ln.Addr().String() {
				t.Errorf("%s: got %+v, want %v", name, r, ln.Addr())
				continue
			}
			_ = r.Conn.Close()
		}
	}
}

func TestA50_NameWithADeadFirstAddress(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		e := newEcho(t)
		u := newUser(t, k, startPool(t, k, Config{Resolver: static{"db": {"127.0.0.9", "127.0.0.1"}}}))
		if r := u.get(Request{Addr: "db", Port: e.port()}); r.Err != nil || r.Conn.NetConn().RemoteAddr().String() != e.Addr().String() {
			t.Errorf("got %+v", r)
		}
	})
}

// TestUnixSocket_LentReleasedLentAgain: Config.BindAddress is not for these.
func TestUnixSocket_LentReleasedLentAgain(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		u := newUser(t, k, startPool(t, k, Config{BindAddress: "127.0.0.1"}))
		paths := []string{filepath.Join(t.TempDir(), "socket")}
		if runtime.GOOS == "linux" {
			paths = append(paths, fmt.Sprintf("@usher-keepalive-%p", u))
		}
		for _, path := range paths {
			ln, err := net.Listen("unix", path)
			if err != nil {
				t.Fatal(err)
			}
			defer ln.Close()
			go serveEcho(ln)
			for _, from := range []string{"", "immediate"} {
				r := u.get(Request{Addr: path})
				if r.Err != nil || r.FromCache != from {
					t.Fatalf("got %+v", r)
				}
				conn := r.Conn.NetConn()
				fmt.Fprintln(conn, "hello")
				if got, err := bufio.NewReader(conn).ReadString('\n'); got != "hello\n" {
					t.Fatalf("got %q, %v", got, err)
				}
				if err := r.Conn.Release(); err != nil {
					t.Fatal(err)
				}
			}
			r := u.get(Request{Addr: path})
			_ = r.Conn.NetConn().(*net.UnixConn).CloseWrite() // half closed (A87)
			_ = r.Conn.Release()
			if s, err := u.pool.Stats(); err != nil || s.Load != (Load{}) {
				t.Errorf("%+v, %v", s, err)
			}
		}
		if r := u.get(Request{Addr: paths[0] + " not there"}); r.Function != "connect" || !errors.Is(r.Err, syscall.ENOENT) {
			t.Errorf("got %+v", r)
		}
	})
}

func serveEcho(ln net.Listener) {
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			for s := bufio.NewScanner(c); s.Scan(); {
				fmt.Fprintln(c, s.Text())
			}
		}()
	}
}

// TestA101_CancelledMidway: of a thousand connections that are given up while
// they are opened no descriptor stays.
func TestA101_CancelledMidway(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		e := newEcho(t)
		descriptors := openDescriptors(t)
		u := newUser(t, k, startPool(t, k, Config{MaxPerHost: 50, MaxOpen: 50, KeepAlive: time.Millisecond}))
		for range 20 {
			var ids []RequestID
			u.do(func(c *kernel.Context) error {
				for range 50 {
					id, err := u.pool.Allocate(c, Request{Scheme: "test", Addr: "127.0.0.1", Port: e.port(), Event: evGot})
					if err != nil {
						return err
					}
					ids = append(ids, id)
				}
				return nil
			})
			for _, id := range ids {
				if err := u.pool.Deallocate(id); err != nil {
					t.Fatal(err)
				}
			}
		}
		u.empties()
		until(t, "no descriptor is left", func() bool { return openDescriptors(t) <= descriptors })
		for len(u.got) > 0 { // was posted before it was cancelled
			if r := <-u.got; r.Conn == nil || r.Conn.NetConn() != nil {
				t.Errorf("a cancelled request was answered: %+v", r)
			}
		}
	})
}

// TestA75_NetworkThatCallsBack, from goroutines of its own, while requests are
// cancelled and connections refused: every attempt frees its slot.
func TestA75_A101_NetworkThatCallsBack(t *testing.T) {
	for _, m := range []kernel.Mode{kernel.Parallel, kernel.Serial} {
		n := wheeltest.New(wheeltest.Config{Link: wheeltest.Link{Jitter: 100 * time.Microsecond}})
		n.SetHost("db", "10.0.0.1", "fd00::1")
		ln, err := n.Listen(background, "tcp", "[fd00::1]:80")
		if err != nil {
			t.Fatal(err)
		}
		go serveEcho(ln)
		k := runningWith(t, kernel.Config{Mode: m, Network: n})
		u := newUser(t, k, startPool(t, k, Config{MaxPerHost: 3, KeepAlive: time.Millisecond}))
		cancelled, connected := 0, 0
		for i := range 100 {
			var id RequestID
			u.do(func(c *kernel.Context) (err error) {
				id, err = u.pool.Allocate(c, Request{Scheme: "test", Addr: "db", Port: 80 + i%5/4, Event: evGot})
				return err
			})
			if i%3 == 0 && u.pool.Deallocate(id) == nil {
				cancelled++
				continue
			}
			r := u.take()
			for r.ID != id { // which was cancelled
				r = u.take()
			}
			if r.Err == nil {
				connected++
				_ = r.Conn.Close()
			} else if !errors.Is(r.Err, syscall.ECONNREFUSED) {
				t.Error(r.Err)
			}
		}
		u.empties()
		u.pool.Shutdown()
		ln.Close()
		n.Check(t)
		if cancelled < 20 || connected < 40 {
			t.Errorf("%d cancelled, %d connected", cancelled, connected)
		}
	}
}
