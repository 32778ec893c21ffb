package wheel

import "reflect"

// unparsed is a filter's input, whatever its records.
type unparsed interface {
	Feed(p []byte)
	Pending() []byte
}

// handOver gives a filter what another one has not parsed. One that stays has it
// already.
func handOver(to, from unparsed) {
	if reflect.ValueOf(to).Comparable() && to == from {
		return
	}
	to.Feed(from.Pending())
}
