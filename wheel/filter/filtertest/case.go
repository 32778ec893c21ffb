package filtertest

import (
	"reflect"
	"testing"

	"github.com/usher-go/usher/wheel/filter"
)

// Case is a filter, and a piece of stream with the records it holds.
type Case[In, Out any] struct {
	// New returns a fresh filter with the same settings each time.
	New func() filter.Filter[In, Out]

	// Wire is what a peer sends: whole records and nothing else.
	Wire []byte

	// Records are the records in Wire, as they would be given to Append.
	Records []Out

	// Equal compares a record read with a record meant. Default
	// reflect.DeepEqual.
	Equal func(In, Out) bool

	// Tail is the beginning of one more record, fed behind Wire. Default none.
	Tail []byte

	// Join makes one record of two, for filters whose record boundaries carry
	// no meaning; Records then holds the one record that is all of Wire.
	// Default nil: boundaries count.
	Join func(a, b In) In

	// NoHandover leaves out the check of that name, for a filter that
	// remembers more than Pending can show.
	NoHandover bool
}

// Run runs every check as a subtest.
func Run[In, Out any](t *testing.T, c Case[In, Out]) {
	t.Helper()
	if c.Equal == nil {
		c.Equal = func(a In, b Out) bool { return reflect.DeepEqual(any(a), any(b)) }
	}
	for _, check := range checks[In, Out]() {
		t.Run(check.name, func(t *testing.T) {
			if err := check.run(c); err != nil {
				t.Error(err)
			}
		})
	}
}
