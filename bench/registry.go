package main

import (
	"fmt"
	"slices"
	"strings"
)

// groups is everything there is to measure, in the order of the output.
var groups = []*Group{messaging, dispatch, scaling, addresses, sessions, timers, observers, latency}

// Group is a set of rows measured with the same peers.
type Group struct {
	Name  string
	Peers []string // in the order measured and printed; some may be unregistered
	Rows  []*Row
	Needs map[string]func() error // by peer: why this machine cannot run it, nil when it can
}

// Row is one task.
type Row struct {
	Name    string   // unique among all groups: -row and -child take it alone
	Unit    string   // what one operation is, such as "round trip"
	Many    bool     // a sample is one run of as many operations as -many says, and no warm-up
	Figures []Figure // a line of the table each; Time when there are none
	Budgets []Budget
	Run     map[string]Runner // by peer, see Group.register
}

// Runner does a row's task ops times, ops being 1 or more, and returns what it
// cost. It leaves nothing running behind: the next run may follow at once in
// the same process. Set-up and tear-down stay outside the measured part.
type Runner func(ops int) (Sample, error)

// figures are the row's lines in the table.
func (r *Row) figures() []Figure {
	if len(r.Figures) == 0 {
		return []Figure{Time}
	}
	return r.Figures
}

// register adds what a peer can do, by row name. It belongs in an init function,
// or where the group is made; it panics when the group knows no such peer or row,
// or has the runner already.
func (g *Group) register(peer string, runs map[string]Runner) {
	if !slices.Contains(g.Peers, peer) {
		panic(fmt.Sprintf("bench: group %s has no peer %q; add it to Group.Peers", g.Name, peer))
	}
	for name, run := range runs {
		row := g.row(name)
		if row == nil {
			panic(fmt.Sprintf("bench: group %s has no row %q for peer %s; add it to Group.Rows", g.Name, name, peer))
		}
		if row.Run[peer] != nil {
			panic(fmt.Sprintf("bench: %s/%s is registered twice; remove one", peer, name))
		}
		if row.Run == nil {
			row.Run = make(map[string]Runner)
		}
		row.Run[peer] = run
	}
}

func (g *Group) row(name string) *Row {
	for _, r := range g.Rows {
		if r.Name == name {
			return r
		}
	}
	return nil
}

// many is how many there are in rows about many; the flag -many sets it.
var many = 1_000_000

// find finds what "peer/row" means.
func find(gs []*Group, spec string) (*Row, Runner, error) {
	peer, name, _ := strings.Cut(spec, "/")
	for _, g := range gs {
		if r := g.row(name); r != nil && r.Run[peer] != nil {
			return r, r.Run[peer], nil
		}
	}
	return nil, nil, fmt.Errorf("%w: -child is %q; want peer/row, such as channel/flood", errUsage, spec)
}
