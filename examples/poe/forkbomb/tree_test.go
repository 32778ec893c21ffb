package main

import (
	"fmt"
	"testing"
)

// node is one session, as far as it was spoken of.
type node struct {
	parent              *node // nil for the first one, and before "create"
	children            int   // that are not lost
	stops, lost, caught bool
	moves               string // the line in which it has to say that it was moved
}

// ruleBook says which rules hold.
type ruleBook struct {
	family bool // children are created, gained and lost in pairs, before their parent stops
	alive  bool // whoever is gained has not stopped, and says where it goes
}

var (
	rules      = ruleBook{family: true, alive: true}
	looseRules = ruleBook{family: true} // parallel mode: a child may stop of itself meanwhile
)

// tree is what the lines say of who is there, and whose child.
type tree struct {
	ruleBook
	nodes         map[int]*node
	gains, caught int
}

// grow reads the lines, and fails t where they break a rule.
func grow(t testing.TB, lines []string, r ruleBook) *tree {
	t.Helper()
	tr := &tree{ruleBook: r, nodes: make(map[int]*node)}
	for i, line := range lines {
		if bad := tr.read(line); bad != "" {
			t.Errorf("line %d, %q: %s", i+1, line, bad)
		}
	}
	return tr
}

// read returns which rule the line breaks.
func (tr *tree) read(line string) (bad string) {
	var id, child, says, from, to int
	switch {
	case scan(line, "%d: starts", &id):
		if tr.nodes[id] != nil {
			return "it has started before"
		}
		tr.nodes[id] = &node{}
	case scan(line, "%d: stops", &id):
		n := tr.nodes[id]
		if n.stops || tr.family && n.children > 0 || tr.alive && n.moves != "" {
			return "not for the first time, or before a child"
		}
		n.stops = true
	case scan(line, "%d: create %d, which says: I am %d", &id, &child, &says):
		n := tr.nodes[child]
		if n.parent != nil || tr.nodes[id].stops || child != says {
			return "not a new child"
		}
		n.parent = tr.nodes[id]
		n.parent.children++
	case scan(line, "%d: catches INT", &id):
		n := tr.nodes[id]
		if n.caught || n.parent != nil && n.parent.caught {
			return "not for the first time, or after its parent"
		}
		n.caught = true
		tr.caught++
	case !tr.family:
	case scan(line, "%d: gain %d", &id, &child):
		n := tr.nodes[child]
		heir := n.parent.parent
		for !tr.alive && heir != nil && heir != tr.nodes[id] { // it stops, too
			heir = heir.parent
		}
		if n.lost || heir == nil || heir != tr.nodes[id] || tr.alive && n.stops {
			return "not a grandchild that is there"
		}
		n.parent.children--
		n.parent = tr.nodes[id]
		n.parent.children++
		n.moves = fmt.Sprintf("%d: goes from parent %%d to %d", child, id)
		tr.gains++
	case scan(line, "%d: goes from parent %d to %d", &id, &from, &to):
		n := tr.nodes[id]
		if line != fmt.Sprintf(n.moves, from) {
			return "nobody gained it"
		}
		n.moves = ""
	case scan(line, "%d: lose %d", &id, &child):
		n := tr.nodes[child]
		if n.lost || !n.stops || n.parent != tr.nodes[id] {
			return "not a child that has stopped"
		}
		n.lost = true
		n.parent.children--
	}
	return ""
}

// allGone checks how many sessions there were, and that all of them have stopped.
func (tr *tree) allGone(t testing.TB, least, most int) {
	t.Helper()
	if n := len(tr.nodes); n < least || n > most {
		t.Errorf("there were %d sessions, want %d to %d", n, least, most)
	}
	for id, n := range tr.nodes {
		if !n.stops {
			t.Errorf("%d did not stop", id)
		}
	}
}

func scan(line, format string, into ...any) bool {
	n, err := fmt.Sscanf(line, format, into...)
	return err == nil && n == len(into)
}
