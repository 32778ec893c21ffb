package session

import "fmt"

// Part is what a machine is made of: In, a state with its table; a State as Handle
// and On make it, which answers in every state; and Transitions, at most once.
type Part interface{ addTo(*draft) }

// draft gathers the parts of a machine.
type draft struct {
	places      []*place
	rows        []State
	transitions Transitions
}

func (s State) addTo(d *draft) { d.rows = append(d.rows, s) }

func (p *place) addTo(d *draft) {
	own := *p // a Part may go into several machines
	d.places = append(d.places, &own)
}

// In is one state of a machine: what it does with events while it is in it. Three
// names are special: "_enter" runs after each entry, "_leave" before the state is
// left, and "_default" gets events without a handler. In panics where New does.
func In(state StateName, rows ...State) Part {
	if state == "" {
		panic("session.In: the state has no name")
	}
	whose := fmt.Sprintf("session.In(%q)", state)
	p := &place{name: state, table: newTable(whose, rows)}
	if p.find("_start") != nil {
		panic(whose + `: "_start" comes before any state; give it to the whole machine, or use "_enter"`)
	}
	checkReserved(whose, p.table)
	return p
}

// NewMachine makes a state machine. Its session's _start runs the machine-wide
// "_start", if there is one, and then, unless that went to a state itself, enters
// the state start, whose "_enter" gets the arguments of _start. An error of any of
// these is Spawn's error.
//
// NewMachine panics on parts that can only be a mistake: a start state or a state
// in Transitions that is not there, a state defined twice, and rows on which New
// would panic.
func NewMachine(start StateName, parts ...Part) *Machine {
	var d draft
	for i, p := range parts {
		if p == nil {
			panic(fmt.Sprintf("session.NewMachine: part %d is nil", i))
		}
		p.addTo(&d)
	}
	m := &Machine{places: make(map[StateName]*place, len(d.places)), listed: d.places}
	for _, p := range d.places {
		if m.places[p.name] != nil {
			panic(fmt.Sprintf("session.NewMachine: state %q is defined twice; put its rows into one session.In", p.name))
		}
		m.places[p.name] = p
	}
	if m.start = m.places[start]; m.start == nil {
		panic(fmt.Sprintf("session.NewMachine: the start state %q is not defined; add session.In(%[1]q, …)", start))
	}
	m.limit(d.transitions)
	m.setWide(d.rows)
	m.nowhere.table = newTable("", nil)
	m.current.Store(&m.nowhere)
	return m
}

// setWide makes the machine-wide table: the user's rows and the machine's own.
func (m *Machine) setWide(rows []State) {
	const whose = "session.NewMachine"
	t := newTable(whose, rows)
	checkReserved(whose, t)
	m.onStart = t.rows["_start"]
	t.rows["_start"] = m.begin
	for _, e := range reserved {
		t.rows[e] = m.dispatch
	}
	t.recent.fill(t.rows)
	m.everywhere = t
}

func checkReserved(whose string, t table) {
	for _, e := range reserved {
		if t.rows[e] != nil {
			panic(fmt.Sprintf("%s: the event %q is the machine's own; name yours differently", whose, e))
		}
	}
}
