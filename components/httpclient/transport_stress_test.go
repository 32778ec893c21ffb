package httpclient_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usher-go/usher/components/httpclient"
	"github.com/usher-go/usher/components/keepalive"
)

// faultyServer answers with the request's ID, and does something else to one
// request in a hundred. It counts how often each ID came.
type faultyServer struct {
	*httptest.Server
	came   []atomic.Int32
	faults atomic.Int64
}

func newFaultyServer(requests int) *faultyServer {
	s := &faultyServer{came: make([]atomic.Int32, requests)}
	s.Server = httptest.NewUnstartedServer(s)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.Start()
	return s
}

func (s *faultyServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.Atoi(r.URL.Path[1:])
	if err != nil {
		panic(err)
	}
	again := s.came[id].Add(1) > 1
	body := fmt.Sprintf("%d.%s", id, strings.Repeat("x", id%5000))
	answer := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	if rand.IntN(100) > 0 || again {
		if id%3 == 0 { // of a length that the client is not told
			_ = http.NewResponseController(w).Flush()
		}
		_, _ = io.WriteString(w, body)
		return
	}
	s.faults.Add(1)
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	switch rand.IntN(6) {
	case 0: // no answer
	case 1:
		_ = conn.(*net.TCPConn).SetLinger(0)
	case 2: // while answering
		_, _ = io.WriteString(conn, answer[:1+rand.IntN(len(answer)-1)])
	case 3: // after answering
		_, _ = io.WriteString(conn, answer)
	case 4: // unasked
		_, _ = io.WriteString(conn, answer+"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nnobody")
	case 5:
		_, _ = io.WriteString(conn, answer)
		_ = conn.(*net.TCPConn).CloseWrite()
		_, _ = io.Copy(io.Discard, conn)
	}
}

// 200 goroutines, 50 requests each, one in a hundred with a fault of the server's
// and some cancelled: each is answered, or fails, once; what may not be repeated
// comes to the server once at most; nothing is left open.
func TestA120_ManyRequestsWithFaults(t *testing.T) {
	log.SetOutput(io.Discard) // where net/http tells of unasked answers
	defer log.SetOutput(os.Stderr)
	const users, each, places = 200, 50, 64
	before := descriptors(t)
	server := newFaultyServer(users * each)
	rig := newTransportRig(t, keepalive.Config{MaxPerHost: places, MaxOpen: places}, nil)
	rig.ResponseHeaderTimeout = 20 * time.Second

	var answered, lost, cut, cancelled, most atomic.Int64
	var all sync.WaitGroup
	for u := range users {
		all.Go(func() {
			for i := range each {
				id := u*each + i
				method := []string{"GET", "POST"}[id%2]
				ctx, cancel := context.WithCancel(t.Context())
				if id%97 == 0 {
					time.AfterFunc(time.Duration(rand.IntN(2000))*time.Microsecond, cancel)
				}
				req := request(method, fmt.Sprint(server.URL, "/", id), strings.NewReader("body")).WithContext(ctx)
				b, err := rig.fetch(req)
				cancel()
				switch body, _, _ := strings.Cut(b, "."); {
				case err == nil && body == strconv.Itoa(id):
					answered.Add(1)
				case err == nil:
					t.Errorf("request %d was answered with %.50q", id, b)
				case errors.Is(err, context.Canceled):
					cancelled.Add(1)
				case errors.Is(err, httpclient.ErrConnectionLost):
					lost.Add(1)
				default:
					cut.Add(1)
				}
			}
		})
	}
	stop := make(chan bool)
	watch := make(chan bool)
	go func() {
		defer close(watch)
		for {
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
				s := rig.stats()
				most.Store(max(most.Load(), int64(s.Lent+s.Opening+s.Idle)))
			}
		}
	}()
	all.Wait()
	close(stop)
	<-watch

	began := time.Now()
	t.Logf("%d answered, %d lost, %d cut short, %d cancelled; %d faults; at most %d connections",
		answered.Load(), lost.Load(), cut.Load(), cancelled.Load(), server.faults.Load(), most.Load())
	if n := answered.Load() + lost.Load() + cut.Load() + cancelled.Load(); n != users*each {
		t.Errorf("%d outcomes of %d requests", n, users*each)
	}
	if bad := lost.Load() + cut.Load(); bad > server.faults.Load() {
		t.Errorf("%d requests failed of %d faults", bad, server.faults.Load())
	}
	for id := range server.came {
		if n := server.came[id].Load(); n > 1 && id%2 == 1 || n > 4 {
			t.Errorf("request %d came %d times", id, n)
		}
	}
	if most.Load() > places {
		t.Errorf("%d connections at a time, want %d at most", most.Load(), places)
	}
	if s := rig.stats(); s.Lent != 0 || s.Waiting != 0 || s.Opening != 0 {
		t.Errorf("the pool still has %+v", s)
	}
	rig.CloseIdleConnections()
	server.CloseClientConnections()
	server.Close()
	t.Log("closing", time.Since(began))
	eventually(t, "all descriptors are closed", func() bool { return descriptors(t) <= before })
	eventually(t, "no goroutine of net/http is left", func() bool { return !strings.Contains(stacks(), "net/http.(*persistConn)") })
	eventually(t, "the pool is empty", func() bool { return rig.stats() == keepalive.Load{} })
}

func (r *transportRig) fetch(req *http.Request) (string, error) {
	resp, err := r.RoundTrip(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return string(b), err
}

// descriptors counts the process's sockets.
func descriptors(t *testing.T) (n int) {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("cannot count descriptors here: ", err)
	}
	for _, e := range list {
		if to, _ := os.Readlink("/proc/self/fd/" + e.Name()); strings.HasPrefix(to, "socket:") {
			n++
		}
	}
	return n
}

func stacks() string {
	b := make([]byte, 8<<20)
	return string(b[:runtime.Stack(b, true)])
}
