package httpclient

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"runtime/pprof"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/session"
)

// TestA116_A45_Cancel: the requester gets a 408, the transport its context's end,
// and a second cancel is refused.
func TestA116_A45_Cancel(t *testing.T) {
	eachBubble(t, func(t *testing.T, k *kernel.Kernel) {
		u := newUser(t, newClient(t, k, Config{MaxRequests: 1, Transport: tripper(never)}))
		ids := []RequestID{u.request(Request{HTTP: get(t, "http://x/")}), u.request(Request{HTTP: get(t, "http://x/")})}
		slices.Reverse(ids) // the waiting one first
		for _, id := range ids {
			if err := u.client.Cancel(id); err != nil {
				t.Fatal(err)
			}
			r := u.take()
			if r.ID != id {
				t.Errorf("request %d is answered, want %d", r.ID, id)
			}
			mustFail(t, u, r, ErrCancelled, 408)
			if err := u.client.Cancel(id); !errors.Is(err, ErrNoRequest) {
				t.Errorf("cancelled again: %v", err)
			}
		}
		synctest.Wait()
		if s, _ := u.client.Stats(); s.Running != 0 || s.Pending != 0 || s.Waiting != 0 || s.Ended["cancelled"] != 2 {
			t.Errorf("%+v", s)
		}
	})
}

// TestA117_A118_Shutdown answers what runs and what waits with 408, and so what
// comes later; more than once does no harm.
func TestA117_A118_Shutdown(t *testing.T) {
	eachBubble(t, func(t *testing.T, k *kernel.Kernel) {
		u := newUser(t, newClient(t, k, Config{MaxRequests: 2, Transport: tripper(never)}))
		for range 5 {
			u.request(Request{HTTP: get(t, "http://x/")})
		}
		u.client.Shutdown()
		u.client.Shutdown()
		for range 5 {
			r := u.take()
			if !errors.Is(r.Err, ErrShutDown) || r.HTTP.StatusCode != 408 || !r.Last {
				t.Errorf("%+v", r)
			}
		}
		u.quiet()
		mustFail(t, u, u.ask(get(t, "http://x/")), ErrShutDown, 408)
		if n := u.client.Pending(); n != 0 {
			t.Errorf("%d are pending", n)
		}
		if _, err := u.client.Stats(); !errors.Is(err, ErrShutDown) {
			t.Errorf("Stats: %v", err)
		}
		if err := u.client.Cancel(1 << 60); !errors.Is(err, ErrNoRequest) {
			t.Errorf("Cancel: %v", err)
		}
	})
}

// TestA118_Order: answers, then the transport, then the alias.
func TestA118_Order(t *testing.T) {
	var mu sync.Mutex
	var order []string
	note := func(s string) {
		mu.Lock()
		defer mu.Unlock()
		order = append(order, s)
	}
	k := kernel.New(kernel.Config{Mode: kernel.Serial, Observer: &kernel.Observer{Posted: func(r kernel.Record) {
		if r.Event == evGot.Name() {
			note("answer")
		}
	}}})
	kerneltest.Start(t, k)
	c := newClient(t, k, Config{Alias: "ua", Transport: tripper(never)})
	c.stop = func() {
		_, there := k.Resolve("ua")
		note(fmt.Sprint("transport, alias there: ", there))
	}
	u := newUser(t, c)
	u.request(Request{HTTP: get(t, "http://x/")})
	c.Shutdown()
	u.take()
	if _, there := k.Resolve("ua"); there {
		t.Error("the alias stays")
	}
	if got := strings.Join(order, "; "); got != "answer; transport, alias there: true" {
		t.Error(got)
	}
}

// TestRequesterStops: its requests are cancelled, those of others are not.
func TestRequesterStops(t *testing.T) {
	eachBubble(t, func(t *testing.T, k *kernel.Kernel) {
		c := newClient(t, k, Config{Transport: tripper(never)})
		u, other := newUser(t, c), newUser(t, c)
		u.request(Request{HTTP: get(t, "http://x/")})
		u.request(Request{HTTP: get(t, "http://x/")})
		other.request(Request{HTTP: get(t, "http://x/"), Timeout: time.Hour})
		u.do(func(c *kernel.Context) error { c.Stop(); return nil })
		synctest.Wait()
		if s, err := c.Stats(); err != nil || s.Running != 1 || s.Pending != 1 || s.Ended["cancelled"] != 2 {
			t.Errorf("%+v, %v", s, err)
		}
		if n := len(u.got) + len(other.got); n != 0 {
			t.Errorf("%d answers", n)
		}
	})
}

// TestLifetime: a request keeps its session and the program; a client does not.
func TestLifetime(t *testing.T) {
	for _, m := range []kernel.Mode{kernel.Parallel, kernel.Serial} {
		synctest.Test(t, func(t *testing.T) {
			k := kernel.New(kernel.Config{Mode: m})
			body := &drip{n: 3, each: time.Minute}
			c, err := New(k, Config{Transport: dripping(body)})
			if err != nil {
				t.Fatal(err)
			}
			var seen []string
			_, err = k.Spawn(session.New(
				session.Handle("_start", func(x *kernel.Context) error {
					_, err := c.Request(x, Request{HTTP: get(t, "http://x/"), Event: evGot})
					return err
				}),
				session.On(evGot, func(_ *kernel.Context, r Response) error {
					seen = append(seen, string(r.Body))
					return nil
				}),
				session.Handle("_stop", func(*kernel.Context) error { seen = append(seen, "_stop"); return nil }),
			))
			if err != nil {
				t.Fatal(err)
			}
			if err := k.Run(context.Background()); err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(seen, " "); got != "xxx _stop" {
				t.Errorf("%v: %q", m, got)
			}
		})
	}
}

// TestKernelStops with requests under way: their goroutines end.
func TestKernelStops(t *testing.T) {
	for _, m := range []kernel.Mode{kernel.Parallel, kernel.Serial} {
		synctest.Test(t, func(t *testing.T) {
			k := kernel.New(kernel.Config{Mode: m})
			stop := kerneltest.Start(t, k)
			u := newUser(t, newClient(t, k, Config{Transport: tripper(never)}))
			for range 10 {
				u.request(Request{HTTP: get(t, "http://x/")})
			}
			stop()
			synctest.Wait()
			if n := fetching(); n != 0 {
				t.Errorf("%v: %d goroutines are left", m, n)
			}
		})
	}
}

// fetching is how many goroutines perform requests.
func fetching() int {
	var all strings.Builder
	_ = pprof.Lookup("goroutine").WriteTo(&all, 2)
	return strings.Count(all.String(), "(*Client).fetch(")
}

// whim is a transport that does anything.
func whim(rng func(n int) int) tripper {
	return func(req *http.Request) (*http.Response, error) {
		switch rng(4) {
		case 0:
			return never(req)
		case 1:
			return nil, errors.New("no luck")
		}
		body := &drip{n: rng(8), each: time.Duration(rng(1000)) * time.Millisecond}
		return dripping(body)(req)
	}
}

// TestA45_ExactlyOnce: whatever happens, in whatever order, each request has one
// last answer, nothing follows it, and nothing is left.
func TestA45_ExactlyOnce(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
			eachBubble(t, func(t *testing.T, k *kernel.Kernel) { exactlyOnce(t, k, seed) })
		})
	}
}

func exactlyOnce(t *testing.T, k *kernel.Kernel, seed uint64) {
	const requests = 200
	var mu sync.Mutex
	random := rand.New(rand.NewPCG(seed, 1))
	rng := func(n int) int { mu.Lock(); defer mu.Unlock(); return random.IntN(n) }
	c := newClient(t, k, Config{
		Transport: whim(rng), Streaming: rng(2), MaxSize: 6, MaxRequests: rng(2) * 20, Timeout: 3 * time.Second,
	})
	u := newUser(t, c)
	var wg sync.WaitGroup
	later := func(f func()) {
		wait := time.After(time.Duration(rng(10_000)) * time.Millisecond)
		wg.Go(func() { <-wait; f() })
	}
	for range requests {
		later(func() {
			id := u.request(Request{HTTP: get(t, "http://x/"), Progress: evHow})
			if rng(3) == 0 {
				later(func() { _ = c.Cancel(id) })
			}
		})
	}
	if seed%2 == 0 {
		later(c.Shutdown)
	}
	last := map[RequestID]int{}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	for len(last) < requests {
		select {
		case r := <-u.got:
			if last[r.ID] > 0 {
				t.Errorf("request %d: %+v after its last answer", r.ID, r)
			}
			if r.Last {
				last[r.ID]++
			} else if rng(10) > 0 {
				r.Take()
			}
		case <-time.After(time.Hour):
			t.Fatalf("%d of %d requests are answered", len(last), requests)
		}
	}
	<-done
	synctest.Wait()
	u.quiet()
	if n := fetching(); n != 0 {
		t.Errorf("%d goroutines are left", n)
	}
	if s, err := c.Stats(); err == nil {
		sum := uint64(0)
		for _, n := range s.Ended {
			sum += n
		}
		if s.Pending != 0 || s.Running != 0 || s.Waiting != 0 || s.Requests != requests || sum != requests {
			t.Errorf("%+v", s)
		}
	} else if seed%2 != 0 {
		t.Error(err)
	}
}

// TestA45_NothingAfterTheLast: what the server sends while a request is cancelled,
// comes too late.
func TestA45_NothingAfterTheLast(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		var u *user
		asked := make(chan RequestID, 1)
		c := newClient(t, k, Config{Streaming: 1, Transport: tripper(func(req *http.Request) (*http.Response, error) {
			return answerWith(req, readerFunc(func(p []byte) (int, error) {
				if err := u.client.Cancel(<-asked); err != nil {
					t.Error(err)
				}
				p[0] = 'x'
				return 1, nil
			})), nil
		})})
		u = newUser(t, c)
		asked <- u.request(Request{HTTP: get(t, "http://x/"), Progress: evHow})
		r := u.take()
		until(t, "the goroutine ends", func() bool { s, _ := c.Stats(); return s.Running == 0 })
		mustFail(t, u, r, ErrCancelled, 408)
		if n := len(u.progress); n > 0 {
			t.Errorf("%d times progress", n)
		}
	})
}

// TestA118_CallTimeout: a Shutdown for which the session has no time now comes later.
func TestA118_CallTimeout(t *testing.T) {
	k := kernel.New(kernel.Config{Mode: kernel.Serial, CallTimeout: 10 * time.Millisecond, Observer: &kernel.Observer{}})
	kerneltest.Start(t, k)
	c := newClient(t, k, Config{})
	u := newUser(t, c)
	busy, free := make(chan struct{}), make(chan struct{})
	if err := evRun.PostFrom(k, u.lease.Address(), func(*kernel.Context) error {
		close(busy)
		<-free
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	<-busy
	c.Shutdown()
	close(free)
	until(t, "the client ends", func() bool { _, err := c.Stats(); return errors.Is(err, ErrShutDown) })
}
