package httpclient_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usher-go/usher/components/httpclient"
	"github.com/usher-go/usher/components/keepalive"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

func TestA45_A89_A120_ManyRequestsBothWays(t *testing.T) { soak(t, 5_000) }

func TestSoakMillionRequests(t *testing.T) {
	if os.Getenv("USHER_SOAK") != "1" {
		t.Skip("takes minutes; set USHER_SOAK=1")
	}
	soak(t, 1_000_000)
}

// half is how many connections, and askers, each of the two ways has.
const half = 100

// soaked is what became of the requests, by their numbers: the even ones went by
// Transport, the others by event. Half of either are POSTs.
type soaked struct {
	t        *testing.T
	server   *soakServer
	next     [2]atomic.Int64 // of each way, not begun
	outcomes []atomic.Int32  // of each request
	answered [2]atomic.Int64
	failed   [2]atomic.Int64
	all      sync.WaitGroup // askers
}

// soak sends n requests over 200 connections of one pool to a server with faults,
// half of them by Transport from goroutines, half by event from sessions. Each is
// answered or fails once, no POST comes twice, all books agree, and nothing is left:
// no descriptor, goroutine, lease, or place in the pool.
func soak(t *testing.T, n int) {
	quiet(t)
	goroutines, files := runtime.NumGoroutine(), descriptors(t)
	s := &soaked{t: t, server: newSoakServer(t, n), outcomes: make([]atomic.Int32, n)}
	k := kernel.New(kernel.Config{Observer: &kernel.Observer{
		Failed: func(x *kernel.Exception) { t.Errorf("%v\n%s", x, x.Stack) },
	}})
	release := k.Hold("soak")
	pool, err := keepalive.New(k, keepalive.Config{MaxPerHost: half, MaxOpen: 2 * half})
	if err != nil {
		t.Fatal(err)
	}
	client, err := httpclient.New(k, httpclient.Config{Pool: pool, Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	end := make(chan error, 1)
	go func() { end <- k.Run(context.Background()) }()

	began := time.Now()
	transport := httpclient.NewTransport(pool)
	s.all.Add(2 * half)
	for range half {
		go s.byTransport(transport)
		if _, err := k.Spawn(s.byEvent(client)); err != nil {
			t.Fatal(err)
		}
	}
	stop := s.watch(pool, began)
	s.all.Wait()
	most := stop()
	took := time.Since(began)

	eventually(t, "nothing is lent", func() bool { p := stats(t, pool); return p.Lent+p.Opening+p.Waiting == 0 })
	eventually(t, "all goroutines of the client are back", func() bool { c, err := client.Stats(); return err == nil && c.Running == 0 })
	s.clientsBooks(client)
	client.Shutdown() // with the connections of its Transport
	transport.CloseIdleConnections()
	eventually(t, "the pool is empty", func() bool { return stats(t, pool).Load == keepalive.Load{} })
	p := stats(t, pool).Total
	s.poolsBooks(p)
	pool.Shutdown()
	release()
	select {
	case err := <-end: // and so there is no lease
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Fatalf("the kernel still runs\n%s", stacks())
	}
	s.server.Close()
	s.server.open.Wait()
	s.serversBooks(p)
	eventually(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= goroutines })
	eventually(t, "no descriptor is left", func() bool { return descriptors(t) <= files })

	faults, each := s.server.sum()
	fmt.Printf("%d requests in %v, %.0f/s: by Transport %d answered, %d failed; by event %d and %d\n", n, took.Round(time.Millisecond),
		float64(n)/took.Seconds(), s.answered[0].Load(), s.failed[0].Load(), s.answered[1].Load(), s.failed[1].Load())
	fmt.Printf("%d faults: %s; %d requests came, at most %d connections at a time\n", faults, each, s.server.requests(), most)
	fmt.Printf("the pool: %+v\n", p)
}

// begin gives the next request of a way, nil when there are no more.
func (s *soaked) begin(way int) (id int, req *http.Request) {
	id = int(s.next[way].Add(1)-1)*2 + way
	if id >= len(s.outcomes) {
		return id, nil
	}
	method, body := "GET", ""
	if id%4 >= 2 {
		method, body = "POST", "body"
	}
	return id, request(method, fmt.Sprint(s.server.url, id), strings.NewReader(body))
}

func (s *soaked) ended(way, id int, body string, err error) {
	if n := s.outcomes[id].Add(1); n != 1 {
		s.t.Errorf("request %d has %d outcomes", id, n)
	}
	if err != nil {
		s.failed[way].Add(1)
		return
	}
	s.answered[way].Add(1)
	if body != soakBody(id) {
		s.t.Errorf("request %d was answered with %.50q", id, body)
	}
	if s.server.came[id].Load() == 0 {
		s.t.Errorf("request %d was answered, and never came", id)
	}
}

func (s *soaked) byTransport(transport *httpclient.Transport) {
	defer s.all.Done()
	rig := transportRig{Transport: transport}
	for {
		id, req := s.begin(0)
		if req == nil {
			return
		}
		body, err := rig.fetch(req)
		s.ended(0, id, body, err)
	}
}

// byEvent is a session that asks, and asks again when it has an answer.
func (s *soaked) byEvent(client *httpclient.Client) *session.Session {
	ask := func(c *kernel.Context) error {
		id, req := s.begin(1)
		if req == nil {
			s.all.Done()
			return nil
		}
		_, err := client.Request(c, httpclient.Request{HTTP: req, Event: evSaid, Tag: id})
		return err
	}
	return session.New(session.Handle("_start", ask), session.On(evSaid, func(c *kernel.Context, r httpclient.Response) error {
		if !r.Last {
			s.t.Errorf("%+v is not the last", r)
		}
		s.ended(1, r.Tag.(int), string(r.Body), r.Err)
		return ask(c)
	}))
}

// watch prints every few seconds how far it is; stop returns the most connections
// that it has seen at a time.
func (s *soaked) watch(pool *keepalive.Pool, began time.Time) (stop func() int) {
	quit, most := make(chan struct{}), make(chan int)
	go func() {
		seen := 0
		look, show := time.NewTicker(20*time.Millisecond), time.NewTicker(5*time.Second)
		defer look.Stop()
		defer show.Stop()
		for {
			select {
			case <-look.C:
				p := stats(s.t, pool)
				seen = max(seen, p.Lent+p.Opening+p.Idle)
			case <-show.C:
				done := s.answered[0].Load() + s.answered[1].Load() + s.failed[0].Load() + s.failed[1].Load()
				fmt.Printf("%d of %d requests after %v, %d failed; the pool: %+v\n", done, len(s.outcomes),
					time.Since(began).Round(time.Second), s.failed[0].Load()+s.failed[1].Load(), stats(s.t, pool).Load)
			case <-quit:
				most <- seen
				return
			}
		}
	}()
	return func() int {
		close(quit)
		seen := <-most
		if seen > 2*half {
			s.t.Errorf("%d connections at a time, want %d at most", seen, 2*half)
		}
		return seen
	}
}

func (s *soaked) clientsBooks(client *httpclient.Client) {
	n := len(s.outcomes)
	for id := range s.outcomes {
		if got := s.outcomes[id].Load(); got != 1 {
			s.t.Errorf("request %d has %d outcomes", id, got)
		}
	}
	for way, share := range []int{(n + 1) / 2, n / 2} {
		if got := s.answered[way].Load() + s.failed[way].Load(); got != int64(share) {
			s.t.Errorf("way %d has %d outcomes of %d requests", way, got, share)
		}
	}
	c, err := client.Stats()
	if err != nil {
		s.t.Fatal(err)
	}
	sum := uint64(0)
	for _, times := range c.Ended {
		sum += times
	}
	if c.Requests != uint64(n/2) || sum != c.Requests || c.Pending != 0 || c.Waiting != 0 || c.Ended["answered"] != uint64(s.answered[1].Load()) {
		s.t.Errorf("the client counts %+v; want %d requests, all ended, %d of them answered", c, n/2, s.answered[1].Load())
	}
	if bad := c.Ended["timeout"] + c.Ended["cancelled"] + c.Ended["shutdown"] + c.Ended["connect"]; bad > 0 {
		s.t.Errorf("the client counts %v; want no end but an answer, and those of the server's making", c.Ended)
	}
}

// poolsBooks: connections that ended are as many as were opened.
func (s *soaked) poolsBooks(p keepalive.Counters) {
	if closed := p.Evicted + p.Expired + p.Aged + p.Dead + p.Spoiled; closed != p.Opened {
		s.t.Errorf("the pool counts %+v: %d closed of %d opened", p, closed, p.Opened)
	}
	if p.Fresh != p.Opened || p.Refused.Total() != 0 || p.Failed != 0 || p.Cancelled != 0 || p.Evicted != 0 {
		s.t.Errorf("the pool counts %+v; want each connection opened for somebody, none refused, failed or cancelled", p)
	}
}

func (s *soaked) serversBooks(p keepalive.Counters) {
	if got := s.server.accepted.Load(); got != int64(p.Opened) {
		s.t.Errorf("the server accepted %d connections, the pool opened %d", got, p.Opened)
	}
	if came := s.server.requests(); came > p.Answered() {
		s.t.Errorf("%d requests came on connections that were lent %d times", came, p.Answered())
	}
	for id := range s.server.came {
		if n := s.server.came[id].Load(); n > 1 && id%4 >= 2 || n > 4 {
			s.t.Errorf("request %d came %d times", id, n)
		}
	}
	faults, each := s.server.sum()
	least, most := s.server.faults[midAnswer].Load()+s.server.faults[garbage].Load(), int64(faults)-s.server.faults[slow].Load()
	if failed := s.failed[0].Load() + s.failed[1].Load(); failed < least || failed > most {
		s.t.Errorf("%d requests failed of %d faults (%s); want %d to %d", failed, faults, each, least, most)
	}
}

func stats(t *testing.T, pool *keepalive.Pool) keepalive.Stats {
	t.Helper()
	p, err := pool.Stats()
	if err != nil && !errors.Is(err, keepalive.ErrShutDown) {
		t.Error(err)
	}
	return p
}
