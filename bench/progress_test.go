package main

import (
	"os"
	"strings"
	"testing"
	"time"
)

// show plays two rounds of two peers, each sample 10 s long.
func show(tty bool) string {
	var out strings.Builder
	clock := time.Unix(0, 0)
	p := newProgress(&out, tty, func() time.Time { return clock })
	p.total = 4
	for round := range 2 {
		for i, peer := range []string{"a", "b"} {
			p.sample("yield", peer, round+1, 2, i == 0)
			clock = clock.Add(10 * time.Second)
		}
	}
	p.done()
	return out.String()
}

func TestProgressOnATerminalRewritesOneLine(t *testing.T) {
	want := "\r  0/4  yield, round 1 of 2: a\x1b[K" +
		"\r  1/4  yield, round 1 of 2: b, 30s left\x1b[K" +
		"\r  2/4  yield, round 2 of 2: a, 20s left\x1b[K" +
		"\r  3/4  yield, round 2 of 2: b, 10s left\x1b[K" +
		"\r\x1b[K"
	if got := show(true); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestProgressElsewhereIsOneLinePerRound(t *testing.T) {
	want := "  0/4  yield, round 1 of 2\n  2/4  yield, round 2 of 2, 20s left\n"
	if got := show(false); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestAFileIsNoTerminal(t *testing.T) {
	f, err := os.Create(t.TempDir() + "/log")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if isTerminal(f) {
		t.Error("a file is taken for a terminal")
	}
}
