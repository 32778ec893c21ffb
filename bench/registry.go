package main

import (
	"fmt"
	"slices"
	"strings"
)

// groups is everything there is to measure, in the order of the output.
var groups = []*Group{messaging, dispatch, scaling, addresses, sessions, timers, observers, latency,
	connections, streams, datagrams, hello, children, filters, httpClients, backends, clusters}

// Group is a set of rows measured with the same peers.
type Group struct {
	Name  string
	About string   // for -help
	Peers []string // in the order measured and printed; some may be unregistered
	Rows  []*Row
	Needs map[string]func() error // by peer or peer/row: why this machine cannot run it, nil when it can
	Shows string                  // what the figures are; default: per operation, and allocations
}

// Row is one task.
type Row struct {
	Name    string   // unique among all groups: -row and -child take it alone
	About   string   // for -help, where name and unit do not say enough
	Unit    string   // what one operation is, such as "round trip"
	Many    bool     // a sample is one run of as many operations as -many says, and no warm-up
	Conns   bool     // the same, of as many as -conns says
	Timed   bool     // a sample is one run of as many milliseconds as -time says: its Runner is given these, and says how many operations they were
	Few     int      // a sample is one run of so many operations, and no warm-up
	OneRun  bool     // after its warm-up a sample is one run, because to begin and to end one costs much
	Figures []Figure // a line of the table each; Time when there are none
	Budgets []Budget
	Run     map[string]Runner // by peer, see Group.register

	// Load does the task from outside, where the peers are servers in processes
	// of their own: the same for all of them. Run is empty then.
	Load  Load
	Serve map[string]Server // by peer, see Group.serve

	// Asked is a server that is not measured, in a process of its own, where the peers
	// are clients: the same for all of them. Run, Load and Serve are empty then.
	Asked *Server
	Ask   map[string]Load // by peer, see Group.ask

	// Ends are both the peer's, each in a process of its own, where a question and its
	// answer are measured as a whole. All of the above are empty then.
	Ends map[string]Ends // by peer, see Group.pair
}

// Ends are a server, and what asks it.
type Ends struct {
	Server
	Load
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
	for name, run := range runs {
		row := g.place(peer, name)
		if row.Run == nil {
			row.Run = make(map[string]Runner)
		}
		row.Run[peer] = run
	}
}

// serve is register for rows with a Load.
func (g *Group) serve(peer string, servers map[string]Server) {
	for name, s := range servers {
		row := g.place(peer, name)
		if row.Serve == nil {
			row.Serve = make(map[string]Server)
		}
		row.Serve[peer] = s
	}
}

// ask is register for rows in which a server is Asked.
func (g *Group) ask(peer string, clients map[string]Load) {
	for name, l := range clients {
		row := g.place(peer, name)
		if row.Ask == nil {
			row.Ask = make(map[string]Load)
		}
		row.Ask[peer] = l
	}
}

// pair is register for rows in which both ends are the peer's.
func (g *Group) pair(peer string, ends map[string]Ends) {
	for name, e := range ends {
		row := g.place(peer, name)
		if row.Ends == nil {
			row.Ends = make(map[string]Ends)
		}
		row.Ends[peer] = e
	}
}

// place is the row to which something of a peer is to be added.
func (g *Group) place(peer, name string) *Row {
	if !slices.Contains(g.Peers, peer) {
		panic(fmt.Sprintf("bench: group %s has no peer %q; add it to Group.Peers", g.Name, peer))
	}
	row := g.row(name)
	if row == nil {
		panic(fmt.Sprintf("bench: group %s has no row %q for peer %s; add it to Group.Rows", g.Name, name, peer))
	}
	if row.has(peer) {
		panic(fmt.Sprintf("bench: %s/%s is registered twice; remove one", peer, name))
	}
	return row
}

// has reports whether a peer takes part.
func (r *Row) has(peer string) bool {
	_, serves := r.Serve[peer]
	_, both := r.Ends[peer]
	return serves || both || r.Run[peer] != nil || r.Ask[peer] != nil
}

// prepare makes what the runs of one sample share. The stop that comes with a
// runner takes it down again.
func (r *Row) prepare(peer string, o options) (run Runner, stop func() error, err error) {
	switch {
	case r.Load != nil:
		return loaded(r.Load, r.Serve[peer], peer+"/"+r.Name, o.CPUProfile)
	case r.Asked != nil:
		return loaded(r.Ask[peer], *r.Asked, peer+"/"+r.Name, "")
	case r.Ends != nil:
		e := r.Ends[peer]
		return loaded(e.Load, e.Server, peer+"/"+r.Name, serverProfile(o.CPUProfile))
	}
	return r.Run[peer], func() error { return nil }, nil
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

// find finds what "peer/row" means, which a flag was given.
func find(gs []*Group, flag, spec string) (row *Row, peer string, err error) {
	peer, name, _ := strings.Cut(spec, "/")
	for _, g := range gs {
		if r := g.row(name); r != nil && r.has(peer) {
			return r, peer, nil
		}
	}
	return nil, "", fmt.Errorf("%w: -%s is %q; want peer/row, such as channel/flood", errUsage, flag, spec)
}
