package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// fixture is two rounds of one row: "fast" meets its budget, "slow" misses its
// stretch goal, "absent" did not run.
func fixture() report {
	row := &Row{Name: "yield", Unit: "event", Budgets: []Budget{
		{Peer: "fast", Limit: 0.5, Against: "slow"},
		{Peer: "slow", Limit: 100, Stretch: true},
		{Peer: "absent", Figure: Allocs},
		{Peer: "fast", Limit: 0.25, Against: "elsewhere", Quoted: 81},
	}}
	waits := &Row{Name: "busy-post", Unit: "event", Figures: []Figure{P50, Worst}}
	memory := &Row{Name: "idle", Unit: "member", Figures: []Figure{Time, Kept}}
	g := &Group{Name: "messaging", Peers: []string{"absent", "fast", "slow"}, Rows: []*Row{row, waits, memory}}
	rep := newReport(options{Rounds: 2, Time: time.Millisecond, Many: 10, Conns: 7}, []Result{{Group: g, Row: row, Rounds: map[string][]Figures{
		"fast": nanos(40, 41),
		"slow": {{Ops: 1, Nanos: 5900, Allocs: 2}, {Ops: 1, Nanos: 6000, Allocs: 2}},
	}}, {Group: g, Row: waits, Rounds: map[string][]Figures{
		"fast": {{Ops: 1, P50: 0.5, Worst: 1200}, {Ops: 1, P50: 0.7, Worst: 1400}},
		"slow": {{Ops: 1, P50: 7, Worst: 70}, {Ops: 1, P50: 7, Worst: 70}},
	}}, {Group: g, Row: memory, Rounds: map[string][]Figures{
		"fast": {{Ops: 1, Nanos: 5, TimeOnly: true}},
		"slow": {{Ops: 1, Nanos: 6, Kept: 907}},
	}}})
	rep.Go, rep.System, rep.CPUs = "go1", "plan9/mips", 2
	return rep
}

func TestTables(t *testing.T) {
	want := `go1 plan9/mips, 2 CPUs, median of 2 rounds of 1ms, many is 10, conns 7

messaging: per operation, allocations in parentheses
                                absent        fast        slow
  yield      ns/event                –  40.5 (0.0)  5950 (2.0)
  busy-post  µs p50                  –         0.6         7.0
             µs worst                –        1300        70.0
  idle       ns/member               –         5.0   6.0 (0.0)
             bytes kept/member       –           –         907

budgets: × is the median of the rounds' ratios; met within 5 %
  ✓  yield  fast    0.007  ≤ 0.5 × slow
  ✗  yield  slow     5950  ≤ 100 ns, stretch
  ·  yield  absent      –  ≤ 0 allocs
  ✗  yield  fast    0.500  ≤ 0.25 × elsewhere (81, quoted)
`
	var got strings.Builder
	if err := fixture().writeTables(&got); err != nil {
		t.Fatal(err)
	}
	if got.String() != want {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
}

func TestTablesHaveOneHeadingPerGroup(t *testing.T) {
	one, two := &Group{Name: "one"}, &Group{Name: "two"}
	rep := report{Results: []Result{
		{Group: one, Row: &Row{Name: "a"}}, {Group: one, Row: &Row{Name: "b"}}, {Group: two, Row: &Row{Name: "c"}},
	}}
	var got strings.Builder
	if err := rep.writeTables(&got); err != nil {
		t.Fatal(err)
	}
	var order []string
	for line := range strings.Lines(got.String()) {
		if f := strings.Fields(line); len(f) > 0 {
			order = append(order, strings.TrimSuffix(f[0], ":"))
		}
	}
	if s := strings.Join(order[1:], " "); s != "one a b two c" {
		t.Errorf("headings and rows come as %q, want %q", s, "one a b two c")
	}
}

func TestJSONHasEveryRound(t *testing.T) {
	var out strings.Builder
	if err := fixture().writeJSON(&out); err != nil {
		t.Fatal(err)
	}
	var j jsonReport
	dec := json.NewDecoder(strings.NewReader(out.String()))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&j); err != nil {
		t.Fatalf("%v in\n%s", err, out.String())
	}
	if len(j.Rows) != 3 || len(j.Rows[0].Peers["slow"]) != 2 || j.Rows[0].Peers["slow"][1].Nanos != 6000 {
		t.Errorf("rows are %+v, want three, the first with slow's second round of 6000 ns", j.Rows)
	}
	if len(j.Budgets) != 4 || j.Budgets[3].Quoted != 81 || j.Budgets[0].State != Met || j.Budgets[2].State != Unmeasured || j.Budgets[2].Figure != "allocs" {
		t.Errorf("budgets are %+v, want met, missed, unmeasured allocs, quoted", j.Budgets)
	}
}

func TestMissedIgnoresStretchGoals(t *testing.T) {
	rep := fixture()
	rep.Verdicts = rep.Verdicts[:3]
	if rep.missed() {
		t.Error("a missed stretch goal counts as a missed budget")
	}
	rep.Verdicts[1].Budget.Stretch = false
	if !rep.missed() {
		t.Error("a missed budget does not count")
	}
}
