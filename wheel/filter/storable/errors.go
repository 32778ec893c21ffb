package storable

import (
	"errors"
	"fmt"
)

var (
	// ErrMalformed is matched when bytes are not what Storable writes.
	ErrMalformed = errors.New("malformed")

	// ErrUnsupported is matched when Perl froze what has no form in Go: code,
	// a regular expression, a tied variable, an object with its own
	// STORABLE_freeze, the native order of another machine.
	ErrUnsupported = errors.New("has no form in Go")

	// ErrCycle is matched when a value contains itself and Config.Cycles does
	// not allow that.
	ErrCycle = errors.New("contains itself")

	// ErrTooDeep is matched when values nest deeper than Config.MaxDepth.
	ErrTooDeep = errors.New("nested too deep")

	// ErrTooLong is matched when a value exceeds Config.MaxExpanded.
	ErrTooLong = errors.New("too long")

	// ErrNotEncodable is matched when a Go value has no form in Perl.
	ErrNotEncodable = errors.New("cannot be frozen")

	// ErrConfig is matched when a Config has a negative limit.
	ErrConfig = errors.New("bad configuration")
)

// ValueError says which part of a Go value cannot be frozen. It matches
// ErrNotEncodable and Err.
type ValueError struct {
	Path string // where it stands, such as ["rows"][3]; "" for the value itself
	Type string // the Go type found there
	Err  error  // why, and what to do
}

var _ error = (*ValueError)(nil)

// Error names the place, the type, the cause and the remedy.
func (e *ValueError) Error() string {
	const shown = 80
	path := e.Path
	if len(path) > shown {
		path = path[:shown] + "…"
	}
	return fmt.Sprintf("storable: value%s, a %s, cannot be frozen: %v", path, e.Type, e.Err)
}

// Unwrap returns ErrNotEncodable and Err.
func (e *ValueError) Unwrap() []error { return []error{ErrNotEncodable, e.Err} }

func notEncodable(v any, why error) error {
	return &ValueError{Type: fmt.Sprintf("%T", v), Err: why}
}

// inside adds, in front of a ValueError's path, the step that led there.
func inside(err error, step func() string) error {
	if e, ok := errors.AsType[*ValueError](err); ok {
		e.Path = step() + e.Path
	}
	return err
}
