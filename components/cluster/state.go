package cluster

import (
	"fmt"
	"slices"
	"time"
)

// State is how this node stands with another one.
type State uint8

const (
	Connecting State = iota // known, and not heard of yet; posts wait
	Up                      // it answers
	Lost                    // it has not answered for Config.LostAfter; posts are kernel.ErrNoNode
	Left                    // it has left in order, or the directory has it no more
)

var stateNames = [...]string{"connecting", "up", "lost", "left"}

func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return fmt.Sprintf("State(%d)", uint8(s))
}

// MarshalText makes JSON of a state readable.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText takes what MarshalText has made.
func (s *State) UnmarshalText(text []byte) error {
	i := slices.Index(stateNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("cluster: state %q; want one of %q", text, stateNames)
	}
	*s = State(i)
	return nil
}

// Change is what Node.Watch tells about another node.
type Change struct {
	Node    string // "owner" where the events for keys have drained, whoever that is
	State   State
	Epoch   uint64        // which start of it
	Drained bool          // not a change of State: ErrQueueFull is over
	Silent  time.Duration // with Lost: for how long it has given no answer
}

func (c Change) String() string {
	switch {
	case c.Drained:
		return c.Node + " takes events again"
	case c.State == Lost:
		return fmt.Sprintf("%s is lost: silent for %v", c.Node, c.Silent.Round(time.Millisecond))
	}
	return fmt.Sprintf("%s is %v", c.Node, c.State)
}
