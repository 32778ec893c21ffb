package wheel_test

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

// TestSoakManyConnections has up to 10,000 connections at once, each with a
// session and a wheel of its own: all idle, all talking, a third reset, a third
// half closed and a third closed. Nothing may be left, and it prints what an idle
// one costs this process.
func TestSoakManyConnections(t *testing.T) {
	if os.Getenv("USHER_SOAK") != "1" {
		t.Skip("takes a while; set USHER_SOAK=1")
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	n := min(10000, int(limit.Cur-500)/2)
	k := kernel.New(kernel.Config{Observer: strict(t)})
	var addr string
	lease, err := k.SpawnHeld(session.New(
		session.Handle("_start", func(c *kernel.Context) error {
			f, err := wheel.NewSocketFactory(c, wheel.SocketFactoryConfig{BindAddress: ":0", SuccessEvent: gotConn})
			addr = f.Addr().String()
			c.State("enough", func(*kernel.Context) error { f.Close(); return nil })
			return err
		}),
		session.On(gotConn, func(c *kernel.Context, conn net.Conn) error {
			_, err := c.Spawn(echoSession(conn))
			return err
		}),
		session.Handle("_child", func(*kernel.Context) error { return nil }),
	))
	if err != nil {
		t.Fatal(err)
	}
	end := make(chan error, 1)
	go func() { end <- k.Run(t.Context()) }()

	empty := openFiles(t)
	goroutines, before := runtime.NumGoroutine(), heap()
	conns := make([]*net.TCPConn, n)
	began := time.Now()
	for i := range conns {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
		conns[i] = c.(*net.TCPConn)
	}
	exchange(t, conns, "first")
	opened := time.Since(began)
	idle := heap() - before
	began = time.Now()
	exchange(t, conns, "second")
	spoke := time.Since(began)
	for i, c := range conns {
		switch i % 3 {
		case 0:
			_ = c.SetLinger(0)
		case 1:
			_ = c.CloseWrite()
			continue
		}
		_ = c.Close()
	}
	for i := 1; i < n; i += 3 {
		_, _ = conns[i].Read(make([]byte, 1)) // the server closes, too
		_ = conns[i].Close()
	}
	if err := lease.Post("enough"); err != nil {
		t.Fatal(err)
	}
	lease.Release()
	if err := <-end; err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(patience)
	for (runtime.NumGoroutine() > goroutines || openFiles(t) > empty) && time.Now().Before(deadline) {
		runtime.Gosched()
	}
	if g, f := runtime.NumGoroutine(), openFiles(t); g > goroutines || f > empty {
		t.Errorf("%d goroutines and %d descriptors are left of %d and %d", g, f, goroutines, empty)
	}
	fmt.Printf("%d connections: opened in %v, a line each echoed in %v, %d bytes each while idle, both ends in this process\n",
		n, opened.Round(time.Millisecond), spoke.Round(time.Millisecond), idle/int64(n))
}

func echoSession(conn net.Conn) *session.Session {
	var rw *lineWheel
	return session.New(
		session.Handle("_start", func(c *kernel.Context) (err error) {
			rw, err = wheel.NewReadWrite(c, conn, lineConfig{Filter: filter.Line(), InputEvent: gotLine})
			return err
		}),
		session.On(gotLine, func(_ *kernel.Context, line string) error { return rw.Put(line) }),
	)
}

// exchange sends a line over every connection and reads them all back.
func exchange(t *testing.T, conns []*net.TCPConn, line string) {
	t.Helper()
	var wg sync.WaitGroup
	const share = 100
	for i := 0; i < len(conns); i += share {
		wg.Go(func() {
			for _, c := range conns[i:min(i+share, len(conns))] {
				if _, err := fmt.Fprintln(c, line); err != nil {
					t.Error(err)
					return
				}
			}
			for _, c := range conns[i:min(i+share, len(conns))] {
				got, err := bufio.NewReaderSize(c, 16).ReadString('\n')
				if err != nil || got != line+"\r\n" {
					t.Errorf("got %q, %v", got, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func heap() int64 {
	runtime.GC()
	runtime.GC() // twice: pooled buffers survive one
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}

func openFiles(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("no /proc to count descriptors in")
	}
	return len(list)
}
