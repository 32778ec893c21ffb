package httpclient

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/usher-go/usher/components/keepalive"
	"github.com/usher-go/usher/kernel"
)

// TestA112_A114_A118_PoolGiven: its connections are used, kept, and left to its
// owner by Shutdown.
func TestA112_A114_A118_PoolGiven(t *testing.T) {
	s := serve(t, func(http.ResponseWriter, *http.Request) {})
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		pool, err := keepalive.New(k, keepalive.Config{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(pool.Shutdown)
		u := newUser(t, newClient(t, k, Config{Pool: pool}))
		for range 3 {
			if r := u.ask(get(t, s.URL)); r.Err != nil {
				t.Fatal(r.Err)
			}
			until(t, "the connection is back", func() bool {
				st, err := pool.Stats()
				return err == nil && st.Load == (keepalive.Load{Idle: 1})
			})
		}
		u.client.Shutdown()
		if _, err := pool.Stats(); err != nil {
			t.Errorf("the pool has ended: %v", err)
		}
	})
}

// TestA117_A118_OwnPool ends with its client; one that ends before is a 408.
func TestA117_A118_OwnPool(t *testing.T) {
	s := serve(t, func(http.ResponseWriter, *http.Request) {})
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		u := newUser(t, newClient(t, k, Config{BindAddress: "127.0.0.1"}))
		pool := u.client.transport.(*Transport).Pool
		if r := u.ask(get(t, s.URL)); r.Err != nil {
			t.Fatal(r.Err)
		}
		u.client.Shutdown()
		if _, err := pool.Stats(); !errors.Is(err, keepalive.ErrShutDown) {
			until(t, "the pool has ended", func() bool { _, err := pool.Stats(); return err != nil })
		}
		again := newUser(t, newClient(t, k, Config{Pool: pool}))
		mustFail(t, again, again.ask(get(t, s.URL)), ErrShutDown, 408)
	})
}

// TestA113_A116_A117_InThePool: time out and cancel while a request waits there.
func TestA113_A116_A117_InThePool(t *testing.T) {
	asked := make(chan struct{}, 10)
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) { asked <- struct{}{}; <-r.Context().Done() })
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		pool, err := keepalive.New(k, keepalive.Config{MaxPerHost: 1})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(pool.Shutdown)
		u := newUser(t, newClient(t, k, Config{Pool: pool}))
		first := u.request(Request{HTTP: get(t, s.URL)})
		<-asked
		second := u.request(Request{HTTP: get(t, s.URL)})
		until(t, "it waits", func() bool { st, _ := pool.Stats(); return st.Waiting == 1 })
		if err := u.client.Cancel(second); err != nil {
			t.Fatal(err)
		}
		mustFail(t, u, u.take(), ErrCancelled, 408)
		u.request(Request{HTTP: get(t, s.URL), Timeout: 20 * time.Millisecond})
		mustFail(t, u, u.take(), ErrTimeout, 408)
		until(t, "nobody waits", func() bool { st, _ := pool.Stats(); return st.Waiting == 0 })
		if err := u.client.Cancel(first); err != nil {
			t.Fatal(err)
		}
		mustFail(t, u, u.take(), ErrCancelled, 408)
		until(t, "its connection is closed", func() bool { st, _ := pool.Stats(); return st.Load == (keepalive.Load{}) })
	})
}
