package httpclient_test

import (
	"context"
	"io"
	"net/http"
	"runtime"
	"testing"
	"time"

	"github.com/usher-go/usher/components/httpclient"
	"github.com/usher-go/usher/components/keepalive"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
)

// transportRig is a Transport with its pool, on a kernel that runs until the test ends.
type transportRig struct {
	*httpclient.Transport
	t      testing.TB
	client *http.Client
}

func newTransportRig(t testing.TB, cfg keepalive.Config, network kernel.Network) *transportRig {
	t.Helper()
	return newTransportRigIn(t, kernel.Parallel, cfg, network)
}

func newTransportRigIn(t testing.TB, mode kernel.Mode, cfg keepalive.Config, network kernel.Network) *transportRig {
	t.Helper()
	k := kernel.New(kernel.Config{Mode: mode, Network: network, Observer: &kernel.Observer{
		Failed: func(x *kernel.Exception) { t.Errorf("%v\n%s", x, x.Stack) },
	}})
	kerneltest.Start(t, k)
	pool, err := keepalive.New(k, cfg)
	if err != nil {
		t.Fatal(err)
	}
	r := &transportRig{Transport: httpclient.NewTransport(pool), t: t}
	r.client = &http.Client{Transport: r.Transport}
	return r
}

// stats are the pool's.
func (r *transportRig) stats() keepalive.Load {
	r.t.Helper()
	s, err := r.Pool.Stats()
	if err != nil {
		r.t.Fatal(err)
	}
	return s.Load
}

// holds says what the pool must have now.
func (r *transportRig) holds(want keepalive.Load) {
	r.t.Helper()
	if s := r.stats(); s != want {
		r.t.Errorf("the pool has %+v, want %+v", s, want)
	}
}

// get sends a GET and reads the whole answer.
func (r *transportRig) get(url string) string {
	r.t.Helper()
	return r.read(r.client.Get(url))
}

func (r *transportRig) read(resp *http.Response, err error) string {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return string(b)
}

// eventually waits for what another goroutine does.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for !ok() {
		if ctx.Err() != nil {
			t.Fatalf("in vain: %s", what)
		}
		runtime.Gosched()
	}
}
