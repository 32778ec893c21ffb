package httpd

import (
	"errors"
	"testing"
)

func TestH4_ParseAddress(t *testing.T) {
	for text, want := range map[string]address{
		"tcp://127.0.0.1:80":          {network: "tcp", target: "127.0.0.1:80"},
		"tcp://:0":                    {network: "tcp", target: "127.0.0.1:0"},
		"tcp://[::]:80":               {network: "tcp", target: "[::]:80"},
		"tcp://host:8080":             {network: "tcp", target: "host:8080"},
		"unix:///run/x.sock":          {network: "unix", target: "/run/x.sock"},
		"unix:///run/x.sock?mode=660": {network: "unix", target: "/run/x.sock", mode: 0o660},
	} {
		want.text = text
		if got, err := parseAddress("f", text); err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{
		"", "x", "127.0.0.1:80", "tcp://127.0.0.1", "tcp://127.0.0.1:", "tcp://127.0.0.1:65536", "tcp://127.0.0.1:http",
		"tcp://127.0.0.1:80/", "tcp://127.0.0.1:80?mode=0660", "tcp://u@h:80", "tcp://h:80#f", "udp://127.0.0.1:80",
		"unix://run/x", "unix:///", "unix://", "unix:///x?mode=", "unix:///x?mode=0", "unix:///x?mode=9", "unix:///x?mode=01000",
		"unix:///x?other=1", "tcp://%zz:80",
	} {
		if _, err := parseAddress("f", text); !errors.Is(err, ErrConfig) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
