package main

import (
	"strings"
	"testing"
)

// nanos are rounds that took so long.
func nanos(vs ...float64) []Figures {
	fs := make([]Figures, len(vs))
	for i, v := range vs {
		fs[i] = Figures{Ops: 1, Nanos: v}
	}
	return fs
}

func TestJudge(t *testing.T) {
	allocs := func(v float64) []Figures { return []Figures{{Ops: 1, Allocs: v}} }
	for _, c := range []struct {
		name   string
		budget Budget
		rounds map[string][]Figures
		value  float64
		state  State
	}{
		{"below", Budget{Peer: "a", Limit: 0.5, Against: "b"},
			map[string][]Figures{"a": nanos(4, 4, 4), "b": nanos(10, 10, 10)}, 0.4, Met},
		{"above within 5 %", Budget{Peer: "a", Limit: 0.5, Against: "b"},
			map[string][]Figures{"a": nanos(52), "b": nanos(100)}, 0.52, Met},
		{"above by more", Budget{Peer: "a", Limit: 0.5, Against: "b"},
			map[string][]Figures{"a": nanos(53), "b": nanos(100)}, 0.53, Missed},
		{"they did not run", Budget{Peer: "a", Limit: 0.5, Against: "b"},
			map[string][]Figures{"a": nanos(4)}, 0, Unmeasured},
		{"we did not run", Budget{Peer: "a", Limit: 25},
			map[string][]Figures{"b": nanos(4)}, 0, Unmeasured},
		{"quoted", Budget{Peer: "a", Limit: 0.005, Against: "perl", Quoted: 1000},
			map[string][]Figures{"a": nanos(4)}, 0.004, Met},
		{"measured beats quoted", Budget{Peer: "a", Limit: 0.005, Against: "perl", Quoted: 1000},
			map[string][]Figures{"a": nanos(4), "perl": nanos(500)}, 0.008, Missed},
		{"more than another's", Budget{Peer: "a", Limit: 25, Over: "b"},
			map[string][]Figures{"a": nanos(50, 90, 53), "b": nanos(30, 70, 20)}, 20, Met},
		{"more by too much", Budget{Peer: "a", Limit: 25, Over: "b"},
			map[string][]Figures{"a": nanos(50), "b": nanos(20)}, 30, Missed},
		{"the other did not run", Budget{Peer: "a", Limit: 25, Over: "b"},
			map[string][]Figures{"a": nanos(50)}, 0, Unmeasured},
		{"allocations nobody counted", Budget{Peer: "a", Figure: Allocs},
			map[string][]Figures{"a": {{Ops: 1, Nanos: 4, TimeOnly: true}}}, 0, Unmeasured},
		{"waits", Budget{Peer: "a", Figure: P99, Limit: 1, Against: "b"},
			map[string][]Figures{"a": {{Ops: 1, P99: 30}}, "b": {{Ops: 1, P99: 40}}}, 0.75, Met},
		{"quoted, we did not run", Budget{Peer: "a", Limit: 0.005, Against: "perl", Quoted: 1000},
			nil, 0, Unmeasured},
		{"the figure itself", Budget{Peer: "a", Limit: 25},
			map[string][]Figures{"a": nanos(20, 90, 30)}, 30, Missed},
		{"the runtime's own allocations", Budget{Peer: "a", Figure: Allocs},
			map[string][]Figures{"a": allocs(0.04)}, 0, Met},
		{"one allocation in ten operations", Budget{Peer: "a", Figure: Allocs},
			map[string][]Figures{"a": allocs(0.1)}, 0.1, Missed},
		{"bytes", Budget{Peer: "a", Figure: Bytes, Limit: 128},
			map[string][]Figures{"a": {{Ops: 1, Bytes: 120, Nanos: 900}}}, 120, Met},
	} {
		vs := judge(Result{Row: &Row{Name: "r", Budgets: []Budget{c.budget}}, Rounds: c.rounds})
		if len(vs) != 1 {
			t.Fatalf("%s: %d verdicts, want 1", c.name, len(vs))
		}
		if v := vs[0]; v.Quoted != (v.State != Unmeasured && strings.HasPrefix(c.name, "quoted")) {
			t.Errorf("%s: quoted is %v", c.name, v.Quoted)
		}
		if v := vs[0]; v.Value != c.value || v.State != c.state || v.Row != "r" {
			t.Errorf("%s: row %s, %v %s; want row r, %v %s", c.name, v.Row, v.Value, v.State, c.value, c.state)
		}
	}
}

func TestBudgetString(t *testing.T) {
	for want, b := range map[string]Budget{
		"≤ 0.7 × b":        {Limit: 0.7, Against: "b"},
		"≤ 1 × b allocs":   {Limit: 1, Against: "b", Figure: Allocs},
		"≤ 1 × b µs p99":   {Limit: 1, Against: "b", Figure: P99},
		"≤ 25 ns, stretch": {Limit: 25, Stretch: true},
		"≤ 25 ns over b":   {Limit: 25, Over: "b"},
		"≤ 0 allocs":       {Figure: Allocs},
		"≤ 128 bytes kept": {Figure: Kept, Limit: 128},
		"≤ 17000 µs worst": {Figure: Worst, Limit: 17000},
		"≤ 0.005 × b":      {Limit: 0.005, Against: "b", Quoted: 900},
	} {
		if got := b.String(); got != want {
			t.Errorf("%+v prints as %q, want %q", b, got, want)
		}
	}
}
