package cluster

import (
	"context"
	"fmt"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel/filter"
)

// Kind is a sort of session that is found by a key.
type Kind struct{ Name string }

// KeyStatus is a session that is here for its key.
type KeyStatus struct{}

type placement struct{}

func newPlacement(*Node, Config) (*placement, error) { return &placement{}, nil }

func (*placement) begin()                     {}
func (*placement) leave()                     {}
func (*placement) members([]Member)           {}
func (*placement) owner(Ownership)            {}
func (*placement) reach(string, bool)         {}
func (*placement) status() []KeyStatus        { return nil }
func (*placement) post(kernel.Outgoing) error { return fmt.Errorf("not yet") }
func (*placement) call(context.Context, kernel.Outgoing) (any, error) {
	return nil, fmt.Errorf("not yet")
}
func (*placement) arrive(*peer, Arrival, filter.Frame) error { return fmt.Errorf("not yet") }
