package wheel_test

import (
	"net"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

func descriptors(t *testing.T) int {
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("no /proc/self/fd here")
	}
	return len(files)
}

// settled waits until a count is back at what it was: goroutines that were sent
// home need a moment to get there.
func settled(count func() int, want int) (got int, ok bool) {
	for end := time.Now().Add(patience); ; runtime.Gosched() {
		if got = count(); got <= want || time.Now().After(end) {
			return got, got <= want
		}
	}
}

// A thousand clients come and go at once, half of them rudely. Every wheel ends,
// and nothing stays behind.
func TestG11_NothingLeaks(t *testing.T) {
	t.Run("ordinary", func(t *testing.T) { nothingLeaks(t, false) })
	t.Run("lean", func(t *testing.T) { nothingLeaks(t, true) })
}

func nothingLeaks(t *testing.T, lean bool) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		const clients = 1000
		run(t, k, session.New(session.Handle("_start", func(*kernel.Context) error { return nil })))
		runtime.GC() // finalizers of earlier tests' connections
		goroutines, files := runtime.NumGoroutine(), descriptors(t)

		opened, ended := 0, 0
		var factory *wheel.SocketFactory
		run(t, k, session.New(
			session.Handle("_start", func(c *kernel.Context) (err error) {
				factory, err = wheel.NewSocketFactory(c, wheel.SocketFactoryConfig{
					BindAddress: "127.0.0.1:0", Lean: lean, SuccessEvent: gotConn,
				})
				go hitAndRun(t, factory.Addr().String(), clients)
				return err
			}),
			session.On(gotConn, func(c *kernel.Context, conn net.Conn) error {
				if opened++; opened == clients {
					factory.Close()
				}
				_, err := wheel.NewReadWrite(c, conn, lineConfig{Filter: filter.Line(), InputEvent: gotLine, CloseEvent: closed})
				return err
			}),
			session.On(gotLine, func(*kernel.Context, string) error { return nil }),
			session.On(closed, func(*kernel.Context, error) error { ended++; return nil }),
		))
		if opened != clients || ended != clients {
			t.Errorf("%d wheels made and %d ended, want %d", opened, ended, clients)
		}
		if n, ok := settled(runtime.NumGoroutine, goroutines); !ok {
			t.Errorf("%d goroutines, %d before", n, goroutines)
		}
		if n, ok := settled(func() int { return descriptors(t) }, files); !ok {
			t.Errorf("%d descriptors, %d before", n, files)
		}
	})
}

func hitAndRun(t *testing.T, address string, clients int) {
	for i := range clients {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Errorf("client %d: %v", i, err)
			return
		}
		_, _ = conn.Write([]byte("hello\n"))
		if i%2 == 0 {
			_ = conn.(*net.TCPConn).SetLinger(0)
		}
		_ = conn.Close()
	}
}
