package keepalive

import (
	"fmt"
	"testing"
	"time"
)

// TestKeysAreForgotten: a key without connections is remembered for its numbers
// and its failures until 1000 others are, and none of its numbers is lost.
func TestKeysAreForgotten(t *testing.T) {
	p := tripped(t, Config{})
	p.world.trusted = true // its checks cost a step for each key
	for i := range rememberedKeys - 1 {
		p.fails(RequestID(i+2), fmt.Sprint("b", i))
	}
	p.circuit("a", CircuitOpen)
	p.do(allocate{req: 5000, key: key("a")}, p.broken(5000, "a", time.Second)) // and so the newest
	p.fails(5001, "c")
	if p.table.hosts[key("b0")] != nil || p.table.hosts[key("a")] == nil || len(p.table.hosts) != rememberedKeys {
		t.Fatalf("%d keys are remembered, or not the last ones", len(p.table.hosts))
	}
	for i := range rememberedKeys {
		p.fails(RequestID(6000+i), fmt.Sprint("d", i))
	}
	if p.table.hosts[key("a")] != nil || len(p.table.hosts) != rememberedKeys {
		t.Fatalf("%d keys are remembered, or not the last ones", len(p.table.hosts))
	}
	if wrong := violations(p.world); len(wrong) > 0 {
		t.Error(wrong)
	}
	s := p.table.stats()
	if len(s.Keys) != reportedKeys || s.KeysLeftOut != rememberedKeys-reportedKeys {
		t.Errorf("%d keys are reported, and %d left out", len(s.Keys), s.KeysLeftOut)
	}
	if n := 2*rememberedKeys + 1; s.Total.Failed != n || s.Total.Refused.Failed != n || s.Total.Refused.CircuitOpen != 1 || s.Total.Tripped != n {
		t.Errorf("counted %+v; want %d failures", s.Total, n)
	}
}

// A key without failures costs no breaker, and one with a connection is never
// forgotten.
func TestKeysWithConnectionsAreKept(t *testing.T) {
	p := newPool(t, Config{MaxOpen: 2, Breaker: Breaker{Failures: 2, Ratio: 0.5}})
	p.do(allocate{req: 1, key: key("a")}, dial{1, 1, key("a")})
	p.do(dialed{1}, answer{req: 1, conn: 1})
	p.world.trusted = true // its checks cost a step for each key
	a := p.table.hosts[key("a")]
	if len(a.breaker.window) != 1 {
		t.Fatalf("an opening is not remembered: %+v", a.breaker)
	}
	for i := range rememberedKeys + 1 {
		p.fails(RequestID(i+2), fmt.Sprint("b", i))
	}
	if p.table.hosts[key("a")] != a {
		t.Fatal("a key with a connection was forgotten")
	}
	p.do(release{1, closed}, discard{1, becauseClosed})
	if a.rest == nil || a.breaker != nil {
		t.Errorf("without a connection it is %+v", a)
	}
}
