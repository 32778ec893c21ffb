package prefork

import "slices"

// State is what a worker is doing.
type State uint8

// The order is that of a worker's life; only Idle and Busy alternate.
const (
	StateDead     State = iota // no process
	StateStarting              // not yet ready to accept
	StateIdle                  // ready, serving nobody
	StateBusy                  // serving at least one connection
	StateDraining              // accepts no more, ends when its connections have
	StateStopping              // was sent a signal to end

	states // how many there are
)

var stateNames = [states]string{"dead", "starting", "idle", "busy", "draining", "stopping"}

// String gives the state's name.
func (s State) String() string {
	if s >= states {
		return "unknown"
	}
	return stateNames[s]
}

// Letter gives the state as one character, that of Apache's scoreboard where both
// mean the same, and 'X' for what Apache has no letter for: '.' dead, 'S' starting, '_' idle, 'W' busy, 'G' draining, 'X' stopping,
// '?' anything else.
func (s State) Letter() byte {
	if s >= states {
		return '?'
	}
	return ".S_WGX"[s]
}

// MarshalText gives the state's name, for JSON.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText writes; what it does not know is unknown.
func (s *State) UnmarshalText(text []byte) error {
	*s = states
	if i := slices.Index(stateNames[:], string(text)); i >= 0 {
		*s = State(i)
	}
	return nil
}
