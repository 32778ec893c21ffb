package cluster

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
	"testing/synctest"
	"time"

	"github.com/usher-go/usher/kernel"
)

const hostile = "<script>alert(1)</script>\x1b[2J\u202e'\"&"

// look asks a status page for itself.
func look(h http.Handler, method, path string, head ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	r.RemoteAddr, r.Host = "127.0.0.1:4711", "localhost"
	for i := 0; i < len(head); i += 2 {
		switch head[i] {
		case "Host":
			r.Host = head[i+1]
		case "From":
			r.RemoteAddr = head[i+1]
		default:
			r.Header.Set(head[i], head[i+1])
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func readPage(t *testing.T, h http.Handler) (s Status) {
	t.Helper()
	if err := json.Unmarshal(look(h, "GET", "/?format=json").Body.Bytes(), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// The page has what Status has, as JSON and as HTML, and what others chose to be called
// as text.
func TestStatusPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := new(pipes)
		kinds := func(c *Config) {
			c.Kinds = []Kind{{Name: "user", New: func(Key) kernel.Receiver { return table{"_start": nothing, "_stop": nothing, "greet": nothing} }}}
		}
		var all []*real
		for _, name := range []string{"a", "b", "c"} {
			r := start(t, net, kernel.Parallel, name, kinds)
			r.go_()
			all = append(all, r)
		}
		a, b, c := all[0], all[1], all[2]
		h := StatusHandler(a.Node, StatusConfig{})
		atB, lb := b.hear(t, hostile, func(c *kernel.Context) error { return b.Subscribe(c, "<b>prices</b>", "got") })
		_, la := a.hear(t, "", func(c *kernel.Context) error { return c.Post(hostile+"@b", "line", 1) })
		for i := range 20 {
			if err := a.k.Post(Place("user", fmt.Sprint("<i>", i)), "greet"); err != nil {
				t.Fatal(err)
			}
		}
		var more []*kernel.Lease
		for i := range maxNames + 3 {
			_, l := c.hear(t, fmt.Sprint("alias-", i), nil)
			more = append(more, l)
		}
		time.Sleep(20 * time.Second) // virtual: it is agreed who owns the keys, and all is told
		atB.want(t, "line #@a 1")
		c.pipe.cut(true)
		if err := a.k.Post("alias-1@c", "line", "into the dark"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)

		s := readPage(t, h)
		if s.Name != "a" || len(s.Nodes) != 2 || s.Nodes[0].State != Up || s.Nodes[0].Sent == 0 || s.Nodes[1].Outstanding < 1 {
			t.Fatalf("%+v", s)
		}
		if len(s.Keys) == 0 || s.Keys[0].Epoch == 0 || s.Keys[0].ID == "" {
			t.Errorf("keys: %+v", s.Keys)
		}
		page := look(h, "GET", "/?refresh=2", "Accept", "text/html,application/json")
		text := page.Body.String()
		for _, want := range []string{
			"<h1>a</h1>", `content="2"`, ">stop refreshing<", `<b>2<small> / 2</small></b>`, `&lt;script&gt;alert(1)&lt;/script&gt;`, "&lt;b&gt;prices&lt;/b&gt;",
			`<span class="s good">up</span>`, `and 3 more`, fmt.Sprintf("<b>%d</b><span>sessions here", len(s.Keys)), `<td class="name">&lt;i&gt;`,
		} {
			if !strings.Contains(text, want) {
				t.Errorf("no %q in the page", want)
			}
		}
		for _, not := range []string{"<script", "<i>", "<b>prices", "ZgotmplZ", "://"} { // the last would be something from elsewhere
			if strings.Contains(text, not) {
				t.Errorf("%q in the page", not)
			}
		}
		if ty, csp := page.Header().Get("Content-Type"), page.Header().Get("Content-Security-Policy"); ty != "text/html; charset=utf-8" || !strings.HasPrefix(csp, "default-src 'none'") {
			t.Errorf("%q, %q", ty, csp)
		}

		time.Sleep(10 * time.Second)
		if s := readPage(t, h).Nodes[1]; s.State != Lost || s.Outstanding != 0 || s.Unknown == 0 {
			t.Errorf("c: %+v", s)
		}
		for _, want := range []string{`<span class="s bad">lost</span>`, "unknown</small>"} {
			if text := look(h, "GET", "/").Body.String(); !strings.Contains(text, want) {
				t.Errorf("no %q in\n%s", want, text)
			}
		}
		for _, l := range append(more, la, lb) {
			l.Release()
		}
		for _, r := range all {
			r.stop(t)
		}
		if w := look(h, "GET", "/"); w.Code != 200 || !strings.Contains(w.Body.String(), `<span class="s gone">left</span>`) {
			t.Errorf("of a node that has left: %d %s", w.Code, w.Body)
		}
	})
}

func nothing(*kernel.Context) error { return nil }

func TestStatusPageIsForThoseWhoMaySeeIt(t *testing.T) {
	n := start(t, new(pipes), kernel.Serial, "a")
	defer func() { _ = n.Leave(t.Context()) }()
	for _, c := range []struct {
		name   string
		cfg    StatusConfig
		method string
		head   []string
		code   int
		json   bool
	}{
		{"from here", StatusConfig{}, "GET", nil, 200, false},
		{"as JSON", StatusConfig{}, "GET", []string{"Accept", "application/json, text/html"}, 200, true},
		{"as HTML", StatusConfig{}, "GET", []string{"Accept", "text/html, application/json"}, 200, false},
		{"a unix socket", StatusConfig{}, "GET", []string{"From", "@"}, 200, false},
		{"through a proxy", StatusConfig{}, "GET", []string{"X-Forwarded-For", "192.0.2.1"}, 403, false},
		{"by a foreign name", StatusConfig{}, "GET", []string{"Host", "evil.example"}, 403, false},
		{"from elsewhere", StatusConfig{}, "GET", []string{"From", "192.0.2.1:4711"}, 403, false},
		{"everybody", StatusConfig{AllowRemote: true}, "GET", []string{"From", "192.0.2.1:4711", "Host", "web.example"}, 200, false},
		{"who posts", StatusConfig{}, "POST", nil, 405, false},
	} {
		w := look(StatusHandler(n.Node, c.cfg), c.method, "/", c.head...)
		if isJSON := w.Header().Get("Content-Type") == "application/json"; w.Code != c.code || isJSON != c.json {
			t.Errorf("%s: %d %v", c.name, w.Code, w.Header())
		}
	}
	var s State
	if err := s.UnmarshalText([]byte("up")); err != nil || s != Up {
		t.Errorf("up: %v, %v", s, err)
	}
	if s.UnmarshalText([]byte("asleep")) == nil {
		t.Error("a state that there is none of")
	}
}

// TestStatusPageInABrowser has one show it, light and dark, and keeps the pictures.
func TestStatusPageInABrowser(t *testing.T) {
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("no chromium here; it is to look at the page")
	}
	net := new(pipes)
	kinds := func(c *Config) {
		c.LostAfter = time.Second
		c.Kinds = []Kind{{Name: "cart", New: func(Key) kernel.Receiver {
			return table{"_start": nothing, "_stop": nothing, "add": func(c *kernel.Context) error { c.Return(1); return nil }}
		}}}
	}
	a, b, c := start(t, net, kernel.Parallel, "a", kinds), start(t, net, kernel.Parallel, "b", kinds), start(t, net, kernel.Parallel, "c", kinds)
	for _, r := range []*real{a, b} {
		r.run(t)
	}
	go func() { c.end <- c.k.Run(context.Background()) }()
	for _, r := range []*real{a, b} {
		for i, name := range []string{"logger", "stock", "billing", hostile} {
			_, l := r.hear(t, fmt.Sprint(name, "-", i), func(c *kernel.Context) error { return r.Subscribe(c, "prices", "got_price") })
			defer l.Release()
		}
	}
	for i := range 10 {
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		if _, err := a.k.Call(ctx, Place("cart", fmt.Sprint("customer-", i)), "add"); err != nil {
			t.Fatal(err)
		}
		cancel()
	}
	lost := make(chan Change, 100)
	l, err := a.k.SpawnHeld(table{
		"_start":  func(c *kernel.Context) error { return a.Watch(c, "changed") },
		"_stop":   nothing,
		"changed": func(c *kernel.Context) error { lost <- c.Arg(0).(Change); return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Release()
	c.pipe.cut(true)
	for ch := await(t, lost); ch.State != Lost; ch = await(t, lost) {
	}
	web := httptest.NewServer(StatusHandler(a.Node, StatusConfig{}))
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
	if n := strings.Count(dom, `<tr><td class="name">`); n < 3 || strings.Contains(dom, "<script") || !strings.Contains(dom, ">lost<") || !strings.Contains(dom, "customer-") {
		t.Errorf("%d rows in\n%s", n, dom)
	}
	for i, scheme := range []string{"dark", "light"} {
		shot := filepath.Join(dir, "cluster-status-"+scheme+".png")
		browse("--screenshot="+shot, fmt.Sprint("--blink-settings=preferredColorScheme=", i))
		if n := colours(t, shot); n < 20 {
			t.Errorf("%s has %d colours: a blank page?", shot, n)
		}
	}
	c.k.Stop()
	if err := await(t, c.end); err != nil {
		t.Error(err)
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
