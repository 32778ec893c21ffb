package statuspage

import (
	"html/template"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func ask(method, peer, host, target string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	r.RemoteAddr, r.Host = peer, host
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	if Begin(w, r) && Admit(w, r, false, "open it") {
		Show(w, r, map[string]int{"answer": 42}, template.Must(template.New("").Parse("<p>{{.}}")), func() any { return "<b>" })
	}
	return w
}

func TestWhoSeesThePage(t *testing.T) {
	for _, c := range []struct {
		peer, host string
		header     []string
		want       int
	}{
		{"127.0.0.1:5", "localhost:80", nil, 200},
		{"127.0.0.1:5", "127.0.0.1", nil, 200},
		{"[::1]:5", "[::1]:80", nil, 200},
		{"[::ffff:127.0.0.1]:5", "LOCALHOST", nil, 200},
		{"@", "anything", nil, 200},
		{"10.0.0.1:5", "localhost", nil, 403},
		{"127.0.0.1:5", "evil.example", nil, 403},
		{"127.0.0.1:5", "localhost", []string{"X-Forwarded-For", "10.0.0.1"}, 403},
		{"127.0.0.1:5", "localhost", []string{"Via", "1.1 proxy"}, 403},
		{"garbage:", "localhost", nil, 403},
	} {
		if got := ask("GET", c.peer, c.host, "/", c.header...).Code; got != c.want {
			t.Errorf("%s for %s with %v: %d, want %d", c.peer, c.host, c.header, got, c.want)
		}
	}
	if w := ask("POST", "127.0.0.1:5", "localhost", "/"); w.Code != 405 || w.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: %d, %v", w.Code, w.Header())
	}
}

func TestForms(t *testing.T) {
	for _, c := range []struct {
		target, accept string
		json           bool
	}{
		{"/", "", false},
		{"/?format=json", "text/html", true},
		{"/?format=html", "application/json", false},
		{"/", "application/json", true},
		{"/", "text/html,application/json;q=0.9", false},
		{"/", "application/json,text/html", true},
	} {
		w := ask(http.MethodGet, "127.0.0.1:5", "localhost", c.target, "Accept", c.accept)
		body, kind := w.Body.String(), w.Header().Get("Content-Type")
		if isJSON := strings.HasPrefix(kind, "application/json") && strings.Contains(body, `"answer": 42`); isJSON != c.json {
			t.Errorf("%s, %q: %s %s", c.target, c.accept, kind, body)
		}
		if !c.json && body != "<p>&lt;b&gt;" {
			t.Errorf("%s, %q: %s", c.target, c.accept, body)
		}
	}
}
