package keepalive

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
)

// A111: the original has no statistics. What a key went through is in them.
func TestA111_StatsOfEachKey(t *testing.T) {
	p := newPool(t, Config{MaxPerHost: 1, MaxOpen: 2, MaxWaiting: 1, Breaker: Breaker{Failures: 2}})
	p.do(allocate{req: 1, key: key("a")}, dial{1, 1, key("a")})
	p.do(dialed{1}, answer{req: 1, conn: 1})
	p.do(allocate{req: 2, key: key("a")})
	p.do(allocate{req: 3, key: key("a")}, failed(3, "a", "queue", ErrTooManyWaiting))
	p.do(release{1, clean}, answer{req: 2, conn: 1, from: Deferred})
	p.do(release{1, clean}, watch{1})
	p.do(allocate{req: 4, key: key("a")}, unwatch{1}, answer{req: 4, conn: 1, from: Immediate})
	p.fails(5, "b")
	p.fails(6, "b")
	p.do(allocate{req: 7, key: key("b")}, p.broken(7, "b", time.Second))
	p.do(allocate{req: 8, key: key("a")})
	p.do(cancel{8})

	want := []KeyStats{
		{Key: key("b"), Circuit: CircuitOpen, Until: p.now.Add(time.Second),
			Counters: Counters{Failed: 2, Refused: Refusals{Failed: 2, CircuitOpen: 1}, Tripped: 1}},
		{Key: key("a"), Load: Load{Lent: 1},
			Counters: Counters{Fresh: 1, Deferred: 1, Immediate: 1, Refused: Refusals{Crowded: 1}, Cancelled: 1, Opened: 1}},
	}
	s := p.table.stats()
	if !reflect.DeepEqual(s.Keys, want) {
		t.Errorf("got\n%+v; want\n%+v", s.Keys, want)
	}
	if s.Load != (Load{Lent: 1}) || s.Total.Answered() != 3 || s.Total.Refused.Total() != 4 || s.KeysLeftOut != 0 {
		t.Errorf("in all %+v", s)
	}
	text, err := json.Marshal(s)
	if err != nil || !strings.Contains(string(text), `"Circuit":"open","Until":"2001-09-09T01:46:41Z"`) || strings.Count(string(text), "Until") != 1 {
		t.Errorf("as JSON %s, %v", text, err)
	}
}

// add has to know every field.
func TestCounters_AddThemAll(t *testing.T) {
	var one Counters
	set := func(v reflect.Value) {
		for i := range v.NumField() {
			if f := v.Field(i); f.Kind() == reflect.Int {
				f.SetInt(int64(i + 1))
			}
		}
	}
	set(reflect.ValueOf(&one).Elem())
	set(reflect.ValueOf(&one.Refused).Elem())
	var sum Counters
	sum.add(one)
	if sum != one {
		t.Errorf("got %+v; want %+v", sum, one)
	}
}
