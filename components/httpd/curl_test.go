package httpd_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/usher-go/usher/components/httpd"
	"github.com/usher-go/usher/kernel"
)

// curl runs it, with a deadline of its own, and returns what it prints.
func curl(t *testing.T, args ...string) string {
	t.Helper()
	path, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("curl is not installed")
	}
	out, err := exec.CommandContext(t.Context(), path, append([]string{"--silent", "--show-error", "--max-time", "20", "--noproxy", "*"}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("curl %q: %v\n%s", args, err, out)
	}
	return string(out)
}

func TestH30_H33_H41_H59_H62_Curl(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		dir := t.TempDir()
		upload := filepath.Join(dir, "upload")
		if err := os.WriteFile(upload, []byte(strings.Repeat("x", 300000)), 0o600); err != nil {
			t.Fatal(err)
		}
		r.spawn("files", httpd.On("size", func(_ *kernel.Context, q *httpd.Request, a *httpd.Response) error {
			fmt.Fprintf(a, "%s %d", q.Method, len(q.Content))
			a.Done()
			return nil
		}))
		cfg := r.logs(httpd.Config{KeepAlive: true})
		cfg.Listen = []string{"tcp://:0", "unix://" + filepath.Join(dir, "x.sock")}
		s := r.streamer(cfg)
		if err := s.SetHandlers(append(s.Handlers(), httpd.Route{Dir: "^/size", Session: "files", Event: "size"})); err != nil {
			t.Fatal(err)
		}
		at := "http://" + s.Addrs()[0].String()
		for _, test := range []struct {
			want string
			args []string
		}{
			{"hello", []string{at + "/foo"}},
			{"hellohello", []string{at + "/foo", at + "/foo"}},
			{"<3><<<rest", []string{at + "/stream"}},
			{"<3><<<rest", []string{"--http1.0", at + "/stream"}},
			{"<3><<<", []string{at + "/stream?close"}},
			{"POST 300000", []string{"--data-binary", "@" + upload, at + "/size"}},
			{"POST 300000", []string{"-H", "Expect: 100-continue", "-H", "Transfer-Encoding: chunked", "--data-binary", "@" + upload, at + "/size"}},
			{"PUT 300000", []string{"--upload-file", upload, at + "/size"}},
			{"404 Not Found\n404", []string{"--write-out", "%{http_code}", at + "/nothing"}},
			{"hello", []string{"--unix-socket", filepath.Join(dir, "x.sock"), "http://whoever/foo"}},
		} {
			if got := curl(t, test.args...); got != test.want {
				t.Errorf("curl %q: got %q; want %q", test.args, got, test.want)
			}
		}
		if got := curl(t, "--head", at+"/foo"); !strings.Contains(got, "HTTP/1.1 200 OK\r\n") || !strings.Contains(got, "Content-Length: 5\r\n") {
			t.Errorf("HEAD: %q", got)
		}
		if n := r.count("error"); n > 0 {
			t.Errorf("%q", r.entries())
		}
	})
}

func TestH62_CurlHTTP2(t *testing.T) {
	if !strings.Contains(curl(t, "--version"), "HTTP2") {
		t.Skip("this curl has no HTTP/2")
	}
	r := newRig(t, kernel.Parallel)
	s := r.streamer(httpd.Config{TLS: tlsConfig(t), KeepAlive: true})
	at := "https://" + s.Addrs()[0].String()
	if got := curl(t, "--insecure", "--http2", "--write-out", " %{http_version} ", at+"/foo", at+"/stream"); got != "hello 2 <3><<<rest 2 " {
		t.Errorf("got %q", got)
	}
}
