package tcp_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/usher-go/usher/components/tcp"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

type (
	webConn = tcp.Conn[filter.HTTPDRecord, *http.Response]
	web     = tcp.ServerConfig[filter.HTTPDRecord, *http.Response]
)

// shout is a web server as the documentation of filter.HTTPDFilter has it: it
// answers with the method and the content, in capitals.
func shout(r *rig) web {
	return web{
		Filter:          filter.HTTPD,
		ClientConnected: func(*kernel.Context, *webConn) error { r.note("connected"); return nil },
		ClientInput: func(_ *kernel.Context, conn *webConn, q filter.HTTPDRecord) error {
			text, err := io.ReadAll(q.Body)
			if err != nil {
				return err
			}
			r.note("%s %s %d", q.Method, q.URL, len(text))
			if q.Close {
				defer conn.Shutdown()
			}
			return conn.Put(filter.HTTPResponse(q.Request, http.StatusOK, q.Method+" "+strings.ToUpper(string(text))+"\n"))
		},
		ClientError: func(_ *kernel.Context, conn *webConn, e *wheel.Error) error {
			if refusal, ok := errors.AsType[*filter.HTTPError](e); ok {
				r.note("refused %d", refusal.Status)
				return conn.Put(refusal.Response())
			}
			r.note("error %s %s", e.Op, cause(e))
			return nil
		},
		ClientDisconnected: func(_ *kernel.Context, conn *webConn) error {
			var refusal *filter.HTTPError
			r.note("disconnected, refused %t", errors.As(conn.Err(), &refusal))
			return nil
		},
	}
}

// curl writes after each answer its status and how many connections it had to make.
func curl(t *testing.T, args ...string) *program {
	return start(t, "curl", "curl", append([]string{"-sS", "-q", "--noproxy", "*", "-w", "%{http_code} %{num_connects}\n"}, args...)...)
}

func TestInteropCurl(t *testing.T) {
	big := filepath.Join(t.TempDir(), "big")
	if err := os.WriteFile(big, bytes.Repeat([]byte("x"), 1<<20+1), 0o600); err != nil {
		t.Fatal(err)
	}
	kept := []string{"error read EOF", "disconnected, refused false"}
	refused := []string{"disconnected, refused true"}
	for name, tt := range map[string]struct {
		args []string // URL is where the server is
		says []string
		log  []string // after "connected"
	}{
		"GET":        {[]string{"URL/a?b=c"}, []string{"GET ", "200 1"}, append([]string{"GET /a?b=c 0"}, kept...)},
		"POST":       {[]string{"-d", "hello", "URL/"}, []string{"POST HELLO", "200 1"}, append([]string{"POST / 5"}, kept...)},
		"chunks":     {[]string{"-H", "Transfer-Encoding: chunked", "-d", "hello", "URL/"}, []string{"POST HELLO", "200 1"}, append([]string{"POST / 5"}, kept...)},
		"keep-alive": {[]string{"-d", "hello", "URL/1", "URL/2", "URL/3"}, []string{"POST HELLO", "200 1", "POST HELLO", "200 0", "POST HELLO", "200 0"}, append([]string{"POST /1 5", "POST /2 5", "POST /3 5"}, kept...)},
		"HTTP/1.0":   {[]string{"-0", "URL/"}, []string{"GET ", "200 1"}, []string{"GET / 0", "disconnected, refused false"}},
		"close":      {[]string{"-H", "Connection: close", "URL/"}, []string{"GET ", "200 1"}, []string{"GET / 0", "disconnected, refused false"}},
		"no HTTP": {[]string{"-X", "what is", "URL/"}, []string{"400 Bad Request", "400 1"},
			append([]string{"refused 400"}, refused...)},
		"content over the limit": {[]string{"-H", "Expect:", "--data-binary", "@" + big, "URL/"}, []string{"413 Request Entity Too Large", "413 1"},
			append([]string{"refused 413"}, refused...)},
		"content over the limit, announced": {[]string{"-H", "Expect: 100-continue", "--data-binary", "@" + big, "URL/"}, []string{"413 Request Entity Too Large", "413 1"},
			append([]string{"refused 413"}, refused...)},
		"expectation": {[]string{"-H", "Expect: miracles", "URL/"}, []string{"417 Expectation Failed", "417 1"},
			append([]string{"refused 417"}, refused...)},
		"header over the limit": {[]string{"-H", "X: " + strings.Repeat("x", 64<<10), "URL/"}, []string{"431 Request Header Fields Too Large", "431 1"},
			append([]string{"refused 431"}, refused...)},
	} {
		t.Run(name, func(t *testing.T) {
			eachMode(t, func(t *testing.T, m kernel.Mode) {
				r := newRig(t, m)
				s, err := tcp.NewServer(r.k, shout(r))
				if err != nil {
					t.Fatal(err)
				}
				args := slices.Clone(tt.args)
				for i, a := range args {
					args[i] = strings.Replace(a, "URL", "http://"+s.Addr().String(), 1)
				}
				curl(t, args...).want(tt.says...)
				r.await(tt.log[len(tt.log)-1])
				r.want(append([]string{"connected"}, tt.log...)...)
				if s := s.State(); s.Accepted != 1 || s.Failed != 0 {
					t.Errorf("State = %+v", s)
				}
			})
		})
	}
}

// The first of two pipelined requests is answered though the second is refused.
func TestRefusedRequestBehindAnother(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		s, err := tcp.NewServer(r.k, shout(r))
		if err != nil {
			t.Fatal(err)
		}
		p := r.dial(s.Addr())
		p.send("GET / HTTP/1.1\r\nHost: here\r\n\r\nnonsense\r\n\r\nGET /never HTTP/1.1\r\nHost: here\r\n\r\n")
		for _, want := range []int{200, 400} {
			resp, err := http.ReadResponse(p.in, nil)
			if err != nil || resp.StatusCode != want || resp.Close != (want == 400) {
				t.Fatalf("the answer is %+v, %v; want %d", resp, err, want)
			}
			_, _ = io.Copy(io.Discard, resp.Body)
		}
		p.end()
		p.Close()
		r.await("disconnected, refused true")
		r.want("connected", "GET / 0", "refused 400", "disconnected, refused true")
	})
}

// POE's server for HTTP, asked by a client that reads bytes.
func TestInteropPerlHTTPD(t *testing.T) {
	if out, err := exec.Command("perl", "-MPOE::Filter::HTTPD", "-e1").CombinedOutput(); err != nil {
		t.Skipf("no Perl with POE::Filter::HTTPD here (Debian: libpoe-perl, libhttp-message-perl): %v, %.100s", err, out)
	}
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		p := perl(t, "httpd.pl")
		var got bytes.Buffer
		c, err := tcp.NewClient(r.k, tcp.ClientConfig[[]byte, []byte]{
			RemoteAddress: "127.0.0.1:" + strings.TrimPrefix(p.line(), "port "),
			Filter:        filter.Stream,
			Connected: func(_ *kernel.Context, conn *tcp.Conn[[]byte, []byte]) error {
				return conn.Put([]byte("POST /1 HTTP/1.1\r\nHost: here\r\nContent-Length: 5\r\n\r\nhello" + "GET /2 HTTP/1.1\r\nHost: here\r\n\r\n"))
			},
			ServerInput: func(_ *kernel.Context, conn *tcp.Conn[[]byte, []byte], piece []byte) error {
				got.Write(piece)
				return nil
			},
			Disconnected: func(_ *kernel.Context, conn *tcp.Conn[[]byte, []byte]) error {
				r.note("disconnected %s", cause(conn.Err()))
				return nil
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		r.ended(c.Session())
		r.want("disconnected nil")
		in := bufio.NewReader(&got)
		for _, want := range []string{"POST /1 HELLO", "GET /2 "} {
			resp, err := http.ReadResponse(in, nil)
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(resp.Body)
			if err != nil || resp.StatusCode != http.StatusOK || string(text) != want {
				t.Errorf("the answer is %d %q, %v; want %q", resp.StatusCode, text, err, want)
			}
		}
		p.want("connected", "POST /1 5", "GET /2 0", "disconnected", "stopped")
	})
}
