package httpclient

import (
	"context"
	"errors"
	"io"
	"math"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
)

// eachBubble runs f in both modes, where time is virtual.
func eachBubble(t *testing.T, f func(t *testing.T, k *kernel.Kernel)) {
	for _, m := range []kernel.Mode{kernel.Parallel, kernel.Serial} {
		t.Run(m.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { f(t, running(t, m)) })
		})
	}
}

// drip is a body of n octets, each of which takes its time.
type drip struct {
	ctx   context.Context
	n     int
	each  time.Duration
	reads atomic.Int32
	done  atomic.Bool
}

func (b *drip) Read(p []byte) (int, error) {
	if b.n == 0 {
		return 0, io.EOF
	}
	if b.each > 0 {
		select {
		case <-time.After(b.each):
		case <-b.ctx.Done():
			return 0, context.Cause(b.ctx)
		}
	}
	b.n--
	b.reads.Add(1)
	p[0] = 'x'
	return 1, nil
}

func (b *drip) Close() error { b.done.Store(true); return nil }

// dripping answers with b.
func dripping(b *drip) tripper {
	return func(req *http.Request) (*http.Response, error) {
		b.ctx = req.Context()
		res := answerWith(req, nil)
		res.Body = b
		return res, nil
	}
}

// TestStream_BackPressure: the next piece is read when the one before is taken.
func TestStream_BackPressure(t *testing.T) {
	eachBubble(t, func(t *testing.T, k *kernel.Kernel) {
		body := &drip{n: 3}
		u := newUser(t, newClient(t, k, Config{Streaming: 10, Transport: dripping(body)}))
		id := u.request(Request{HTTP: get(t, "http://x/")})
		for i := range int32(3) {
			r := u.take()
			synctest.Wait()
			if n := body.reads.Load(); n != i+1 {
				t.Fatalf("%d reads before chunk %d is taken", n, i+1)
			}
			if r.ID != id || r.Last || r.Err != nil || r.HTTP.StatusCode != 200 || r.Body != nil {
				t.Fatalf("%+v", r)
			}
			if s := string(r.Take()); s != "x" {
				t.Fatalf("chunk %q", s)
			}
			if r.Take() != nil {
				t.Error("a chunk can be taken twice")
			}
		}
		if r := u.take(); !r.Last || r.Err != nil || r.Take() != nil || r.Body != nil {
			t.Fatalf("%+v", r)
		}
		u.quiet()
		if !body.done.Load() {
			t.Error("the body is not closed")
		}
	})
}

// TestStream_Chunks: the whole comes over, in pieces of at most so many octets.
func TestStream_Chunks(t *testing.T) {
	want := strings.Repeat("0123456789", 1000)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-Sum")
		_, _ = io.WriteString(w, want)
		w.Header().Set("X-Sum", "7")
	})
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		u := newUser(t, newClient(t, k, Config{Streaming: 1024}))
		u.request(Request{HTTP: get(t, s.URL)})
		var got []byte
		var first *http.Response
		for {
			r := u.take()
			if r.Last {
				if r.Err != nil || r.HTTP.Trailer.Get("X-Sum") != "7" {
					t.Errorf("%v, trailer %v", r.Err, r.HTTP.Trailer)
				}
				if len(first.Trailer) > 0 {
					t.Error("the trailer came into an answer that is somebody else's by now")
				}
				break
			}
			if first == nil {
				first = r.HTTP
			}
			data := r.Take()
			if len(data) == 0 || len(data) > 1024 {
				t.Fatalf("a chunk of %d octets", len(data))
			}
			got = append(got, data...)
		}
		if string(got) != want {
			t.Errorf("%d octets, want %d", len(got), len(want))
		}
		u.quiet()
	})
}

// TestStream_AnySize is what MaxInt asks for, and no such buffer is made.
func TestStream_AnySize(t *testing.T) {
	eachBubble(t, func(t *testing.T, k *kernel.Kernel) {
		u := newUser(t, newClient(t, k, Config{Streaming: math.MaxInt, Transport: dripping(&drip{n: 1})}))
		u.request(Request{HTTP: get(t, "http://x/")})
		if r := u.take(); string(r.Take()) != "x" {
			t.Fatalf("%+v", r)
		}
		if r := u.take(); !r.Last || r.Err != nil {
			t.Fatalf("%+v", r)
		}
	})
}

// TestA116_A45_CancelledInTheMiddle of a stream: nothing is read any more, and the
// chunk that was not taken is the last.
func TestA116_A45_CancelledInTheMiddle(t *testing.T) {
	eachBubble(t, func(t *testing.T, k *kernel.Kernel) {
		body := &drip{n: 1000}
		u := newUser(t, newClient(t, k, Config{Streaming: 1, Transport: dripping(body)}))
		id := u.request(Request{HTTP: get(t, "http://x/")})
		u.take().Take()
		r := u.take()
		if err := u.client.Cancel(id); err != nil {
			t.Fatal(err)
		}
		mustFail(t, u, u.take(), ErrCancelled, 408)
		r.Take()
		synctest.Wait()
		u.quiet()
		if n := body.reads.Load(); n != 2 || !body.done.Load() {
			t.Errorf("%d reads, closed: %v", n, body.done.Load())
		}
	})
}

// TestA117_A45_StreamFails: chunks, then the error.
func TestA117_A45_StreamFails(t *testing.T) {
	for _, f := range []struct {
		answer string
		kind   error
		status int
		first  string
	}{
		{"HTTP/1.1 200 OK\r\n\r\n" + strings.Repeat("x", 101), ErrTooLarge, 406, "xxxxxxxxxx"},
		{"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nshort", ErrNoAnswer, 400, "short"},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\nzz\r\n", ErrParse, 406, "x"},
	} {
		eachMode(t, func(t *testing.T, k *kernel.Kernel) {
			u := newUser(t, newClient(t, k, Config{Streaming: 10, MaxSize: 100}))
			u.request(Request{HTTP: get(t, rawServer(t, &f.answer))})
			r := u.take()
			if got := string(r.Take()); got != f.first {
				t.Errorf("first chunk %q, want %q", got, f.first)
			}
			for r = u.take(); !r.Last; r = u.take() {
				r.Take()
			}
			mustFail(t, u, r, f.kind, f.status)
		})
	}
}

// TestStream_QueueFull: a requester that takes no more events ends its stream.
func TestStream_QueueFull(t *testing.T) {
	reported := make(chan error, 10)
	k := kernel.New(kernel.Config{Mode: kernel.Parallel, Observer: &kernel.Observer{
		Reported: func(_, _ string, err error) { reported <- err },
	}})
	kerneltest.Start(t, k)
	body := &drip{n: 1000}
	gate, busy, full := make(chan struct{}), make(chan struct{}), make(chan struct{})
	transport := tripper(func(req *http.Request) (*http.Response, error) {
		<-full
		return dripping(body)(req)
	})
	u := newUser(t, newClient(t, k, Config{Streaming: 1, Transport: transport}), kernel.QueueLimit(1))
	u.request(Request{HTTP: get(t, "http://x/")})
	wait := func(*kernel.Context) error { close(busy); <-gate; return nil }
	if err := u.lease.Post(evRun.Name(), wait); err != nil {
		t.Fatal(err)
	}
	<-busy
	nothing := func(*kernel.Context) error { return nil }
	until(t, "the queue is full", func() bool { return errors.Is(u.lease.Post(evRun.Name(), nothing), kernel.ErrQueueFull) })
	close(full)
	if err := <-reported; !errors.Is(err, kernel.ErrQueueFull) {
		t.Error(err)
	}
	until(t, "the request has ended", func() bool { s, _ := u.client.Stats(); return s.Pending == 0 && s.Running == 0 })
	close(gate)
}

// TestProgressEvery: the first piece is told, and then no more than one in so much
// time.
func TestProgressEvery(t *testing.T) {
	eachBubble(t, func(t *testing.T, k *kernel.Kernel) {
		body := &drip{n: 11, each: time.Second}
		u := newUser(t, newClient(t, k, Config{ProgressEvery: 5 * time.Second, Transport: dripping(body)}))
		u.request(Request{HTTP: get(t, "http://x/"), Progress: evHow})
		if r := <-u.got; r.Err != nil {
			t.Error(r.Err)
		}
		for _, want := range []int64{1, 6, 11} {
			if p := <-u.progress; p.Done != want {
				t.Errorf("progress at %d, want %d", p.Done, want)
			}
		}
		if n := len(u.progress); n != 0 {
			t.Errorf("%d more", n)
		}
	})
}
