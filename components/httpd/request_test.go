package httpd_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/usher-go/usher/components/httpd"
	"github.com/usher-go/usher/kernel"
)

// echo answers with what it got.
func echo(_ *kernel.Context, q *httpd.Request, a *httpd.Response) error {
	again, err := io.ReadAll(q.Body)
	fmt.Fprintf(a, "%s %v|%q|%v", q.Method, q.URL, q.Content, err)
	if string(again) != string(q.Content) {
		fmt.Fprintf(a, "|Body is %q", again)
	}
	a.Done()
	return nil
}

func TestH5_H30_H33_H34_Requests(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		s := r.serve(httpd.Config{KeepAlive: true}, pages{"foo": echo})
		at := strings.Replace(s.Addrs()[0].String(), "127.0.0.1", "server.test", 1)
		p := dial(t, s)
		p.send("GET /foo?a=b HTTP/1.1\r\nHost: elsewhere\r\n\r\n")
		p.want(200, "GET http://"+at+`/foo?a=b|""|<nil>`)
		for _, test := range [][2]string{
			{"POST /foo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", `"hello"`},
			{"POST /foo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nTrailer: x\r\n\r\n", `"hello world"`},
			{"POST /foo HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", `""`},
			{"get /foo HTTP/1.1\r\nHost: x\r\n\r\n", `""`}, // a word of its own (H28)
			{"POST http://other/foo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n!", `"!"`},
		} {
			p.send(test[0])
			method, _, _ := strings.Cut(test[0], " ")
			p.want(200, method+" http://"+at+"/foo|"+test[1]+"|<nil>") // and all of the body was read: the next one is in step
		}
	})
}

func TestH33_ExpectContinue(t *testing.T) {
	t.Parallel() // it waits most of the time
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		s := r.serve(r.logs(httpd.Config{MaxBody: 10}), pages{"foo": echo})
		p := dial(t, s)
		p.send("POST /foo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
		if a, _ := p.answer("POST"); a.StatusCode != 100 {
			t.Fatalf("got %d", a.StatusCode)
		}
		p.send("hello")
		if a, body := p.answer("POST"); a.StatusCode != 200 || !strings.Contains(body, `"hello"`) {
			t.Errorf("got %d %q", a.StatusCode, body)
		}
		p = dial(t, s) // too long: refused before it is sent
		p.send("POST /foo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n")
		if a, _ := p.answer("POST"); a.StatusCode != 413 {
			t.Errorf("got %d", a.StatusCode)
		}
		p.end()
		p = dial(t, s)
		p.send("POST /foo HTTP/1.1\r\nHost: x\r\nExpect: miracle\r\nContent-Length: 1\r\n\r\n")
		if a, _ := p.answer("POST"); a.StatusCode != 417 {
			t.Errorf("got %d", a.StatusCode)
		}
		r.await("error malformed request: 417")
	})
}

func TestH31_BodyLimits(t *testing.T) {
	t.Parallel() // it waits most of the time
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		s := r.serve(r.logs(httpd.Config{KeepAlive: true}), pages{"foo": func(_ *kernel.Context, q *httpd.Request, a *httpd.Response) error {
			fmt.Fprint(a, len(q.Content))
			a.Done()
			return nil
		}})
		post := func(head, body string, code int, want string) {
			t.Helper()
			p := dial(t, s)
			p.send("POST /foo HTTP/1.1\r\nHost: x\r\n" + head + "\r\n\r\n")
			_, _ = io.WriteString(p, body)
			if a, got := p.answer("POST"); a.StatusCode != code || got != want {
				t.Errorf("%s: got %d %q; want %d %q", head, a.StatusCode, got, code, want)
			}
		}
		full := strings.Repeat("x", 1<<20)
		post("Content-Length: 1048576", full, 200, "1048576")
		post("Content-Length: 1048577", "", 413, "413 Request Entity Too Large\n")
		post("Transfer-Encoding: chunked", "100000\r\n"+full+"\r\n0\r\n\r\n", 200, "1048576")
		post("Transfer-Encoding: chunked", "100001\r\n"+full+"y\r\n0\r\n\r\n", 413, "413 Request Entity Too Large\n")
		post("Transfer-Encoding: chunked", "zz\r\n", 400, "400 Bad Request\n")
		r.awaitN("error request body refused", 3)
		r.awaitN("log2 /foo 413", 2)
		r.awaitN(`log POST /foo "" 127.0.0.1`, 3)
	})
}

// What net/http refuses is answered, logged and closed (H32).
func TestH28_H29_H31_H32_Malformed(t *testing.T) {
	t.Parallel() // it waits most of the time
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		for _, test := range []struct {
			request string
			code    int
			says    string
		}{
			{"nonsense\r\n\r\n", 400, "400 Bad Request"},
			{"\r\nGET /foo HTTP/1.1\r\nHost: x\r\n\r\n", 400, "400 Bad Request"}, // a blank line in front
			{"GET /foo\r\n\r\n", 400, "400 Bad Request"},                         // HTTP/0.9 is gone
			{"GET /foo HTTP/9.9\r\nHost: x\r\n\r\n", 505, "505 HTTP Version Not Supported: unsupported protocol version"},
			{"GET /foo HTTP/1.1\r\n\r\n", 400, "400 Bad Request: missing required Host header"},
			{"POST /foo HTTP/1.1\r\nHost: x\r\nContent-Length: five\r\n\r\n", 400, "400 Bad Request"},
			{"POST /foo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 501, "501 Not Implemented"},
			{"GET /foo HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", 20000) + "\r\n\r\n", 431, "431 Request Header Fields Too Large"},
			{"GE(T /foo HTTP/1.1\r\nHost: x\r\n\r\n", 400, "400 Bad Request"},
		} {
			r := newRig(t, m)
			log := &lines{}
			s := r.serve(r.logs(httpd.Config{KeepAlive: true, MaxHeader: 1000, AccessLog: log}), pages{"foo": hello})
			p := dial(t, s)
			p.get("/foo") // on a connection that was fine so far
			p.want(200, "hello")
			p.send(test.request)
			a, _ := p.answer("GET")
			if a.StatusCode != test.code || !a.Close {
				t.Errorf("%.30q: got %d, close %v", test.request, a.StatusCode, a.Close)
			}
			p.closed()
			r.await("log nil 127.0.0.1")
			r.await("error malformed request: " + test.says)
			if n := r.count("log nil") + r.count("error"); n != 2 {
				t.Errorf("%.30q: %q", test.request, r.entries())
			}
			r.until("the refusal is counted", func() bool { return s.Stats().Refused == 1 && s.Stats().Connections == 0 })
			r.until("it is logged", log.seen(2))
			if want := fmt.Sprintf(`"-" %d -`, test.code); !strings.Contains(log.buf.String(), want) {
				t.Errorf("no %s in the access log: %s", want, log.buf.String())
			}
		}
	})
}

func TestH32_Incomplete(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		s := r.serve(r.logs(httpd.Config{}), pages{"foo": hello})
		p := dial(t, s)
		p.send("GET /foo HTTP/1.1\r\nHost:")
		p.Close()
		r.await("error malformed request: 400 Bad Request")
		r.await("log nil 127.0.0.1")
	})
}

func TestH8_H35_H36_ProxyMode(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		r.spawn("proxy", httpd.On("any", echo))
		s := r.start(httpd.Config{ProxyMode: true, KeepAlive: true, Handlers: []httpd.Route{{Dir: `^http://other\.test/`, Session: "proxy", Event: "any"}}})
		p := dial(t, s)
		p.send("GET http://other.test/x?y HTTP/1.1\r\nHost: ignored\r\n\r\n")
		p.want(200, `GET http://other.test/x?y|""|<nil>`)
		p.get("/x")
		p.want(404, "404 Not Found\n")
		p = dial(t, s)
		p.send("CONNECT other.test:443 HTTP/1.1\r\nHost: other.test:443\r\n\r\n")
		if a, _ := p.answer("CONNECT"); a.StatusCode != 404 {
			t.Errorf("CONNECT: got %d", a.StatusCode)
		}
	})
}

// Handler gets what no route matches, and all of it without routes.
func TestH24_Handler(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		mux := http.NewServeMux()
		mux.HandleFunc("POST /up/{name}", func(w http.ResponseWriter, q *http.Request) {
			b, err := io.ReadAll(q.Body)
			w.WriteHeader(201)
			fmt.Fprintf(w, "%s %q %v", q.PathValue("name"), b, err)
		})
		mux.HandleFunc("/panic", func(http.ResponseWriter, *http.Request) { panic("oops") })
		s := r.serve(r.logs(httpd.Config{KeepAlive: true, Handler: mux}), pages{"foo": hello})
		p := dial(t, s)
		p.get("/foo")
		p.want(200, "hello")
		p.send("POST /up/x HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi")
		p.want(201, `x "hi" <nil>`)
		p.get("/nothing")
		p.want(404, "404 page not found\n") // net/http's own rules: the connection is kept
		p.get("/panic")
		p.closed()
		r.await(`log POST /up/x "" 127.0.0.1`)
		r.await("log2 /up/x 201 12")
		r.await("log2 /nothing 404 19")
		r.await("error net/http: panic serving 127.0.0.1")
		if n := r.count("log2 /panic"); n > 0 {
			t.Errorf("%q", r.entries())
		}
		only := r.start(httpd.Config{Handler: mux})
		if a, _ := fetch(t, only, "/nothing"); a.StatusCode != 404 {
			t.Errorf("got %d", a.StatusCode)
		}
	})
}
