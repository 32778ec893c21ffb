package httpclient

import (
	"crypto/tls"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/usher-go/usher/components/keepalive"
	"github.com/usher-go/usher/kernel"
)

func TestConfig_Mistakes(t *testing.T) {
	k := running(t, kernel.Parallel)
	for field, cfg := range map[string]Config{
		"Config.MaxSize":         {MaxSize: -2},
		"Config.Streaming":       {Streaming: -1},
		"Config.FollowRedirects": {FollowRedirects: -1},
		"Config.MaxRequests":     {MaxRequests: -1},
		"Config.ProgressEvery":   {ProgressEvery: -1},
		"Config.BindAddress":     {BindAddress: "here"},
		"BindAddress is set":     {BindAddress: "127.0.0.1", Pool: new(keepalive.Pool)},
		"Config.NoProxy":         {NoProxy: []string{""}},
		"Config.Proxy is":        {Proxy: []*url.URL{nil}},
		"Config.Proxy":           {Proxy: []*url.URL{{Host: "x"}}},
		`"ftp://u:xxxxx@x"`:      {Proxy: []*url.URL{{Scheme: "ftp", Host: "x", User: url.UserPassword("u", "secret")}}},
		"Config.Transport":       {Transport: http.DefaultTransport, TLS: &tls.Config{}},
	} {
		if _, err := New(k, cfg); !errors.Is(err, ErrArgument) || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
	if _, err := New(kernel.New(kernel.Config{Mode: kernel.Simulated}), Config{}); !errors.Is(err, ErrArgument) {
		t.Errorf("simulated: %v", err)
	}
	if _, err := New(nil, Config{}); !errors.Is(err, ErrArgument) || !strings.Contains(err.Error(), "first argument") {
		t.Errorf("no kernel: %v", err)
	}
	newClient(t, k, Config{Alias: "ua"})
	if _, err := New(k, Config{Alias: "ua"}); !errors.Is(err, kernel.ErrAliasTaken) {
		t.Errorf("alias: %v", err)
	}
}

func TestRequest_Mistakes(t *testing.T) {
	c := newClient(t, running(t, kernel.Parallel), Config{})
	other := newUser(t, newClient(t, running(t, kernel.Parallel), Config{}))
	u := newUser(t, c)
	req := get(t, "http://x/")
	for want, r := range map[string]Request{
		"Request.HTTP":  {Event: evGot},
		"Request.Event": {HTTP: req},
		"Request.Proxy": {HTTP: req, Event: evGot, Proxy: &url.URL{}},
	} {
		u.do(func(x *kernel.Context) error {
			if _, err := c.Request(x, r); !errors.Is(err, ErrArgument) || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v", want, err)
			}
			return nil
		})
	}
	other.do(func(x *kernel.Context) error {
		if _, err := c.Request(x, Request{HTTP: req, Event: evGot}); !errors.Is(err, ErrArgument) {
			t.Errorf("another kernel: %v", err)
		}
		return nil
	})
}

// TestOutcomes: every kind has a status, and none is an unkind panic.
func TestOutcomes(t *testing.T) {
	for _, o := range outcomes[1:] {
		r := Response{Request: get(t, "http://user:secret@x/")}
		r.refuse(o.err, &url.Error{Err: errors.New("why\r\nSet-Cookie: x")})
		text := r.HTTP.Header.Get("x-pcch-errmsg")
		if r.HTTP.StatusCode != o.status || !errors.Is(r.Err, o.err) || kindIn(r.Err) != o.err {
			t.Errorf("%s: %s, %v", o.word, r.HTTP.Status, r.Err)
		}
		if strings.ContainsAny(text, "\r\n") || strings.Contains(text, "secret") || !strings.HasPrefix(string(r.Body), text) {
			t.Errorf("%s: text %q", o.word, text)
		}
	}
}
