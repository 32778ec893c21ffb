package httpd_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/usher-go/usher/components/httpd"
	"github.com/usher-go/usher/kernel"
)

func TestH11_H81_H82_H84_Logs(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		s := r.serve(r.logs(httpd.Config{}), pages{"foo": hello, "fail": func(*kernel.Context, *httpd.Request, *httpd.Response) error {
			return errors.New("oops")
		}})
		fetch(t, s, "/foo")
		fetch(t, s, "/nothing")
		r.await(`log GET /foo "" 127.0.0.1`)
		r.await(`log GET /nothing "" 127.0.0.1`)
		r.await("log2 /foo 200 5")
		r.await("log2 /nothing 404 14")
		fetch(t, s, "/fail")
		r.await("error handler failed: GET /fail: oops 127.0.0.1")
	})
}

// A target that is not there costs a report, not the request (H83).
func TestH83_TargetMissing(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		nobody := httpd.Target{Session: "nobody", Event: "x"}
		s := r.serve(httpd.Config{LogHandler: nobody, Log2Handler: nobody, ErrorHandler: nobody, SetupHandler: nobody}, pages{"foo": hello})
		if _, body := fetch(t, s, "/foo"); body != "hello" {
			t.Errorf("got %q", body)
		}
		r.awaitN(`report: httpd: handler target not reached: event "x" to nobody`, 3)
	})
}

// Without an ErrorHandler what is wrong is reported (H84).
func TestH84_Reported(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		s := r.serve(httpd.Config{}, pages{"fail": func(*kernel.Context, *httpd.Request, *httpd.Response) error { return errors.New("oops") }})
		fetch(t, s, "/fail")
		r.await("report: httpd: handler failed: GET /fail: oops")
	})
}

// lines is a log that fails when it is told to.
type lines struct {
	mu   sync.Mutex
	buf  bytes.Buffer
	fail error
	all  int
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all++
	if l.fail != nil {
		return 0, l.fail
	}
	return l.buf.Write(b)
}

func (l *lines) set(err error) { l.mu.Lock(); l.fail = err; l.mu.Unlock() }

func (l *lines) seen(n int) func() bool {
	return func() bool { l.mu.Lock(); defer l.mu.Unlock(); return l.all >= n }
}

func TestH12_AccessLog(t *testing.T) {
	stamp := `\[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\]`
	for format, want := range map[httpd.LogFormat][]string{
		httpd.Common: {
			`^127\.0\.0\.1 - - ` + stamp + ` "GET /foo\?q=%22 HTTP/1\.1" 200 5$`,
			`^127\.0\.0\.1 - - ` + stamp + ` "GET /close HTTP/1\.1" - -$`,
			`^127\.0\.0\.1 - - ` + stamp + ` "-" 400 -$`},
		httpd.Combined: {
			`^127\.0\.0\.1 - - ` + stamp + ` "GET /foo\?q=%22 HTTP/1\.1" 200 5 "http://x/" "evil \\"\\u00e4"$`,
			`^127\.0\.0\.1 - - ` + stamp + ` "GET /close HTTP/1\.1" - - "-" "-"$`,
			`^127\.0\.0\.1 - - ` + stamp + ` "-" 400 - "-" "-"$`},
		httpd.JSON: {
			`"ip":"127.0.0.1","method":"GET","uri":"/foo\?q=%22","proto":"HTTP/1.1","status":200,"bytes":5,"duration":[1-9]\d*,"referer":"http://x/","agent":"evil \\"ä"`,
			`"uri":"/close","proto":"HTTP/1.1","status":0,"bytes":0`,
			`"ip":"127.0.0.1","status":400,"bytes":0`},
	} {
		r := newRig(t, kernel.Parallel)
		log := &lines{}
		s := r.serve(httpd.Config{AccessLog: log, AccessLogFormat: format}, pages{"foo": hello,
			"close": func(_ *kernel.Context, _ *httpd.Request, a *httpd.Response) error { a.Close(); return nil }})
		for n, request := range []string{
			"GET /foo?q=%22 HTTP/1.1\r\nHost: x\r\nReferer: http://x/\r\nUser-Agent: evil \"\u00e4\r\n\r\n",
			"GET /close HTTP/1.1\r\nHost: x\r\n\r\n",
			"nonsense\r\n\r\n",
		} {
			p := dial(t, s)
			p.send(request)
			p.closed()
			r.until("it is logged", log.seen(n+1))
		}
		got := strings.Split(strings.TrimSuffix(log.buf.String(), "\n"), "\n")
		if len(got) != 3 {
			t.Fatalf("%d lines: %q", len(got), got)
		}
		for i, line := range got {
			if !regexp.MustCompile(want[i]).MatchString(line) {
				t.Errorf("format %d: got\n%s\nwant\n%s", format, line, want[i])
			}
			if format == httpd.JSON && !json.Valid([]byte(line)) {
				t.Errorf("no JSON: %s", line)
			}
		}
	}
}

func TestH12_AccessLogFails(t *testing.T) {
	for _, format := range []httpd.LogFormat{httpd.Common, httpd.JSON} {
		r := newRig(t, kernel.Parallel)
		log := &lines{}
		s := r.serve(httpd.Config{AccessLog: log, AccessLogFormat: format}, pages{"foo": hello})
		n := 0
		ask := func() {
			t.Helper()
			if _, body := fetch(t, s, "/foo"); body != "hello" {
				t.Errorf("got %q", body)
			}
			n++
			r.until("it is logged", log.seen(n))
		}
		full := errors.New("disk full")
		for _, err := range []error{full, full, full, errors.New("other"), nil, full, full} {
			log.set(err)
			ask()
		}
		r.awaitN("report: httpd: access log not written: disk full", 2) // again after it had worked
		r.await("report: httpd: access log not written: other")
		if n := r.count("report"); n != 3 {
			t.Errorf("%q", r.entries())
		}
	}
}

// A client of a unix socket may call its own what it likes, and writes no lines with it.
func TestH12_H70_ClientsPathInTheAccessLog(t *testing.T) {
	dir, err := os.MkdirTemp("", "usher") // t.TempDir can be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	r := newRig(t, kernel.Parallel)
	log := &lines{}
	s := r.serve(httpd.Config{AccessLog: log, Listen: []string{"unix://" + dir + "/s"}}, pages{"foo": hello})
	own := &net.UnixAddr{Net: "unix", Name: dir + "/a b\nc"}
	nc, err := net.DialUnix("unix", own, s.Addrs()[0].(*net.UnixAddr))
	if err != nil {
		t.Fatal(err)
	}
	p := newPeer(t, nc)
	p.get("/foo")
	p.want(200, "hello")
	r.until("it is logged", log.seen(1))
	if line, want := log.buf.String(), dir+"/a?b?c - - ["; !strings.HasPrefix(line, want) || strings.Count(line, "\n") != 1 {
		t.Errorf("got %q; want it to begin with %q", line, want)
	}
}
