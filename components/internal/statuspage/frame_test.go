package statuspage

import (
	"net/http/httptest"
	"strings"
	"testing"
)

// The links lead to the same page, with what it takes to see it; a number that cannot be
// meant is none.
func TestFrame(t *testing.T) {
	page := Page(`{{define "title"}}a & b{{end}}{{define "main"}}{{number .N}}{{end}}`, nil)
	for _, c := range []struct{ query, refresh, other string }{
		{"", "", "?refresh=2"},
		{"?refresh=3&token=a%26b&other=x", `<meta http-equiv="refresh" content="3">`, "?refresh=0&amp;token=a%26b"},
		{"?refresh=99999", `content="3600"`, "?refresh=0"},
		{"?refresh=-1", "", "?refresh=2"},
		{"?refresh=<b>", "", "?refresh=2"},
	} {
		var b strings.Builder
		r := httptest.NewRequest("GET", "/status"+c.query, nil)
		if err := page.Execute(&b, struct {
			Frame
			N int
		}{NewFrame(r, "token"), 12345}); err != nil {
			t.Fatal(err)
		}
		text := b.String()
		for _, want := range []string{"<title>a & b</title>", "12\u202f345", c.refresh, `<a href="` + c.other + `">`, `<a href="?format=json`} {
			if !strings.Contains(text, want) {
				t.Errorf("%q: no %q in\n%s", c.query, want, text)
			}
		}
		if c.refresh == "" && strings.Contains(text, "http-equiv") || strings.Contains(text, "<b>") {
			t.Errorf("%q:\n%s", c.query, text)
		}
	}
}
