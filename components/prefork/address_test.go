//go:build unix

package prefork

import (
	"io/fs"
	"strings"
	"testing"
	"time"
)

func TestH4_P73_ParseAddress(t *testing.T) {
	for text, want := range map[string]address{
		"tcp://127.0.0.1:80":          {network: "tcp", target: "127.0.0.1:80"},
		"tcp://:0":                    {network: "tcp", target: "127.0.0.1:0"},
		"tcp://[::]:80":               {network: "tcp", target: "[::]:80"},
		"tcp://host:8080":             {network: "tcp", target: "host:8080"},
		"unix:///run/x.sock":          {network: "unix", target: "/run/x.sock"},
		"unix:///run/x.sock?mode=660": {network: "unix", target: "/run/x.sock", mode: fs.FileMode(0o660)},
	} {
		want.text = text
		if got, err := ParseAddress("f", text); err != nil || got.a != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
}

// What a request is, whole or cut where a character ends.
func TestP12_RequestOnTheScoreboard(t *testing.T) {
	b := newBoard(t, 2)
	b.assign(0, 1, 1, time.Now())
	s, err := b.seat(0, 1, 42)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"GET /":                       "GET /",
		strings.Repeat("x", 60):       strings.Repeat("x", 48),
		strings.Repeat("é", 24):       strings.Repeat("é", 24),
		"x" + strings.Repeat("é", 24): "x" + strings.Repeat("é", 23),
		"a\xffb":                      "a\ufffdb",
		"":                            "",
	} {
		s.say(text)
		if got := b.status(0).Request; got != want {
			t.Errorf("%q shows as %q, want %q", text, got, want)
		}
	}
	s.say("left")
	b.vacate(0, 1, time.Now())
	if got := b.status(0).Request; got != "" {
		t.Errorf("a dead worker shows %q", got)
	}
}

func TestStateReadsWhatItWrites(t *testing.T) {
	for s := range states + 1 {
		var back State
		text, _ := s.MarshalText()
		if err := back.UnmarshalText(text); err != nil || back != s {
			t.Errorf("%v becomes %v, %v", s, back, err)
		}
	}
}
