package session

import (
	"fmt"

	"github.com/usher-go/usher/kernel"
)

// State is one row of a table: an event and its handler, which POE calls a state.
// What a Machine is in has a StateName.
type State struct {
	event   string
	handler kernel.Handler
}

// Handle has h answer an event. The event may be a literal, a string, or a typed
// event whose payload h reads through Context.Arg.
func Handle[E ~string](event E, h kernel.Handler) State { return State{string(event), h} }

// On has h answer a typed event, with its payload. An event of that name that
// arrives with another type is an error, and h does not run.
func On[T any](e kernel.Event[T], h func(*kernel.Context, T) error) State {
	if h == nil {
		return State{event: string(e)}
	}
	return State{string(e), func(c *kernel.Context) error {
		v, err := kernel.Payload[T](c)
		if err != nil {
			return err
		}
		return h(c, v)
	}}
}

// table finds the handler of an event.
type table struct {
	rows   map[string]kernel.Handler
	recent recent
}

// newTable panics on rows that can only be a mistake, and says whose they are.
func newTable(whose string, states []State) table {
	t := table{rows: make(map[string]kernel.Handler, len(states))}
	for i, st := range states {
		switch {
		case st.event == "":
			panic(fmt.Sprintf("%s: row %d has no event name", whose, i))
		case st.handler == nil:
			panic(fmt.Sprintf("%s: the handler for %q is nil", whose, st.event))
		case t.rows[st.event] != nil:
			panic(fmt.Sprintf("%s: %q has two handlers; which one is meant?", whose, st.event))
		}
		t.rows[st.event] = st.handler
	}
	t.recent.fill(t.rows)
	return t
}

// find returns nil for an event without a handler.
func (t *table) find(event string) kernel.Handler {
	if h := t.recent.find(event); h != nil {
		return h
	}
	return t.rows[event]
}
