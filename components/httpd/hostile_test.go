package httpd_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/usher-go/usher/components/httpd"
	"github.com/usher-go/usher/kernel"
)

// Attempts to smuggle a second request past the first are refused, or the second is
// no request: "/evil" is never served.
func TestH33_H67_Smuggling(t *testing.T) {
	t.Parallel() // it waits most of the time
	const evil = "GET /evil HTTP/1.1\r\nHost: x\r\n\r\n"
	for name, test := range map[string]struct {
		request string
		code    int // of the first answer
	}{
		"length and chunked":   {"POST /foo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + evil, 200},
		"two lengths":          {"POST /foo HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 34\r\n\r\n" + evil, 400},
		"list of lengths":      {"POST /foo HTTP/1.1\r\nHost: x\r\nContent-Length: 0, 34\r\n\r\n" + evil, 400},
		"signed length":        {"POST /foo HTTP/1.1\r\nHost: x\r\nContent-Length: +0\r\n\r\n" + evil, 400},
		"two encodings":        {"POST /foo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + evil, 501},
		"odd encoding":         {"POST /foo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + evil, 501},
		"space before colon":   {"POST /foo HTTP/1.1\r\nHost: x\r\nContent-Length : 34\r\n\r\n" + evil, 400},
		"folded first header":  {"POST /foo HTTP/1.1\r\n Host: x\r\nContent-Length: 34\r\n\r\n" + evil, 400},
		"chunk size overflow":  {"POST /foo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n" + evil, 400},
		"bare LF in chunk":     {"POST /foo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2;\nxx\r\n0\r\n\r\n" + evil, 400},
		"length hides another": {"POST /foo HTTP/1.1\r\nHost: x\r\nContent-Length: 31\r\n\r\n" + evil, 200},
		"control in header":    {"GET /foo HTTP/1.1\r\nHost: x\r\nX: a\rGET /evil HTTP/1.1\r\n\r\n", 400},
		"two hosts":            {"GET /foo HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n" + evil, 400},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, kernel.Parallel)
			served := 0
			s := r.serve(httpd.Config{KeepAlive: true}, pages{"foo": hello, "evil": func(c *kernel.Context, q *httpd.Request, a *httpd.Response) error {
				served++
				return hello(c, q, a)
			}})
			p := dial(t, s)
			p.send(test.request)
			_ = p.Conn.(*net.TCPConn).CloseWrite()
			if a, _ := p.answer("POST"); a.StatusCode != test.code {
				t.Errorf("got %d; want %d", a.StatusCode, test.code)
			}
			p.closed()
			r.stop()
			// Of length and chunked net/http believes the latter, as RFC 9112 has it,
			// and what follows is a request on a connection that is kept.
			if served > 0 && name != "length and chunked" {
				t.Error("smuggled")
			}
		})
	}
}

// inBubble serves pages over connections in memory, in virtual time.
func inBubble(t *testing.T, cfg httpd.Config, p pages, f func(t *testing.T, dial func() *peer, r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		k := kernel.New(kernel.Config{Observer: &kernel.Observer{}})
		r := &rig{t: t, k: k}
		r.changed.L = &r.mu
		release := k.Hold("test")
		end := make(chan error, 1)
		go func() { end <- k.Run(context.Background()) }()
		in := newPipes()
		cfg.Listeners = []net.Listener{in}
		s := r.serve(r.logs(cfg), p)
		f(t, func() *peer { return &peer{Conn: in.dial(), t: t} }, r)
		if err := s.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		k.Stop()
		release()
		if err := <-end; err != nil {
			t.Error(err)
		}
	})
}

// Who sends slowly, or nothing, or does not read, is ended by a timeout, whatever
// the pace of the bytes between.
func TestH64_H90_H91_Slowloris(t *testing.T) {
	cfg := httpd.Config{KeepAlive: true, ReadHeaderTimeout: 7 * time.Second, ReadTimeout: 11 * time.Second, IdleTimeout: 13 * time.Second, WriteTimeout: 17 * time.Second}
	big := strings.Repeat("x", 1<<20)
	p := pages{"foo": hello, "big": func(_ *kernel.Context, _ *httpd.Request, a *httpd.Response) error {
		a.WriteString(big)
		a.Done()
		return nil
	}}
	for name, test := range map[string]struct {
		first string        // at once …
		drip  string        // … and a byte each second
		after time.Duration // from the first until the end
		says  string
	}{
		"silent":     {"", "", 7 * time.Second, ""},
		"header":     {"GET /foo HTTP/1.1\r\nHost: x\r\n", "X: " + big, 7 * time.Second, "error malformed request: it ended, or was not complete in time"},
		"body":       {"POST /foo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n", big, 11 * time.Second, "error request body refused"},
		"unread 404": {"POST /none HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n", big, 0, "log2 /none 404"},
		"idle":       {"GET /foo HTTP/1.1\r\nHost: x\r\n\r\n", "", 13 * time.Second, "log2 /foo 200"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, cfg, p, func(t *testing.T, dial func() *peer, r *rig) {
				p := dial()
				began := time.Now()
				sent := make(chan struct{})
				go func() {
					defer close(sent)
					_, _ = io.WriteString(p, test.first)
					for i := range test.drip {
						time.Sleep(time.Second) // of the bubble
						if _, err := io.WriteString(p, test.drip[i:i+1]); err != nil {
							return
						}
					}
				}()
				_, _ = io.Copy(io.Discard, p)
				if d := time.Since(began); d < test.after || d > test.after+time.Second {
					t.Errorf("ended after %v; want %v", d, test.after)
				}
				p.Close()
				<-sent
				if test.says != "" {
					r.await(test.says)
				} else if n := r.count("error") + r.count("log nil"); n > 0 { // H75
					t.Errorf("%q", r.entries())
				}
			})
		})
	}
	for _, before := range []time.Duration{0, time.Second, 12 * time.Second} { // since another answer
		t.Run(fmt.Sprintf("no reader after %v", before), func(t *testing.T) {
			inBubble(t, cfg, p, func(t *testing.T, dial func() *peer, r *rig) {
				p := dial()
				if before > 0 {
					p.in = bufio.NewReader(p)
					p.get("/foo")
					p.want(200, "hello")
					time.Sleep(before) // of the bubble
				}
				began := time.Now()
				p.get("/big") // and nothing is read
				r.await("error client is gone")
				if d := time.Since(began); d < 17*time.Second || d > 17*time.Second*9/8 {
					t.Errorf("ended after %v", d)
				}
			})
		})
	}
}

func TestH93_AnswerTimeout(t *testing.T) {
	held := make(chan *httpd.Response, 2)
	cfg := httpd.Config{KeepAlive: true, AnswerTimeout: 3 * time.Second}
	p := pages{"slow": slow(held), "stream": func(c *kernel.Context, _ *httpd.Request, a *httpd.Response) error {
		a.Stream("", "", true)
		a.Send()
		held <- a
		return nil
	}}
	inBubble(t, cfg, p, func(t *testing.T, dial func() *peer, r *rig) {
		p := dial()
		p.in = bufio.NewReader(p)
		began := time.Now()
		p.get("/slow")
		p.want(500, "500 Internal Server Error\n")
		if d := time.Since(began); d != 3*time.Second {
			t.Errorf("after %v", d)
		}
		r.await("error no answer within Config.AnswerTimeout: GET /slow")
		r.await("log2 /slow 500")
		(<-held).Done()
		r.await("error already answered: DONE")
		p = dial()
		p.in = bufio.NewReader(p)
		p.get("/stream") // a stream that has begun may take its time
		got, err := http.ReadResponse(p.in, nil)
		if err != nil {
			t.Fatal(err)
		}
		a := <-held
		time.Sleep(time.Hour) // of the bubble
		a.WriteString("late")
		a.Done()
		if b, err := io.ReadAll(got.Body); string(b) != "late" || err != nil {
			t.Errorf("%q, %v", b, err)
		}
	})
}

// A client that says nothing, or little, holds a graceful end up for five seconds
// (H90), and the rest for ShutdownTimeout.
func TestH90_H89_SilentAtShutdown(t *testing.T) {
	for _, first := range []string{"", "GET /foo HT"} {
		var began time.Time
		inBubble(t, httpd.Config{ReadHeaderTimeout: httpd.NoLimit}, pages{"foo": hello}, func(t *testing.T, dial func() *peer, r *rig) {
			p := dial()
			if first != "" {
				p.send(first)
			}
			synctest.Wait()
			began = time.Now()
			go func() {
				_, _ = io.Copy(io.Discard, p)
				if d := time.Since(began); d > 10*time.Second {
					t.Errorf("%q: closed after %v", first, d)
				}
			}()
		})
	}
}

// Who asks soon after a graceful end began is answered, and told that it was the last
// time. Who does not is hung up on, and not before.
func TestH89_P29_WhoAsksDuringAGracefulEndIsAnswered(t *testing.T) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "handled") })
	for path, want := range map[string]string{"/foo": "hello", "/other": "handled"} {
		cfg := httpd.Config{Alias: "web", KeepAlive: true, Handler: handler}
		inBubble(t, cfg, pages{"foo": hello}, func(t *testing.T, dial func() *peer, r *rig) {
			var peers []*peer
			for range 2 {
				p := dial()
				p.in = bufio.NewReader(p)
				p.get(path)
				if a := p.want(200, want); a.Close {
					t.Error("closed too early")
				}
				peers = append(peers, p)
			}
			synctest.Wait()
			began := time.Now()
			if err := httpd.Shutdown.PostFrom(r.k, "web", true); err != nil {
				t.Fatal(err)
			}
			time.Sleep(200 * time.Millisecond) // of the bubble
			peers[0].get(path)
			if a := peers[0].want(200, want); !a.Close {
				t.Errorf("%s: no \"Connection: close\"", path)
			}
			peers[0].end()
			peers[1].end()
			if d := time.Since(began); d != 250*time.Millisecond {
				t.Errorf("%s: hung up on after %v", path, d)
			}
		})
	}
}
