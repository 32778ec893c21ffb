package httpclient_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/components/httpclient"
	"github.com/usher-go/usher/components/keepalive"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/session"
)

// way is one of the two to ask a server: an http.Client over a Transport, or a Client
// by events. Each has a pool of its own. Its methods are for any goroutine.
type way struct {
	t     *testing.T
	pool  *keepalive.Pool
	event bool
	quiet time.Duration // how long a request may be without news

	// load asks, and passes the answer's body on piece by piece; the next is read
	// when each has returned.
	load func(req *http.Request, each func(piece []byte)) fate
}

// fate is what becomes of a request: an answer, or err.
type fate struct {
	*http.Response
	err error
}

// eachWay runs f with both, in both modes.
func eachWay(t *testing.T, cfg keepalive.Config, f func(w *way)) {
	for _, m := range []kernel.Mode{kernel.Parallel, kernel.Serial} {
		for name, begin := range map[string]func(*way, *kernel.Kernel){"Transport": (*way).byTransport, "Client": (*way).byEvent} {
			t.Run(name+" "+m.String(), func(t *testing.T) {
				k := kernel.New(kernel.Config{Mode: m, Observer: &kernel.Observer{
					Failed: func(x *kernel.Exception) { t.Errorf("%v\n%s", x, x.Stack) },
				}})
				kerneltest.Start(t, k)
				pool, err := keepalive.New(k, cfg)
				if err != nil {
					t.Fatal(err)
				}
				w := &way{t: t, pool: pool, quiet: 20 * time.Second}
				begin(w, k)
				f(w)
				w.clean()
			})
		}
	}
}

func (w *way) byTransport(*kernel.Kernel) {
	client := &http.Client{Transport: httpclient.NewTransport(w.pool)}
	w.load = func(req *http.Request, each func([]byte)) fate {
		ctx, cancel := context.WithCancelCause(req.Context())
		defer cancel(nil)
		late := time.AfterFunc(w.quiet, func() { cancel(context.DeadlineExceeded) })
		defer late.Stop()
		resp, err := client.Do(req.WithContext(ctx))
		if err != nil {
			return fate{err: err}
		}
		defer resp.Body.Close()
		for piece := make([]byte, 32<<10); ; {
			n, err := resp.Body.Read(piece)
			late.Reset(w.quiet)
			each(piece[:n])
			if err == io.EOF {
				return fate{Response: resp}
			}
			if err != nil {
				return fate{resp, err}
			}
		}
	}
}

const (
	evAsk  kernel.Event[httpclient.Request]  = "ask"
	evSaid kernel.Event[httpclient.Response] = "said"
)

func (w *way) byEvent(k *kernel.Kernel) {
	client, err := httpclient.New(k, httpclient.Config{Pool: w.pool, Streaming: 32 << 10, FollowRedirects: 5})
	if err != nil {
		w.t.Fatal(err)
	}
	asker, err := k.SpawnHeld(session.New(
		session.On(evAsk, func(c *kernel.Context, r httpclient.Request) error {
			_, err := client.Request(c, r)
			return err
		}),
		session.On(evSaid, func(_ *kernel.Context, r httpclient.Response) error {
			r.Tag.(chan httpclient.Response) <- r
			return nil
		}),
	))
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(asker.Release)
	w.event = true
	w.load = func(req *http.Request, each func([]byte)) fate {
		said := make(chan httpclient.Response, 1) // a chunk comes when the one before was taken
		if err := asker.Post(evAsk.Name(), httpclient.Request{HTTP: req, Event: evSaid, Tag: said, Timeout: w.quiet}); err != nil {
			return fate{err: err}
		}
		for r := range said {
			if r.Last {
				return fate{r.HTTP, r.Err}
			}
			each(r.Take())
		}
		panic("unreachable")
	}
}

// ask is load of a whole body.
func (w *way) ask(method, url, body string) (o fate, text string) {
	var whole strings.Builder
	o = w.load(request(method, url, strings.NewReader(body)), func(p []byte) { whole.Write(p) })
	return o, whole.String()
}

// get wants an answer of 200, and returns its header and body.
func (w *way) get(url string) (http.Header, string) {
	w.t.Helper()
	o, text := w.ask("GET", url, "")
	if o.err != nil || o.StatusCode != http.StatusOK {
		w.t.Fatalf("GET %s: %+v", url, o)
	}
	return o.Header, text
}

// fails wants one of two errors, by the way that was taken.
func (w *way) fails(err, transport, client error) {
	w.t.Helper()
	want := transport
	if w.event {
		want = client
	}
	if !errors.Is(err, want) {
		w.t.Errorf("the error is %v; want %v", err, want)
	}
}

func (w *way) stats() keepalive.Stats { return stats(w.t, w.pool) }

// opened says how many connections there must have been.
func (w *way) opened(want int) {
	w.t.Helper()
	if got := w.stats().Total.Opened; got != want {
		w.t.Errorf("%d connections were opened, want %d", got, want)
	}
}

// clean checks that the pool's books are even when all is done.
func (w *way) clean() {
	w.t.Helper()
	eventually(w.t, "nothing is lent", func() bool {
		s := w.stats()
		return s.Waiting == 0 && s.Opening == 0 && s.Lent == 0
	})
	s := w.stats()
	t := s.Total
	if closed := t.Evicted + t.Expired + t.Aged + t.Dead + t.Spoiled; t.Opened != closed+s.Idle {
		w.t.Errorf("%d connections were opened, %d closed, %d are idle", t.Opened, closed, s.Idle)
	}
}
