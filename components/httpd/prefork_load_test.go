//go:build unix

package httpd_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

// load is what clients have seen who never pause.
type load struct {
	addr     string
	door     sync.RWMutex // held until a new connection has its first answer
	stop     bool         // no new connections any more
	answered atomic.Int64
	again    atomic.Int64 // ended before the first byte of an answer, on a connection that was used before
	mu       sync.Mutex
	failures []string
}

func (l *load) fail(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failures = append(l.failures, fmt.Sprintf(format, args...))
}

// client makes so many requests on each connection at most.
func (l *load) client(kept int) {
	for {
		l.door.RLock()
		leave := sync.OnceFunc(l.door.RUnlock)
		defer leave()
		if l.stop {
			return
		}
		nc, err := net.Dial("tcp", l.addr)
		if err != nil {
			l.fail("connect: %v", err)
			return
		}
		in := bufio.NewReader(nc)
		for n := 0; n < kept; n++ {
			_ = nc.SetDeadline(time.Now().Add(patience))
			last, err := l.request(nc, in)
			leave()
			if n > 0 && errors.Is(err, errUnanswered) {
				l.again.Add(1)
				break
			}
			if err != nil {
				l.fail("request %d of a connection: %v", n+1, err)
				break
			}
			l.answered.Add(1)
			if last {
				break
			}
		}
		nc.Close()
	}
}

var errUnanswered = errors.New("the end before the first byte of an answer")

// request reports whether the answer is the connection's last.
func (l *load) request(nc net.Conn, in *bufio.Reader) (last bool, err error) {
	_, sent := io.WriteString(nc, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	if _, err := in.Peek(1); err == io.EOF {
		return true, errUnanswered
	} else if err != nil {
		return true, fmt.Errorf("%w (sent: %v)", err, sent)
	}
	a, err := http.ReadResponse(in, nil)
	if err != nil {
		return true, err
	}
	defer a.Body.Close()
	b, err := io.ReadAll(a.Body)
	if err != nil || a.StatusCode != 200 || string(b) != "hello" {
		return true, fmt.Errorf("%d %q %v", a.StatusCode, b, err)
	}
	return a.Close, nil
}

// Clients at full load see three reloads and a graceful end, and no request fails. When
// the end begins nobody opens connections any more, as there is nobody to answer them;
// those that are open have requests until they are told to close.
func TestH89_P29_III2_NoRequestIsLost(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		f := startFarm(t, m, "plain")
		f.showing("__")
		l := &load{addr: f.Addrs()[0].String()}
		var clients sync.WaitGroup
		for i := range 6 {
			clients.Go(func() { l.client([]int{1, 10, 1 << 30}[i%3]) })
		}
		for i := range 3 {
			before := l.answered.Load()
			within(t, "load", func() bool { return l.answered.Load() > before+100 })
			if err := f.Pool().Reload(t.Context()); err != nil {
				t.Errorf("reload %d: %v", i, err)
			}
		}
		before := l.answered.Load()
		within(t, "load", func() bool { return l.answered.Load() > before+100 })
		l.door.Lock()
		l.stop = true
		l.door.Unlock()
		if err := f.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		clients.Wait()
		t.Logf("%d answered; %d to be sent again", l.answered.Load(), l.again.Load())
		for _, failure := range l.failures {
			t.Error(failure)
		}
		f.over()
	})
}
