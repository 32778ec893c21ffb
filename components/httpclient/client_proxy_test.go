package httpclient

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/usher-go/usher/kernel"
)

// proxy answers for every server, under its own name.
func proxy(t *testing.T, name string) *url.URL {
	t.Helper()
	s := serve(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, name, " ", r.RequestURI) })
	return parse(t, s)
}

func parse(t *testing.T, s *httptest.Server) *url.URL {
	t.Helper()
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// TestA119_ProxiesAtRandom: of two, each has its share of the requests.
func TestA119_ProxiesAtRandom(t *testing.T) {
	k := running(t, kernel.Parallel)
	u := newUser(t, newClient(t, k, Config{Proxy: []*url.URL{proxy(t, "a"), proxy(t, "b")}}))
	seen := map[string]int{}
	for range 64 {
		r := u.ask(get(t, "http://nowhere.test/x"))
		seen[string(r.Body)]++
	}
	if seen["a http://nowhere.test/x"] == 0 || seen["b http://nowhere.test/x"] == 0 || len(seen) != 2 {
		t.Errorf("%v", seen)
	}
}

func TestA119_NoProxyAndOverride(t *testing.T) {
	direct := serve(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "direct ", r.RequestURI) })
	k := running(t, kernel.Serial)
	u := newUser(t, newClient(t, k, Config{Proxy: []*url.URL{proxy(t, "a")}, NoProxy: []string{"direct.TEST", "0.0.1"}}))
	other := proxy(t, "other")
	for _, c := range []struct {
		url   string
		proxy *url.URL
		want  string
	}{
		{"http://nowhere.test/x", nil, "a http://nowhere.test/x"},
		{"http://nowhere.test/x", other, "other http://nowhere.test/x"},
		{direct.URL + "/x", nil, "direct /x"},
		{direct.URL + "/x", other, "direct /x"},
	} {
		u.request(Request{HTTP: get(t, c.url), Proxy: c.proxy})
		if r := u.take(); string(r.Body) != c.want {
			t.Errorf("%s: %q, %v; want %q", c.url, r.Body, r.Err, c.want)
		}
	}
	ask := proxyFunc(Config{Proxy: []*url.URL{other}, NoProxy: []string{"direct.TEST"}})
	for host, want := range map[string]*url.URL{"Direct.test": nil, "www.direct.test:8080": nil, "direct.test.org": other} {
		if p, err := ask(get(t, "http://"+host+"/")); p != want || err != nil {
			t.Errorf("%s: %v, %v", host, p, err)
		}
	}
}

// TestA119_NoProxyOfTheEnvironment counts where Config names the proxies only.
func TestA119_NoProxyOfTheEnvironment(t *testing.T) {
	t.Setenv("NO_PROXY", "")
	t.Setenv("no_proxy", "here.test, .there.test")
	p := &url.URL{Scheme: "http", Host: "p:1"}
	ask := proxyFunc(Config{Proxy: []*url.URL{p}})
	for host, want := range map[string]*url.URL{"here.test": nil, "a.there.test": nil, "else.test": p} {
		if got, err := ask(get(t, "http://"+host+"/")); got != want || err != nil {
			t.Errorf("%s: %v, %v", host, got, err)
		}
	}
}

// TestA119_Environment runs in a process of its own: net/http reads it once.
func TestA119_Environment(t *testing.T) {
	if os.Getenv("HTTPCLIENT_TEST") != "" {
		k := running(t, kernel.Serial)
		u := newUser(t, newClient(t, k, Config{}))
		fmt.Printf("got %q\n", u.ask(get(t, "http://nowhere.test/x")).Body)
		none := newUser(t, newClient(t, k, Config{Proxy: []*url.URL{}}))
		fmt.Println("without:", none.ask(get(t, "http://127.0.0.1:1/")).HTTP.StatusCode)
		return
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestA119_Environment$", "-test.timeout=30s")
	cmd.Env = append(os.Environ(), "HTTPCLIENT_TEST=1", "HTTP_PROXY="+proxy(t, "env").String(), "NO_PROXY=")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), `got "env http://nowhere.test/x"`) || !strings.Contains(string(out), "without: 500") {
		t.Errorf("%v\n%s", err, out)
	}
}
