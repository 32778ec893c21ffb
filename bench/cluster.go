package main

import (
	"errors"
	"fmt"
	"time"
)

// clusters is what events and calls between two nodes cost. Each node is a process, and
// both are the peer's. The names of the rows' twins with mutual TLS end in "-tls".
var clusters = &Group{
	Name:  "cluster",
	About: "events and calls between two nodes, plain and with mutual TLS",
	Peers: []string{usher, protoactor, grpcPeer},
	Needs: map[string]func() error{protoactor: needNoRaceDetector},
	Shows: "between two processes; CPU is that of both",
	Rows: []*Row{
		clusterRow("cluster-post", false), clusterRow("cluster-post", true),
		clusterRow("cluster-call", false), clusterRow("cluster-call", true),
		clusterRow("cluster-call-64", false), clusterRow("cluster-call-64", true),
	},
}

// clusterTask is what all peers do in a row.
type clusterTask struct {
	about   string
	callers int     // 0: events instead of calls
	limit   float64 // × raw Proto.Actor
}

var clusterTasks = map[string]clusterTask{
	// One session, actor or stream sends all events at once to one on the other node,
	// without more of them under way than the peer allows. They carry 16 bytes. The run is
	// over when the other side has said that it has handled all of them.
	"cluster-post": {"one session floods another with events of 16 bytes", 0, 1.25},
	// A question of 16 bytes and the same as its answer, one after the other.
	"cluster-call": {"one session calls another, again and again", 1, 1.11},
	// The same by 64 at a time.
	"cluster-call-64": {"64 sessions call another", 64, 1.11},
}

func clusterRow(name string, secure bool) *Row {
	task := clusterTasks[name]
	r := &Row{
		Name: clusterRowName(name, secure), About: task.about, Unit: "post",
		Figures: []Figure{Rate, CPU},
		Budgets: []Budget{{Peer: usher, Limit: task.limit, Against: protoactor}},
	}
	if task.callers > 0 {
		r.Unit, r.OneRun, r.Figures = "call", true, requestFigures
		r.Budgets = append(r.Budgets, Budget{Peer: usher, Limit: 1, Against: grpcPeer, Stretch: true})
	}
	if secure {
		r.About += ", with mutual TLS"
	}
	return r
}

func clusterRowName(name string, secure bool) string {
	if secure {
		return name + "-tls"
	}
	return name
}

// pairClusters registers a peer's ends of all rows.
func pairClusters(peer string, ends func(task clusterTask, secure bool) Ends) {
	for name, task := range clusterTasks {
		for _, secure := range []bool{false, true} {
			clusters.pair(peer, map[string]Ends{clusterRowName(name, secure): ends(task, secure)})
		}
	}
}

var clusterPayload = []byte("0123456789abcdef")

func checkClusterAnswer(got []byte) error {
	if string(got) != string(clusterPayload) {
		return fmt.Errorf("%w: the answer was %q; want %q", errSample, got, clusterPayload)
	}
	return nil
}

// checkHandled is for what the other side has counted.
func checkHandled(got uint64, ops int) error {
	if got != uint64(ops) {
		return fmt.Errorf("%w: %d of %d events were handled", errSample, got, ops)
	}
	return nil
}

// clusterPatience ends a run that something was lost of.
const clusterPatience = 30 * time.Second

// needNoRaceDetector keeps Proto.Actor's remote out of tests that look for races: its
// Start replaces gRPC's logger, a variable of the process, while connections read it.
func needNoRaceDetector() error {
	if raceDetector {
		return errors.New("Proto.Actor's remote has data races of its own; run it without -race")
	}
	return nil
}

// within waits for the end of a run.
func within(done <-chan error) error {
	select {
	case err := <-done:
		return err
	case <-time.After(clusterPatience):
		return fmt.Errorf("%w: nothing for %v", errSample, clusterPatience)
	}
}
