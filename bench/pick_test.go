package main

import (
	"errors"
	"strings"
	"testing"
)

func TestPick(t *testing.T) {
	noop := func(int) (Sample, error) { return Sample{}, nil }
	msg := &Group{Name: "msg", Peers: []string{"ours", "theirs"}, Rows: []*Row{{Name: "yield"}, {Name: "call"}, {Name: "planned"}}}
	msg.register("theirs", map[string]Runner{"yield": noop, "call": noop})
	msg.register("ours", map[string]Runner{"yield": noop})
	web := &Group{Name: "web", Peers: []string{"ours"}, Rows: []*Row{{Name: "hello"}}}
	web.register("ours", map[string]Runner{"hello": noop})

	for _, c := range []struct{ groups, rows, peers, want string }{
		{"", "", "", "yield:ours,theirs call:theirs hello:ours"},
		{"web", "", "", "hello:ours"},
		{"", "call,yield", "", "yield:ours,theirs call:theirs"},
		{"", "", "ours", "yield:ours hello:ours"},
		{"msg", "yield", "theirs", "yield:theirs"},
		{"", "yeld", "", `usage: -row is "yeld"; want one of yield, call, planned, hello`},
		{"www", "", "", `usage: -group is "www"; want one of msg, web`},
		{"", "", "others", `usage: -peer is "others"; want one of ours, theirs`},
		{"web", "yield", "", "usage: no row fits all of -group, -row and -peer; leave one of them out"},
		{"", "planned", "", "usage: no row fits all of -group, -row and -peer; leave one of them out"},
	} {
		plan, err := pick([]*Group{msg, web}, names(c.groups), names(c.rows), names(c.peers))
		var got []string
		for _, p := range plan {
			got = append(got, p.Row.Name+":"+strings.Join(p.Peers, ","))
		}
		if err != nil {
			got = []string{err.Error()}
			if !errors.Is(err, errUsage) {
				t.Errorf("%v is no errUsage", err)
			}
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("-group %q -row %q -peer %q picks %s; want %s", c.groups, c.rows, c.peers, s, c.want)
		}
	}
}

func names(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}

func TestRunnableLeavesOutWhatTheMachineLacks(t *testing.T) {
	asked := 0
	missing := errors.New("no such program")
	g := &Group{Name: "g", Peers: []string{"ours", "odd"}, Needs: map[string]func() error{
		"odd": func() error { asked++; return missing },
	}}
	both, alone := []string{"ours", "odd"}, []string{"odd"}
	var log strings.Builder
	plan, err := runnable([]task{{g, &Row{Name: "a"}, both}, {g, &Row{Name: "b"}, alone}, {g, &Row{Name: "c"}, both}}, &log)
	if err != nil || len(plan) != 2 || strings.Join(plan[1].Peers, " ") != "ours" || plan[1].Row.Name != "c" || len(both) != 2 {
		t.Errorf("left %v, %v; want rows a and c by ours", plan, err)
	}
	if asked != 1 || strings.Count(log.String(), "odd is not measured: no such program") != 1 {
		t.Errorf("asked %d times, said %q; want once each", asked, log.String())
	}
	if plan, err := runnable([]task{{g, &Row{Name: "b"}, alone}}, &log); !errors.Is(err, missing) {
		t.Errorf("left %v, %v; want an error that says what is missing", plan, err)
	}
}

// A peer may lack what one row needs.
func TestRunnableLeavesOutASingleRow(t *testing.T) {
	g := &Group{Name: "g", Peers: []string{"ours", "odd"}, Needs: map[string]func() error{
		"odd/b": func() error { return errors.New("no such module") },
	}}
	both := []string{"ours", "odd"}
	var log strings.Builder
	plan, err := runnable([]task{{g, &Row{Name: "a"}, both}, {g, &Row{Name: "b"}, both}}, &log)
	if err != nil || len(plan) != 2 || len(plan[0].Peers) != 2 || strings.Join(plan[1].Peers, " ") != "ours" {
		t.Errorf("left %v, %v; want both in row a and ours in b", plan, err)
	}
	if strings.Count(log.String(), "odd/b is not measured: no such module") != 1 {
		t.Errorf("said %q; want what is missing", log.String())
	}
}
