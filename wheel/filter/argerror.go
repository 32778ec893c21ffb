package filter

import (
	"errors"
	"fmt"
)

// ArgError says which argument cannot be sent. It matches ErrNotEncodable, and
// whatever Err matches.
type ArgError struct {
	Index int    // its position among the arguments
	Path  string // where inside it, such as [3]["key"]; "" for the argument itself
	Type  string // the Go type found there
	Err   error  // why; nil if the type has no form on the wire
}

var _ error = (*ArgError)(nil)

// Error names the argument, its type, the cause and the remedy.
func (e *ArgError) Error() string {
	why := "send a basic type, a list, a map or a protobuf message instead"
	if e.Err != nil {
		why = e.Err.Error()
	}
	return fmt.Sprintf("filter: argument %d%s, a %s, cannot be sent: %s", e.Index, e.Path, e.Type, why)
}

// Unwrap returns ErrNotEncodable and Err.
func (e *ArgError) Unwrap() []error {
	if e.Err == nil {
		return []error{ErrNotEncodable}
	}
	return []error{ErrNotEncodable, e.Err}
}

func notEncodable(v any, why error) error {
	return &ArgError{Type: fmt.Sprintf("%T", v), Err: why}
}

// inside adds, in front of an ArgError's path, the step that led there.
func inside(err error, step string) error {
	if e, ok := errors.AsType[*ArgError](err); ok {
		e.Path = step + e.Path
	}
	return err
}

func indexed(err error, i int) error {
	if e, ok := errors.AsType[*ArgError](err); ok {
		e.Index = i
	}
	return err
}
