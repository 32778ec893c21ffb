package session

import (
	"fmt"
	"strings"
)

// Transitions lists the states that each state may be left for, by Goto and Push.
// It is optional: without it every transition is allowed. With it, NewMachine
// panics when it names a state that the machine does not have, and a transition
// that it does not list is ErrTransition, one from a state to itself included.
// Going to the first state and returning are always allowed.
type Transitions map[StateName][]StateName

func (ts Transitions) addTo(d *draft) {
	switch {
	case ts == nil:
		panic("session.NewMachine: Transitions is nil; leave it out to allow all")
	case d.transitions != nil:
		panic("session.NewMachine: Transitions is given twice; put all of them into one")
	}
	d.transitions = ts
}

// limit has the machine make no transitions but these; nil allows all.
func (m *Machine) limit(ts Transitions) {
	m.limited = ts != nil
	place := func(name StateName) *place {
		if m.places[name] == nil {
			panic(fmt.Sprintf("session.NewMachine: Transitions has a state %q, which is not defined; add session.In(%[1]q, …)", name))
		}
		return m.places[name]
	}
	for name, list := range ts {
		from := place(name)
		for _, to := range list {
			from.next = append(from.next, place(to))
		}
	}
}

// Mermaid draws the machine as a Mermaid state diagram: its states, the first one,
// and the arrows of Transitions; without Transitions there are no others.
func (m *Machine) Mermaid() string {
	var b strings.Builder
	b.WriteString("stateDiagram-v2\n")
	id := make(map[*place]string, len(m.listed))
	for i, p := range m.listed {
		id[p] = fmt.Sprint("s", i)
		fmt.Fprintf(&b, "\tstate \"%s\" as %s\n", label.Replace(string(p.name)), id[p])
	}
	fmt.Fprintf(&b, "\t[*] --> %s\n", id[m.start])
	for _, p := range m.listed {
		for _, to := range p.next {
			fmt.Fprintf(&b, "\t%s --> %s\n", id[p], id[to])
		}
	}
	return b.String()
}

// label writes what Mermaid takes for its own as entity codes.
var label = strings.NewReplacer("#", "#35;", `"`, "#34;", "\n", " ")
