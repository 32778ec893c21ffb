//go:build unix

package prefork

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptrace"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/usher-go/usher/components/httpclient"
	"github.com/usher-go/usher/components/keepalive"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
)

// clients is how many ask at the same time. Half of them keep their connections.
const clients = 16

// load asks as fast as it is answered, and keeps the books.
type load struct {
	t        *testing.T
	began    time.Time
	done     atomic.Bool
	all      sync.WaitGroup
	requests atomic.Int64 // that have an outcome
	kept     atomic.Int64 // of them, sent on a kept connection
	repeats  atomic.Int64 // by the Transport, when a kept connection was lost

	mu       sync.Mutex
	faults   []*fault
	excepted map[string]int
	starts   map[int]time.Duration // of the workers that answered, by their pids
}

// fault excuses requests that fail, if they were under way while it lasted.
type fault struct {
	what       string
	from, to   time.Time // to: zero while it lasts
	lost, most int       // requests
}

func newLoad(t *testing.T, addr string) *load {
	t.Helper()
	k := kernel.New(kernel.Config{Observer: &kernel.Observer{
		Failed: func(x *kernel.Exception) { t.Errorf("%v\n%s", x, x.Stack) },
	}})
	kerneltest.Start(t, k)
	pool, err := keepalive.New(k, keepalive.Config{MaxPerHost: clients})
	if err != nil {
		t.Fatal(err)
	}
	l := &load{t: t, began: time.Now(), excepted: map[string]int{}, starts: map[int]time.Duration{}}
	// Each kind has connections of its own: a request that ends its connection must
	// not take one that is kept.
	for _, keep := range []bool{true, false} {
		client := &http.Client{Transport: httpclient.NewTransport(pool)}
		for range clients / 2 {
			l.all.Go(func() { l.keepAsking(client, "http://"+addr, keep) })
		}
	}
	t.Cleanup(func() { l.end() })
	return l
}

// end returns how many requests there were, in what time.
func (l *load) end() (int64, time.Duration) {
	l.done.Store(true)
	l.all.Wait()
	return l.requests.Load(), time.Since(l.began)
}

func (l *load) keepAsking(client *http.Client, url string, keep bool) {
	for n := 0; !l.done.Load(); n++ {
		path := fmt.Sprint("/", n)
		if n%16 == 0 {
			path = fmt.Sprint(slowPath, n)
		}
		began := time.Now()
		err := l.ask(client, url, path, keep)
		l.requests.Add(1)
		if err != nil && !l.excuse(began, err) {
			l.t.Errorf("%s (kept: %t), begun at %v, failed after %v: %v", path, keep, began.Format("05.000"), time.Since(began), err)
		}
	}
}

// ask sends one request and reads the whole answer.
func (l *load) ask(client *http.Client, url, path string, keep bool) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var tries []bool // on a kept connection?
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(c httptrace.GotConnInfo) { tries = append(tries, c.Reused) },
	}), http.MethodGet, url+path, nil)
	if err != nil {
		return err
	}
	req.Close = !keep
	resp, err := client.Do(req)
	for _, kept := range tries[:max(len(tries), 1)-1] {
		l.repeats.Add(1)
		if !kept {
			l.t.Errorf("%s was repeated, and its connection was new; its outcome: %v", path, err)
		}
	}
	if len(tries) > 0 && tries[0] {
		l.kept.Add(1)
	}
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	var said string
	var pid int
	var start time.Duration
	if _, err := fmt.Sscan(string(body), &said, &pid, (*int64)(&start)); err != nil || said != path || resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s with %q", resp.Status, body)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.starts[pid] = start
	return nil
}

// begin is to be called just before what will cut connections. The fault excuses
// every request that is under way at some time until its end.
func (l *load) begin(what string, most int) *fault {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := &fault{what: what, from: time.Now(), most: most}
	l.faults = append(l.faults, f)
	return f
}

// over ends a fault; requests that begin now have no excuse.
func (l *load) over(f *fault) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f.to = time.Now()
}

// excuse finds the fault to which a request's failure is due.
func (l *load) excuse(began time.Time, err error) bool {
	how := "before an answer"
	switch {
	case errors.Is(err, httpclient.ErrConnectionLost):
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		how = "within the answer"
	default:
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range slices.Backward(l.faults) {
		if f.to.IsZero() || began.Before(f.to) {
			f.lost++
			l.excepted[f.what+", "+how]++
			return true
		}
	}
	return false
}

// costs are the worst faults, one of each kind.
func (l *load) costs() (all []*fault) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range l.faults {
		i := slices.IndexFunc(all, func(g *fault) bool { return g.what == f.what })
		switch {
		case i < 0:
			all = append(all, f)
		case all[i].lost < f.lost:
			all[i] = f
		}
	}
	return all
}

// started is how long the workers that answered took to start.
func (l *load) started() []time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Collect(maps.Values(l.starts))
}
