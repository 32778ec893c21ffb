package httpclient

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/usher-go/usher/kernel"
)

// never waits until the request is given up.
func never(req *http.Request) (*http.Response, error) {
	<-req.Context().Done()
	return nil, context.Cause(req.Context())
}

// within checks when a request's answer came.
func within(t *testing.T, began time.Time, want time.Duration) {
	t.Helper()
	if d := time.Since(began); d != want {
		t.Errorf("it took %v, want %v", d, want)
	}
}

func (u *user) takeLate() Response { return <-u.got }

func TestA113_Timeout(t *testing.T) {
	for _, c := range []struct{ client, own, want time.Duration }{
		{0, 0, 180 * time.Second},
		{-time.Second, 0, 180 * time.Second},
		{time.Second, 0, time.Second},
		{time.Second, time.Minute, time.Minute},
		{time.Second, -1, time.Second},
	} {
		eachBubble(t, func(t *testing.T, k *kernel.Kernel) {
			u := newUser(t, newClient(t, k, Config{Timeout: c.client, Transport: tripper(never)}))
			began := time.Now()
			u.request(Request{HTTP: get(t, "http://x/"), Timeout: c.own})
			mustFail(t, u, u.takeLate(), ErrTimeout, 408)
			within(t, began, c.want)
			synctest.Wait()
			if s, _ := u.client.Stats(); s.Running != 0 || s.Ended["timeout"] != 1 {
				t.Errorf("%+v", s)
			}
		})
	}
}

// TestA113_CountsFromReceipt: a request that waits for its turn has its time, too.
func TestA113_CountsFromReceipt(t *testing.T) {
	eachBubble(t, func(t *testing.T, k *kernel.Kernel) {
		u := newUser(t, newClient(t, k, Config{Timeout: time.Minute, MaxRequests: 1, Transport: tripper(never)}))
		began := time.Now()
		u.request(Request{HTTP: get(t, "http://x/")})
		second := u.request(Request{HTTP: get(t, "http://x/"), Timeout: time.Second})
		if s, _ := u.client.Stats(); s.Waiting != 1 || s.Running != 1 || s.Pending != 2 {
			t.Errorf("%+v", s)
		}
		if r := u.takeLate(); r.ID != second {
			t.Errorf("%+v", r)
		}
		within(t, began, time.Second)
		u.takeLate()
	})
}

// TestA113_RestartedByChunks: ten seconds of body, no pause of three.
func TestA113_RestartedByChunks(t *testing.T) {
	eachBubble(t, func(t *testing.T, k *kernel.Kernel) {
		body := &drip{n: 5, each: 2 * time.Second}
		u := newUser(t, newClient(t, k, Config{Timeout: 3 * time.Second, Transport: dripping(body)}))
		began := time.Now()
		u.request(Request{HTTP: get(t, "http://x/")})
		if r := u.takeLate(); r.Err != nil || string(r.Body) != "xxxxx" {
			t.Errorf("%q, %v", r.Body, r.Err)
		}
		within(t, began, 10*time.Second)
	})
}

// TestA113_FromTheLastChunk: the time is counted anew from each.
func TestA113_FromTheLastChunk(t *testing.T) {
	eachBubble(t, func(t *testing.T, k *kernel.Kernel) {
		body := &drip{n: 1, each: 2 * time.Second}
		stuck := func(req *http.Request) (*http.Response, error) {
			body.ctx = req.Context()
			return answerWith(req, io.MultiReader(body, readerFunc(func([]byte) (int, error) {
				<-req.Context().Done()
				return 0, req.Context().Err()
			}))), nil
		}
		u := newUser(t, newClient(t, k, Config{Timeout: 3 * time.Second, Transport: tripper(stuck)}))
		began := time.Now()
		u.request(Request{HTTP: get(t, "http://x/")})
		mustFail(t, u, u.takeLate(), ErrTimeout, 408)
		within(t, began, 5*time.Second)
	})
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// TestA113_Upload: while the body is read, the request is not silent.
func TestA113_Upload(t *testing.T) {
	eachBubble(t, func(t *testing.T, k *kernel.Kernel) {
		reads := func(req *http.Request) (*http.Response, error) {
			defer req.Body.Close()
			if _, err := io.Copy(io.Discard, req.Body); err != nil {
				return nil, err
			}
			return answerWith(req, http.NoBody), nil
		}
		u := newUser(t, newClient(t, k, Config{Timeout: 3 * time.Second, Transport: tripper(reads)}))
		req := get(t, "http://x/")
		req.Method, req.Body = "PUT", &drip{ctx: context.Background(), n: 5, each: 2 * time.Second}
		began := time.Now()
		u.request(Request{HTTP: req})
		if r := u.takeLate(); r.Err != nil {
			t.Error(r.Err)
		}
		within(t, began, 10*time.Second)
	})
}

// TestStream_NotTaken: who does not take a chunk in time loses the rest.
func TestStream_NotTaken(t *testing.T) {
	eachBubble(t, func(t *testing.T, k *kernel.Kernel) {
		body := &drip{n: 1000}
		u := newUser(t, newClient(t, k, Config{Timeout: time.Minute, Streaming: 1, Transport: dripping(body)}))
		began := time.Now()
		u.request(Request{HTTP: get(t, "http://x/")})
		r := u.takeLate()
		<-time.After(59 * time.Second)
		r.Take()
		u.takeLate()
		mustFail(t, u, u.takeLate(), ErrTimeout, 408)
		within(t, began, 119*time.Second)
	})
}

// TestContext: the end of the request's own context is a cancel or a timeout.
func TestContext(t *testing.T) {
	eachBubble(t, func(t *testing.T, k *kernel.Kernel) {
		u := newUser(t, newClient(t, k, Config{MaxRequests: 1, Transport: tripper(never)}))
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		u.request(Request{HTTP: get(t, "http://x/").WithContext(ctx)})
		mustFail(t, u, u.takeLate(), ErrTimeout, 408)
		ctx, cancelCause := context.WithCancelCause(context.Background())
		u.request(Request{HTTP: get(t, "http://x/").WithContext(ctx)})
		waiting := u.request(Request{HTTP: get(t, "http://x/").WithContext(ctx)})
		cancelCause(io.ErrClosedPipe)
		a, b := u.takeLate(), u.takeLate()
		if a.ID != waiting && b.ID != waiting || !errors.Is(a.Err, io.ErrClosedPipe) {
			t.Errorf("%+v, %+v", a, b)
		}
		mustFail(t, u, a, ErrCancelled, 408)
		mustFail(t, u, b, ErrCancelled, 408)
		ctx, cancel = context.WithCancel(context.Background())
		defer cancel()
		u.request(Request{HTTP: get(t, "http://x/")})
		u.request(Request{HTTP: get(t, "http://x/").WithContext(ctx)})
		cancel()
		mustFail(t, u, u.takeLate(), ErrCancelled, 408)
		synctest.Wait()
		if s, _ := u.client.Stats(); s.Running != 1 || s.Waiting != 0 {
			t.Errorf("%+v", s)
		}
	})
}
