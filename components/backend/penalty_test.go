package backend

import (
	"fmt"
	"net"
	"testing"
	"time"
)

func TestPenaltiesGrow(t *testing.T) {
	p := newPenalties()
	now := t0
	for _, want := range []time.Duration{250, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000} {
		p.failed("a", now)
		if got := p.left("a", now); got != want*time.Millisecond {
			t.Fatalf("waits %v, want %v ms", got, int(want))
		}
		if got := p.left("b", now); got != 0 {
			t.Fatalf("somebody else waits %v", got)
		}
		now = now.Add(p.left("a", now))
		if got := p.left("a", now); got != 0 {
			t.Fatalf("after the wait: %v", got)
		}
	}
	p.succeeded("a")
	p.failed("a", now)
	if got := p.left("a", now); got != firstPenalty {
		t.Errorf("after a success: %v", got)
	}
	for i := range maxPenalties + 20 {
		p.failed(fmt.Sprint(i), now.Add(time.Duration(i)))
	}
	if len(p.of) > maxPenalties {
		t.Errorf("%d are remembered", len(p.of))
	}
	if p.left(fmt.Sprint(maxPenalties+19), now) == 0 {
		t.Error("the last one is forgotten")
	}
}

func TestSources(t *testing.T) {
	tcp := func(ip string) net.Addr { return &net.TCPAddr{IP: net.ParseIP(ip), Port: 5} }
	for want, addrs := range map[string][]net.Addr{
		"10.0.0.1":     {tcp("10.0.0.1"), tcp("::ffff:10.0.0.1")},
		"fd00:1::":     {tcp("fd00:1::1"), tcp("fd00:1::ffff:1")},
		"fd00:1:0:1::": {tcp("fd00:1:0:1::1")},
		"unix":         {&net.UnixAddr{Net: "unix", Name: "@"}, &net.UnixAddr{Net: "unix"}},
		"":             {nil},
	} {
		for _, a := range addrs {
			if got := source(a); got != want {
				t.Errorf("%v is %q, want %q", a, got, want)
			}
		}
	}
}
