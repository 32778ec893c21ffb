package httpd_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/usher-go/usher/components/httpd"
	"github.com/usher-go/usher/kernel"
)

// read makes a request of its own and returns status and body.
func read(t *testing.T, s *httpd.Server, path string, head ...string) (*http.Response, string) {
	t.Helper()
	p := dial(t, s)
	host := "Host: " + s.Addrs()[0].String()
	for _, h := range head {
		if strings.HasPrefix(h, "Host:") {
			host = ""
		}
	}
	p.send("GET " + path + " HTTP/1.1\r\n" + strings.TrimLeft(strings.Join(append([]string{host}, head...), "\r\n"), "\r\n") + "\r\n\r\n")
	return p.answer("GET")
}

func statusMux(cfg httpd.StatusConfig) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/status", httpd.StatusHandler(cfg))
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "plain") })
	return mux
}

func TestStatusOfOneProcess(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m)
		s := r.serve(httpd.Config{Alias: "<web>", Handler: statusMux(httpd.StatusConfig{Parts: map[string]func() (any, error){
			"pool <1>": func() (any, error) { return map[string]any{"Idle": 3, "Keys": []string{"<k>"}}, nil },
			"broken":   func() (any, error) { return nil, errors.New("is down") },
		}})}, pages{"foo": hello})
		fetch(t, s, "/foo")
		fetch(t, s, "/<script>alert(1)</script>?secret")
		head, text := read(t, s, "/status?format=json")
		var st httpd.Status
		if err := json.Unmarshal([]byte(text), &st); err != nil || head.Header.Get("Content-Type") != "application/json" {
			t.Fatalf("%v: %s", err, text)
		}
		if st.Server != "<web>" || st.PID != os.Getpid() || st.Letters != "W" || len(st.Workers) != 1 || st.Requests != 2 || st.Connections != 3 || st.Limits != nil {
			t.Errorf("%+v", st)
		}
		if w := st.Workers[0]; w.Request != "GET /status" || w.PID != os.Getpid() {
			t.Errorf("%+v", w)
		}
		if len(st.Recent) != 2 || st.Recent[1].Path != "/foo" || st.Recent[1].Status != 200 || st.Recent[1].Bytes != 5 || strings.Contains(text, "secret") {
			t.Errorf("%+v", st.Recent)
		}
		if _, text := read(t, s, "/status", "Accept: application/json"); !strings.HasPrefix(text, "{") {
			t.Errorf("for Accept it is %q", text)
		}
		head, text = read(t, s, "/status", "Accept: text/html,application/json")
		if head.Header.Get("Content-Security-Policy") == "" || !strings.HasPrefix(text, "<!DOCTYPE html>") {
			t.Errorf("%v\n%s", head.Header, text)
		}
		for _, want := range []string{
			"<h1>&lt;web&gt;</h1>", `<span class="l busy" title="slot 0, pid `, "GET /status", "/foo</td>",
			"<h2>pool &lt;1&gt;</h2>", "<dt>Idle</dt><dd>3</dd>", "is down",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("no %q in the page", want)
			}
		}
		for _, not := range []string{"<script", "<k>", "<web>", "pool <1>", "secret"} {
			if strings.Contains(text, not) {
				t.Errorf("%q in the page", not)
			}
		}
	})
}

func TestStatusIsForThoseWhoMaySeeIt(t *testing.T) {
	for _, c := range []struct {
		name string
		cfg  httpd.StatusConfig
		path string
		head []string
		code int
	}{
		{"from here", httpd.StatusConfig{}, "/status", nil, 200},
		{"by name", httpd.StatusConfig{}, "/status", []string{"Host: localhost:80"}, 200},
		{"through a proxy", httpd.StatusConfig{}, "/status", []string{"X-Forwarded-For: 192.0.2.1"}, 403},
		{"by a foreign name", httpd.StatusConfig{}, "/status", []string{"Host: evil.example"}, 403},
		{"everybody", httpd.StatusConfig{AllowRemote: true}, "/status", []string{"Host: web.example"}, 200},
		{"no token", httpd.StatusConfig{Token: "t", AllowRemote: true}, "/status", nil, 401},
		{"wrong token", httpd.StatusConfig{Token: "t"}, "/status?token=u", nil, 401},
		{"token", httpd.StatusConfig{Token: "t"}, "/status?token=t", []string{"Host: web.example"}, 200},
		{"token in a header", httpd.StatusConfig{Token: "t"}, "/status", []string{"Authorization: Bearer t"}, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, kernel.Parallel)
			s := r.start(httpd.Config{Handler: statusMux(c.cfg)})
			if a, text := read(t, s, c.path, c.head...); a.StatusCode != c.code {
				t.Errorf("%d %s", a.StatusCode, text)
			}
		})
	}
	w := &answer{head: http.Header{}}
	req, _ := http.NewRequest("GET", "http://localhost/status", nil)
	req.RemoteAddr = "192.0.2.1:80"
	httpd.StatusHandler(httpd.StatusConfig{}).ServeHTTP(w, req)
	if w.code != 403 {
		t.Errorf("from elsewhere: %d", w.code)
	}
	req.RemoteAddr = "[::1]:80"
	httpd.StatusHandler(httpd.StatusConfig{}).ServeHTTP(w, req)
	if w.code != 500 {
		t.Errorf("under another server: %d", w.code)
	}
}

// answer keeps the status code.
type answer struct {
	head http.Header
	code int
}

func (a *answer) Header() http.Header         { return a.head }
func (a *answer) Write(b []byte) (int, error) { return len(b), nil }
func (a *answer) WriteHeader(code int)        { a.code = code }

// What Prometheus gets is in its text format, and has every worker.
func TestIII10_StatusForPrometheus(t *testing.T) {
	r := newRig(t, kernel.Parallel)
	s := r.serve(httpd.Config{Alias: "a\"b\\c\nd", Handler: statusMux(httpd.StatusConfig{Parts: map[string]func() (any, error){
		"pool":   func() (any, error) { return map[string]any{"Idle": 3, "Name": "x", "By key": []int{1}}, nil },
		"broken": func() (any, error) { return nil, errors.New("is down") },
	}})}, pages{"foo": hello})
	fetch(t, s, "/foo")
	head, text := read(t, s, "/status?format=prometheus")
	if kind := head.Header.Get("Content-Type"); !strings.HasPrefix(kind, "text/plain; version=0.0.4; charset=utf-8") {
		t.Errorf("it is %q", kind)
	}
	form := regexp.MustCompile(`^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+\{([a-z]+="[A-Za-z0-9]+",)*server="a\\"b\\\\c\\nd"(,[a-z]+="[a-z0-9]+")*\} [0-9]+(\.[0-9]+)?(e\+[0-9]+)?)$`)
	for _, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if !form.MatchString(line) {
			t.Errorf("bad line %q", line)
		}
	}
	for _, want := range []string{
		`usher_httpd_workers{server="a\"b\\c\nd",state="busy"} 1`, `state="idle"} 0`,
		"# TYPE usher_httpd_worker_requests_total counter", `usher_httpd_worker_requests_total{server="a\"b\\c\nd",slot="0"} 1`,
		`usher_httpd_worker_connections_total{server="a\"b\\c\nd",slot="0"} 2`,
		`usher_httpd_part{name="Idle",part="pool",server="a\"b\\c\nd"} 3`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	scrapes := "Accept: application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1"
	if _, text := read(t, s, "/status", scrapes); !strings.HasPrefix(text, "# HELP ") {
		t.Errorf("a scraper gets %q", text)
	}
}
