package httpd

import (
	"net/http"
	"net/url"
	"testing"
)

func TestH21_H22_H35_Match(t *testing.T) {
	r, err := compile("Handlers", []Route{
		{Dir: "^/first", Session: "s", Event: "0"},
		{Dir: "^/fir", Session: "s", Event: "1"},
		{Dir: "mid", Session: "s", Event: "2"},
		{Dir: "^/a%20b$", Session: "s", Event: "3"},
		{Dir: "^/$", Session: "s", Event: "4"},
		{Dir: "^http://other/", Session: "s", Event: "5"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		uri, event string
		proxy      bool
	}{
		{"/first/x", "0", false},
		{"/firX", "1", false},
		{"/x/middle", "2", false},
		{"/x?mid", "", false}, // the query is no part of it
		{"/a%20b", "3", false},
		{"/%6did", "", false}, // not decoded
		{"///first", "0", false},
		{"//", "4", false},
		{"http://other", "4", false}, // an empty path
		{"http://other/first", "0", false},
		{"http://other/first", "5", true},
		{"/first", "0", true},
		{"*", "", false},
	} {
		u, err := url.ParseRequestURI(test.uri)
		if err != nil {
			t.Fatal(err)
		}
		event := ""
		if m := r.match(subject(&http.Request{URL: u, RequestURI: test.uri}, test.proxy)); m != nil {
			event = m.Event
		}
		if event != test.event {
			t.Errorf("%s (proxy %v) goes to %q; want %q", test.uri, test.proxy, event, test.event)
		}
	}
}

func TestH26_CompileCopies(t *testing.T) {
	list := []Route{{Dir: "^/a", Session: "s", Event: "e"}}
	r, err := compile("Handlers", list)
	if err != nil {
		t.Fatal(err)
	}
	list[0].Event = "changed"
	if got := r.match("/a").Event; got != "e" {
		t.Errorf("the caller's list is used: %q", got)
	}
}

// The short way finds what the expression finds.
func TestH21_Prefix(t *testing.T) {
	for dir, short := range map[string]bool{
		"^/foo": true, `^/a\.b`: true, "^/": true, `\A/foo`: true, "(?i)^/foo": false, "^/foo$": false, "foo": false, "^/foo|^/bar": false, "^/fo+": false, "(?m)^/foo": false, "^": false, "": false, "^[/]foo": false,
	} {
		p, err := newPattern(dir)
		if err != nil {
			t.Fatal(err)
		}
		if short != (p.prefix != "") && dir != "^[/]foo" {
			t.Errorf("%s: prefix %q", dir, p.prefix)
		}
		for _, text := range []string{"/", "/foo", "/FOO", "/foo/bar", "/fo", "/x/foo", "\n/foo", "/a.b", "/axb", ""} {
			if got, want := p.found(text), p.re.MatchString(text); got != want {
				t.Errorf("%s in %q: %v, want %v", dir, text, got, want)
			}
		}
	}
}
