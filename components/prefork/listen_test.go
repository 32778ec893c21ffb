package prefork

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
)

func TestP73_ListenAddresses(t *testing.T) {
	for s, want := range map[string]address{
		"tcp://127.0.0.1:8080":          {network: "tcp", target: "127.0.0.1:8080"},
		"tcp://:0":                      {network: "tcp", target: "127.0.0.1:0"},
		"tcp://0.0.0.0:80":              {network: "tcp", target: "0.0.0.0:80"},
		"tcp://[::1]:65535":             {network: "tcp", target: "[::1]:65535"},
		"tcp://localhost:80":            {network: "tcp", target: "localhost:80"},
		"unix:///run/x.sock":            {network: "unix", target: "/run/x.sock"},
		"unix:///x?mode=0660":           {network: "unix", target: "/x", mode: 0o660},
		"unix:///with space/a?mode=777": {network: "unix", target: "/with space/a", mode: 0o777},
	} {
		want.text = s
		if got, err := parseListen("Listen[0]", s); err != nil || got != want {
			t.Errorf("%s is %+v, %v; want %+v", s, got, err, want)
		}
	}
}

func TestP73_BadListenAddresses(t *testing.T) {
	for _, s := range []string{
		"", "tcp", "tcp:", "tcp://", "tcp://host", "tcp://host:", "tcp://:http", "tcp://:65536", "tcp://:080", "tcp://:-1",
		"tcp://[::1", "tcp://::1:80", "tcp://:80/", "127.0.0.1:80", ":80", "udp://:53", "TCP://:80",
		"unix://", "unix://x.sock", "unix://./x", "unix:///a\x00b", "unix:///x?", "unix:///x?mode=", "unix:///x?mode=8",
		"unix:///x?mode=0", "unix:///x?mode=1777", "unix:///x?mode=-1", "unix:///x?owner=me", "unix:///x?mode=0660&a",
	} {
		_, err := parseListen("Listen[3]", s)
		var bad *ConfigError
		if !errors.As(err, &bad) || bad.Field != "Listen[3]" || bad.Want != wantAddress {
			t.Errorf("%q: %v, want a ConfigError of Listen[3]", s, err)
		}
	}
}

func FuzzParseListen(f *testing.F) {
	for _, s := range []string{"tcp://:0", "unix:///x?mode=0660", "tcp://[::1]:80", "unix://"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := parseListen("Listen[0]", s)
		switch {
		case err != nil:
			if a != (address{}) || len(err.Error()) > 1000 {
				t.Fatalf("%+v with %v", a, err)
			}
		case a.network == "tcp":
			if strings.HasPrefix(a.target, ":") || a.mode != 0 {
				t.Fatalf("%q became %+v", s, a)
			}
		case a.network != "unix" || !strings.HasPrefix(a.target, "/") || a.mode&^fs.ModePerm != 0:
			t.Fatalf("%q became %+v", s, a)
		}
	})
}
