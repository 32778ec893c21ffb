package backend

import (
	"context"
	"encoding/json"
	"fmt"
	"image"
	_ "image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

// look asks a status page for itself.
func look(h http.Handler, path string, head ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.RemoteAddr, r.Host = "127.0.0.1:4711", "localhost"
	for i := 0; i < len(head); i += 2 {
		if head[i] == "Host" {
			r.Host = head[i+1]
		} else {
			r.Header.Set(head[i], head[i+1])
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func readPage(t *testing.T, h http.Handler) (s Status) {
	t.Helper()
	if err := json.Unmarshal(look(h, "/?format=json").Body.Bytes(), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

const hostileName = "<script>alert(1)</script>\x1b[2J\u202e'\"&"

// TestB16_StatusPage shows connections and clients as they are, as JSON and HTML,
// and what peers chose to be called as text.
func TestB16_StatusPage(t *testing.T) {
	simulating(t, ServerConfig{MinPing: 50 * time.Millisecond}, func(w *world) {
		h := StatusHandler(w.k, StatusConfig{Servers: []*Server{w.server}})
		a := w.client("<a>", Config{PingTimeout: 3 * time.Second, IdlePing: time.Second})
		w.pass(50 * time.Millisecond)
		b := w.client(hostileName, Config{PingTimeout: -1, IdlePing: -1})
		w.pass(1450 * time.Millisecond) // a was silent for a second: it pinged
		w.begin(b)
		w.do(func(kc *kernel.Context) error { return b.Ask(kc, Message{Name: "hush"}, evReplied) })
		w.pass(100 * time.Millisecond)

		s := readPage(t, h)
		if len(s.Connections) != 2 || len(s.Servers) != 1 || s.PID != os.Getpid() || !s.Time.Equal(w.k.Now()) {
			t.Fatalf("%+v", s)
		}
		got := s.Connections[0]
		if trip := got.RoundTrip; trip < 8*time.Millisecond || trip > 15*time.Millisecond {
			t.Errorf("a round trip of %v over a network of 5 ms each way", trip)
		}
		if got.Alias != "<a>" || got.Name != "<a>" || got.Addr != fmt.Sprint("127.0.0.1:", simPort) || got.State != Ready ||
			got.PingTimeout != 3*time.Second || got.IdlePing != time.Second || got.Traffic.Sent != 2 || got.Traffic.Received != 1 ||
			got.Heard.Before(got.Access) || s.Time.Sub(got.Since) > time.Second {
			t.Errorf("a: %+v", got)
		}
		if got := s.Connections[1]; got.Asked != 1 || got.Calls != 2 || got.Tx != 1 || got.RoundTrip != 0 || got.Traffic.Sent != 3 || got.Traffic.SentBytes < 40 || got.Traffic.ReceivedBytes < 5 {
			t.Errorf("b: %+v", got)
		}
		srv := s.Servers[0]
		if srv.Alias != "backend-server" || srv.MinPing != 50*time.Millisecond || srv.State.Connections != 2 || len(srv.Clients) != 2 {
			t.Fatalf("%+v", srv)
		}
		if c := srv.Clients[0]; c.Name != "<a>" || c.Liveness != LivePing || c.Received != 2 || c.Sent != 1 || c.PingEvery != 0 || c.ReceivedBytes != got.Traffic.SentBytes || c.SentBytes != got.Traffic.ReceivedBytes {
			t.Errorf("a at the server: %+v, here %+v", c, got.Traffic)
		}
		if c := srv.Clients[1]; c.Asked != 1 || c.Tx != 1 || c.Liveness != LiveActive {
			t.Errorf("b at the server: %+v", c)
		}

		page := look(h, "/?refresh=2", "Accept", "text/html,application/json")
		text := page.Body.String()
		for _, want := range []string{
			"<h1>Backend connections</h1>", `content="2"`, ">stop refreshing<", `&lt;script&gt;alert(1)&lt;/script&gt;`,
			`<span class="s good">ready</span>`, `<span class="s good">ping</span>`, "after 3s, idle 1s", "never</td>", "pings at least 50ms apart", "1<small>of 2</small>",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("no %q in the page", want)
			}
		}
		for _, not := range []string{"<script", "<a>", "ZgotmplZ", "://"} { // the last would be something from elsewhere
			if strings.Contains(text, not) {
				t.Errorf("%q in the page", not)
			}
		}
		if ty, csp := page.Header().Get("Content-Type"), page.Header().Get("Content-Security-Policy"); ty != "text/html; charset=utf-8" || !strings.HasPrefix(csp, "default-src 'none'") {
			t.Errorf("%q, %q", ty, csp)
		}
		w.pass(2 * time.Second) // a pings each second
		if every := readPage(t, h).Servers[0].Clients[0].PingEvery; every < time.Second || every > 1100*time.Millisecond {
			t.Errorf("pings every %v", every)
		}

		a.Close()
		w.server.Shutdown()
		w.pass(10 * time.Second)
		s = readPage(t, h)
		if len(s.Connections) != 1 || !s.Servers[0].Closed || len(s.Servers[0].Clients) != 0 {
			t.Errorf("at last: %+v", s)
		}
		if got := s.Connections[0]; got.State != Reconnecting && got.State != Connecting || got.Asked != 0 || got.Tx != 0 || got.Error == "" {
			t.Errorf("b without a server: %+v", got)
		}
		if text := look(h, "/").Body.String(); !strings.Contains(text, "has ended") || !strings.Contains(text, `<td class="why"`) {
			t.Errorf("no word of the end in\n%s", text)
		}
	})
}

func TestStatusPageIsForThoseWhoMaySeeIt(t *testing.T) {
	k := kernel.New(kernel.Config{Mode: kernel.Simulated})
	for _, c := range []struct {
		name string
		cfg  StatusConfig
		head []string
		code int
		json bool
	}{
		{"from here", StatusConfig{}, nil, 200, false},
		{"as JSON", StatusConfig{}, []string{"Accept", "application/json, text/html"}, 200, true},
		{"as HTML", StatusConfig{}, []string{"Accept", "text/html, application/json"}, 200, false},
		{"through a proxy", StatusConfig{}, []string{"X-Forwarded-For", "192.0.2.1"}, 403, false},
		{"by a foreign name", StatusConfig{}, []string{"Host", "evil.example"}, 403, false},
		{"everybody", StatusConfig{AllowRemote: true}, []string{"Host", "web.example"}, 200, false},
	} {
		w := look(StatusHandler(k, c.cfg), "/", c.head...)
		if isJSON := w.Header().Get("Content-Type") == "application/json"; w.Code != c.code || isJSON != c.json {
			t.Errorf("%s: %d %v", c.name, w.Code, w.Header())
		}
	}
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	w := httptest.NewRecorder()
	if StatusHandler(k, StatusConfig{}).ServeHTTP(w, r); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", w.Code)
	}
	r = httptest.NewRequest(http.MethodGet, "/", nil) // from 192.0.2.1
	w = httptest.NewRecorder()
	if StatusHandler(k, StatusConfig{}).ServeHTTP(w, r); w.Code != http.StatusForbidden {
		t.Errorf("from elsewhere: %d", w.Code)
	}
}

// TestStatusPageInABrowser has one show it, light and dark, and keeps the pictures.
func TestStatusPageInABrowser(t *testing.T) {
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("no chromium here; it is to look at the page")
	}
	k := running(t, kernel.Parallel)
	s := doubler(t, k, ServerConfig{})
	for i, name := range []string{"orders", "stock", "billing", hostileName} {
		c := connect(t, k, Config{Port: port(s), Alias: name, Name: name, PingTimeout: time.Duration(i-1) * time.Second})
		for range 1000 * i {
			if _, err := c.Request(deadline(t), Message{Name: "double", Args: []any{i}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	nobody, err := Open(k, Config{Port: 1, Alias: "archive", MinBackoff: time.Hour, MaxBackoff: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	until(t, "nobody answers there", func() bool { st, _ := nobody.State(); return st.State == Reconnecting })
	web := httptest.NewServer(StatusHandler(k, StatusConfig{Servers: []*Server{s}}))
	defer web.Close()
	dir := os.Getenv("TEST_ARTIFACTS")
	if dir == "" {
		dir = t.ArtifactDir()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second) // browsers are slow where much else runs
	defer cancel()
	browse := func(args ...string) string {
		t.Helper()
		args = append([]string{"--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
			"--disable-background-networking", "--hide-scrollbars", "--window-size=1440,900", "--user-data-dir=" + t.TempDir()}, args...)
		out, err := exec.CommandContext(ctx, chromium, append(args, web.URL)...).Output()
		if err != nil {
			t.Fatalf("chromium: %v", err)
		}
		return string(out)
	}
	dom := browse("--dump-dom")
	if n := strings.Count(dom, `<tr><td class="name">`); n != 9 || strings.Contains(dom, "<script") || !strings.Contains(dom, ">reconnecting<") {
		t.Errorf("%d rows in\n%s", n, dom)
	}
	for i, scheme := range []string{"dark", "light"} {
		shot := filepath.Join(dir, "backend-status-"+scheme+".png")
		browse("--screenshot="+shot, fmt.Sprint("--blink-settings=preferredColorScheme=", i))
		if n := colours(t, shot); n < 20 {
			t.Errorf("%s has %d colours: a blank page?", shot, n)
		}
	}
}

// colours counts those of a picture.
func colours(t *testing.T, path string) int {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	img, _, err := image.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[any]bool{}
	for y := img.Bounds().Min.Y; y < img.Bounds().Max.Y; y++ {
		for x := img.Bounds().Min.X; x < img.Bounds().Max.X; x++ {
			seen[img.At(x, y)] = true
		}
	}
	return len(seen)
}
