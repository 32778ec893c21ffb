package main

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// Rows are asked for by name alone, and a misspelt peer in a budget would read
// as "not measured" for ever.
func TestRegistryIsConsistent(t *testing.T) {
	seen := make(map[string]bool)
	for _, g := range groups {
		for _, r := range g.Rows {
			if seen[r.Name] {
				t.Errorf("two rows are named %q", r.Name)
			}
			seen[r.Name] = true
			peers := len(r.Run) + len(r.Serve) + len(r.Ask) + len(r.Ends)
			if r.Unit == "" || peers == 0 {
				t.Errorf("row %s has unit %q and %d peers, want both", r.Name, r.Unit, peers)
			}
			kind := len(r.Run)
			if r.Load != nil {
				kind = len(r.Serve)
			}
			if r.Asked != nil {
				kind = len(r.Ask)
			}
			if r.Ends != nil {
				kind = len(r.Ends)
			}
			if kind != peers || r.Load != nil && r.Asked != nil {
				t.Errorf("row %s has %d runners, %d servers, %d clients and %d pairs of both; want servers if it has a load, clients if a server is asked, else runners or pairs", r.Name, len(r.Run), len(r.Serve), len(r.Ask), len(r.Ends))
			}
			for _, b := range r.Budgets {
				if !slices.Contains(g.Peers, b.Peer) {
					t.Errorf("row %s has a budget for %q, which is no peer of %s", r.Name, b.Peer, g.Name)
				}
				for _, other := range []string{b.Against, b.Over} {
					if other != "" && (!slices.Contains(g.Peers, other) || other == b.Peer) {
						t.Errorf("row %s, budget %v: want another peer of %s to compare with", r.Name, b, g.Name)
					}
				}
				if b.Against != "" && b.Over != "" || b.Quoted != 0 && b.Against == "" {
					t.Errorf("row %s, budget %v: Against and Over exclude each other, Quoted is Against's", r.Name, b)
				}
				if b.Figure > Bytes && !slices.Contains(r.figures(), b.Figure) {
					t.Errorf("row %s, budget %v: its figure is none that the row has", r.Name, b)
				}
				if b.Figure == Rate || b.Figure == MBps {
					t.Errorf("row %s, budget %v: more is better there; limit the time", r.Name, b)
				}
				if b.Limit <= 0 && b.Figure != Allocs && b.Figure != Failed {
					t.Errorf("row %s, budget %v: nothing takes no time", r.Name, b)
				}
			}
		}
	}
}

func TestRegisterRefusesMistakes(t *testing.T) {
	noop := func(int) (Sample, error) { return Sample{}, nil }
	for _, c := range []struct{ name, peer, row, want string }{
		{"unknown peer", "pear", "flood", `no peer "pear"`},
		{"unknown row", "a", "flod", `no row "flod"`},
		{"twice", "a", "yield", "twice"},
	} {
		g := &Group{Name: "g", Peers: []string{"a"}, Rows: []*Row{{Name: "yield"}, {Name: "flood"}}}
		g.register("a", map[string]Runner{"yield": noop})
		func() {
			defer func() {
				if s, _ := recover().(string); !strings.Contains(s, c.want) {
					t.Errorf("%s: panic %q, want one with %q", c.name, s, c.want)
				}
			}()
			g.register(c.peer, map[string]Runner{c.row: noop})
		}()
	}
}

func TestRunnerIsFoundByPeerAndRow(t *testing.T) {
	g := &Group{Peers: []string{"a"}, Rows: []*Row{{Name: "yield"}}}
	g.register("a", map[string]Runner{"yield": func(ops int) (Sample, error) { return Sample{Ops: ops}, nil }})
	row, peer, err := find([]*Group{g}, "child", "a/yield")
	if err != nil || row != g.Rows[0] || peer != "a" {
		t.Fatalf("found row %v of %q, %v", row, peer, err)
	}
	run, stop, err := row.prepare(peer, options{})
	if err != nil || stop() != nil {
		t.Fatal(err)
	}
	if s, _ := run(5); s.Ops != 5 {
		t.Errorf("found a runner that did %d operations, want 5", s.Ops)
	}
	for _, spec := range []string{"", "a", "a/", "/yield", "b/yield", "a/yield/x"} {
		if _, _, err := find([]*Group{g}, "child", spec); !errors.Is(err, errUsage) {
			t.Errorf("find(%q): %v, want errUsage", spec, err)
		}
	}
}
