package httpd_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/usher-go/usher/components/httpd"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/session"
)

// streamer serves /stream: three pieces, each when the one before has left, and
// then the end that the query names.
func (r *rig) streamer(cfg httpd.Config) *httpd.Server {
	r.t.Helper()
	left := map[*httpd.Response]int{}
	how := map[*httpd.Response]string{}
	r.spawn("streams",
		httpd.On("begin", func(c *kernel.Context, q *httpd.Request, a *httpd.Response) error {
			left[a], how[a] = 2, q.URL.RawQuery
			a.Stream(c.Self(), "more", false)
			a.WriteString("<3>")
			if a.Streaming() {
				r.t.Error("marked, and taken for a stream that has begun")
			}
			return httpd.Stream.Post(c, "web", a)
		}),
		session.On("more", func(c *kernel.Context, a *httpd.Response) error {
			r.note("callback, content %q, sent %d", a.Content, a.Sent())
			n, end := left[a], how[a] // the same Response each time
			if !a.Streaming() {
				r.t.Error("streams, and does not say so")
			}
			if left[a]--; n == 0 {
				delete(left, a)
				delete(how, a)
				if end == "close" {
					return httpd.Close.Post(c, "web", a)
				}
				a.WriteString("rest")
				return httpd.Done.Post(c, "web", a)
			}
			a.WriteString(strings.Repeat("<", n))
			a.Send()
			return nil
		}))
	cfg.Alias = "web"
	cfg.Handlers = []httpd.Route{{Dir: "^/stream", Session: "streams", Event: "begin"}, {Dir: "^/foo", Session: "pages", Event: "foo"}}
	return r.serve(cfg, pages{"foo": hello})
}

func TestH51_H52_H54_H56_H58_H59_H60_R15_StreamKeepAlive(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		s := r.streamer(r.logs(httpd.Config{KeepAlive: true}))
		p := dial(t, s)
		for range 2 {
			p.get("/stream")
			a := p.want(200, "<3><<<rest")
			if a.ContentLength != -1 || len(a.TransferEncoding) != 1 || a.Header.Get("Content-Type") != "text/plain" {
				t.Errorf("length %d, %v, %v", a.ContentLength, a.TransferEncoding, a.Header)
			}
			p.get("/foo") // nothing of the stream is left on the connection (H60)
			p.want(200, "hello")
		}
		r.awaitN("log2 /stream 200 10", 2)
		for _, want := range []string{`callback, content "", sent 3`, `callback, content "", sent 5`, `callback, content "", sent 6`} {
			if n := r.count(want); n != 2 {
				t.Errorf("%s: %d times; %q", want, n, r.entries())
			}
		}
	})
}

func TestH48_H51_H59_StreamClose(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		s := r.streamer(r.logs(httpd.Config{KeepAlive: true}))
		p := dial(t, s)
		p.get("/stream?close")
		p.want(200, "<3><<<") // well framed, in spite of the close
		p.end()
		p = dial(t, s)
		p.send("GET /stream HTTP/1.0\r\n\r\n")
		a := p.want(200, "<3><<<rest")
		if a.TransferEncoding != nil || !a.Close { // read to the end of the connection
			t.Errorf("%v %v", a.TransferEncoding, a.Close)
		}
		p.end()
		r.await("log2 /stream 200 6")
		r.await("log2 /stream 200 10")
	})
}

func TestH53_DontFlush(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		s := r.serve(r.logs(httpd.Config{Alias: "web"}), pages{"foo": func(c *kernel.Context, _ *httpd.Request, a *httpd.Response) error {
			a.Stream(c.Self(), "never", true)
			for _, text := range []string{"a", "b", "c"} {
				a.WriteString(text)
				if _, err := httpd.Stream.Call(c, "web", a); err != nil {
					return err
				}
			}
			a.WriteString("d")
			if err := httpd.Stream.Post(c, "web", a); err != nil {
				return err
			}
			return httpd.Done.Post(c, "web", a)
		}})
		if _, body := fetch(t, s, "/foo"); body != "abcd" {
			t.Errorf("got %q", body)
		}
		if n := r.count("error"); n > 0 {
			t.Errorf("%q", r.entries())
		}
	})
}

func TestH50_Unmarked(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		s := r.serve(r.logs(httpd.Config{}), pages{"foo": func(c *kernel.Context, q *httpd.Request, a *httpd.Response) error {
			a.Send()
			if a.Streaming() {
				t.Error("streams unasked")
			}
			return hello(c, q, a)
		}})
		if a, body := fetch(t, s, "/foo"); body != "hello" || a.ContentLength != 5 {
			t.Errorf("got %q %d", body, a.ContentLength)
		}
		r.await("error stream not marked: STREAM for connection")
	})
}

func TestH47_R14_DoneWhilePending(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		piece := strings.Repeat("x", 1<<20)
		s := r.serve(httpd.Config{}, pages{"foo": func(c *kernel.Context, _ *httpd.Request, a *httpd.Response) error {
			a.Stream(c.Self(), "", true)
			for range 4 {
				a.WriteString(piece)
				a.Send()
			}
			a.Done()
			if !a.Streaming() {
				t.Error("does not stream")
			}
			return nil
		}})
		if _, body := fetch(t, s, "/foo"); len(body) != 4<<20 {
			t.Errorf("got %d bytes", len(body))
		}
	})
}

// The callback follows the output, not the Send: a client that does not read
// bounds what is made (H55).
func TestH55_CallbackOnDrain(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		made := 0
		piece := bytes.Repeat([]byte("x"), 1<<20)
		r.spawn("streams", session.On("more", func(c *kernel.Context, a *httpd.Response) error {
			if made++; made > 64 {
				a.Done()
				return nil
			}
			r.note("made")
			a.Content = piece
			a.Send()
			return nil
		}))
		s := r.serve(httpd.Config{Alias: "web"}, pages{"foo": func(c *kernel.Context, _ *httpd.Request, a *httpd.Response) error {
			a.Stream("streams", "more", false)
			a.Send() // headers only
			return nil
		}})
		p := dial(t, s)
		p.get("/foo")
		a, err := http.ReadResponse(p.in, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.await("made")
		for n := 1; n <= 64; n++ {
			// What was made is what was read, what the system buffers, and one piece.
			if got := r.count("made"); got > n+20 {
				t.Fatalf("%d MiB made, %d read", got, n)
			}
			if _, err := io.CopyN(io.Discard, a.Body, 1<<20); err != nil {
				t.Fatal(err)
			}
		}
		if n, err := io.Copy(io.Discard, a.Body); n != 0 || err != nil {
			t.Errorf("%d more, %v", n, err)
		}
	})
}

func TestH55_TooFast(t *testing.T) {
	r := newRig(t, kernel.Parallel)
	s := r.serve(r.logs(httpd.Config{MaxStream: 32 << 20}), pages{"foo": func(c *kernel.Context, _ *httpd.Request, a *httpd.Response) error {
		a.Stream("", "", true)
		for range 64 {
			a.Content = make([]byte, 1<<20)
			a.Send()
		}
		return nil
	}})
	p := dial(t, s)
	p.get("/foo")
	r.await("error stream faster than its client")
	p.closed()
	r.await("error client is gone: STREAM") // the rest of them
}

func TestH57_ClientGoneMidStream(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		held := make(chan *httpd.Response, 1)
		s := r.serve(r.logs(httpd.Config{}), pages{"foo": func(c *kernel.Context, _ *httpd.Request, a *httpd.Response) error {
			a.Stream("pages", "never", false)
			held <- a
			return nil
		}})
		p := dial(t, s)
		p.get("/foo")
		a := <-held
		p.Close()
		r.awaitGone(s, a)
		for n := 1; n <= 3; n++ {
			a.WriteString("x")
			a.Send()
			r.awaitN("error client is gone", n)
		}
	})
}

func TestH58_HeadStream(t *testing.T) {
	r := newRig(t, kernel.Parallel)
	s := r.streamer(httpd.Config{KeepAlive: true})
	p := dial(t, s)
	p.send("HEAD /stream HTTP/1.1\r\nHost: x\r\n\r\n")
	if a, body := p.answer("HEAD"); a.StatusCode != 200 || body != "" {
		t.Errorf("%d %q", a.StatusCode, body)
	}
	p.get("/foo")
	p.want(200, "hello")
}

// A stream that nobody goes on with ends, visibly incomplete (H93).
func TestH93_DroppedStream(t *testing.T) {
	r := newRig(t, kernel.Parallel, kerneltest.AllowUnhandled())
	s := r.serve(r.logs(httpd.Config{}), pages{"foo": func(c *kernel.Context, _ *httpd.Request, a *httpd.Response) error {
		a.Stream("pages", "nobody handles this", false)
		a.WriteString("x")
		a.Send()
		return nil
	}, "bar": hello})
	p := dial(t, s)
	p.get("/foo")
	a, err := http.ReadResponse(p.in, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.collect(s, "/bar", "error response dropped")
	if _, err := io.ReadAll(a.Body); err == nil {
		t.Error("the stream looks complete")
	}
}
