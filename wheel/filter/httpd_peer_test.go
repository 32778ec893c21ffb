package filter_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usher-go/usher/wheel/filter"
)

// serveHTTP answers on a loopback address until the test is over. conns counts
// the connections.
func serveHTTP(t *testing.T, c filter.HTTPDConfig, answer func(filter.HTTPDRecord) *http.Response) (url string, conns *atomic.Int32) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	t.Cleanup(func() {
		_ = listener.Close()
		running.Wait() // the clients have hung up
	})
	conns = new(atomic.Int32)
	running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			conns.Add(1)
			s := &webServer{newHTTPD(t, c), answer}
			running.Go(func() {
				if err := serveConn(conn, s); err != nil {
					t.Error(err)
				}
			})
		}
	})
	return "http://" + listener.Addr().String(), conns
}

func serveConn(conn net.Conn, s *webServer) error {
	defer conn.Close()
	buf := make([]byte, 4096)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			return nil // the peer has gone
		}
		out, end, err := s.read(buf[:n])
		if err != nil {
			return err
		}
		if _, err := conn.Write(out); err != nil || end {
			return nil
		}
	}
}

func runCurl(t *testing.T, args ...string) string {
	t.Helper()
	path, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("curl is not installed")
	}
	args = append([]string{"--silent", "--show-error", "--max-time", "20", "--noproxy", "*"}, args...)
	var errs strings.Builder
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("curl %q: %v: %s", args, err, errs.String())
	}
	return string(out)
}

func TestF35_F36_F38_F42_F44_Curl(t *testing.T) {
	url, conns := serveHTTP(t, filter.HTTPDConfig{}, func(r filter.HTTPDRecord) *http.Response {
		text, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		return filter.HTTPResponse(r.Request, 200, fmt.Sprintf("%s %s %v %s\n", r.Method, r.URL, r.TransferEncoding, text))
	})
	big := filepath.Join(t.TempDir(), "big")
	if err := os.WriteFile(big, bytes.Repeat([]byte("x"), 2<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"GET", []string{url + "/a?b=c"}, "GET /a?b=c [] \n"},
		{"POST", []string{"-d", "some=form", url + "/p"}, "POST /p [] some=form\n"},
		{"chunked", []string{"-H", "Transfer-Encoding: chunked", "-d", "some=form", url + "/p"}, "POST /p [chunked] some=form\n"},
		{"keep-alive", []string{url + "/1", url + "/2"}, "GET /1 [] \nGET /2 [] \n"},
		{"HTTP/1.0", []string{"-0", url + "/"}, "GET / [] \n"},
		{"HEAD", []string{"-I", url + "/"},
			"HTTP/1.1 200 OK\r\nContent-Length: 11\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"},
		{"too long", []string{"-T", big, "-o", "/dev/null", "-w", "%{http_code}", url + "/"}, "413"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := conns.Load()
			if got := runCurl(t, tt.args...); got != tt.want {
				t.Errorf("curl printed %q; want %q", got, tt.want)
			}
			if n := conns.Load() - before; n != 1 {
				t.Errorf("%d connections; want 1", n)
			}
		})
	}
}

// A streaming server says that curl shall go on, or curl would wait longer than
// this test may take.
func TestF43_CurlIsToldToContinue(t *testing.T) {
	size := 0 // of one connection at a time
	url, _ := serveHTTP(t, filter.HTTPDConfig{Streaming: true}, func(r filter.HTTPDRecord) *http.Response {
		size += len(r.Piece)
		if r.Last {
			return filter.HTTPResponse(r.Request, 200, fmt.Sprint(size))
		}
		return filter.HTTPResponse(r.Request, 100, "")
	})
	got := runCurl(t, "--expect100-timeout", "60", "-H", "Expect: 100-continue", "-d", strings.Repeat("x", 10_000), url)
	if got != "10000" {
		t.Errorf("curl printed %q", got)
	}
}

func TestF42_F44_ClientOfNetHTTP(t *testing.T) {
	url, _ := serveHTTP(t, filter.HTTPDConfig{}, shoutHTTP)
	client := http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for range 2 {
		resp, err := client.Post(url, "text/plain", io.MultiReader(strings.NewReader("of unknown "), strings.NewReader("length")))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if string(text) != "OF UNKNOWN LENGTH" || err != nil {
			t.Errorf("got %q, %v", text, err)
		}
	}
}

// What the filter accepts, net/http's own server accepts, and takes it for the
// same; what the filter refuses, the server refuses, unless the filter means to
// be stricter.
func TestF37_F39_F42_AsNetHTTPsServer(t *testing.T) {
	got := make(chan string, 10)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got <- shownRequest(r) }))
	defer server.Close()
	ask := func(wire string) (requests []string, lastStatus int) {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
		go io.WriteString(conn, wire+"GET /end HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
		for r := bufio.NewReader(conn); ; {
			resp, err := http.ReadResponse(r, nil)
			if err != nil {
				for len(got) > 0 {
					requests = append(requests, <-got)
				}
				return requests, lastStatus
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			lastStatus = resp.StatusCode
		}
	}
	accepted := []string{httpGet, httpPost, httpPut, httpGet + httpPost + httpPut, "GET / HTTP/1.1\r\nHost:\r\n\r\n", "GET http://a/ HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"}
	for chunks := range acceptedChunks {
		accepted = append(accepted, chunkedStart+chunks)
	}
	for _, wire := range accepted {
		want := httpdOutcome(t, filter.HTTPDConfig{}, wire, len(wire))
		requests, status := ask(wire)
		if status != 200 || len(requests) != len(want)+1 {
			t.Fatalf("%q: the server answers %d to %q", wire, status, requests)
		}
		wantOutcome(t, want, requests[:len(want)]...)
	}
	for _, r := range refusedRequests {
		if requests, status := ask(r.wire); (status == r.status) == (r.stricter != "") {
			t.Errorf("%q: the server answers %d to %q; the filter %d, on purpose: %q", r.wire, status, requests, r.status, r.stricter)
		}
	}
}
