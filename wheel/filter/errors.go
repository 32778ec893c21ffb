package filter

import (
	"errors"
	"fmt"
)

var (
	// ErrUnusable is matched by errors after which the rest of a stream cannot
	// be parsed. The connection it came from should be closed.
	ErrUnusable = errors.New("the rest of the stream cannot be read; close the connection")

	// ErrTooLong is matched by every *LimitError.
	ErrTooLong = errors.New("too long")

	// ErrMalformed is matched when bytes break the format that a filter reads.
	ErrMalformed = errors.New("malformed")

	// ErrUnknownType is matched when a frame carries a protobuf message of a
	// type that is not registered in this program.
	ErrUnknownType = errors.New("unknown message type")

	// ErrTooDeep is matched when lists and maps nest deeper than allowed,
	// which a list that contains itself always does.
	ErrTooDeep = errors.New("nested too deep")

	// ErrNotEncodable is matched when a value has no form on the wire.
	ErrNotEncodable = errors.New("cannot be sent")

	// ErrConfig is matched when a filter's configuration contradicts itself.
	ErrConfig = errors.New("bad configuration")
)

// LimitError says which limit was exceeded. It matches ErrTooLong, and
// ErrUnusable if the stream ended there.
type LimitError struct {
	What  string // what was too long, such as "line" or "unparsed input"
	Field string // the setting, such as "LineConfig.MaxLength"
	Limit int    // its value, in bytes
	Size  uint64 // how long it was, in bytes; 0 when that is not known

	remedy string
	fatal  bool
}

var _ error = (*LimitError)(nil)

// Error names what was too long, the limit, and what to do.
func (e *LimitError) Error() string {
	what := e.What
	if e.Size > 0 {
		what = fmt.Sprintf("%s of %d bytes", e.What, e.Size)
	}
	return fmt.Sprintf("filter: %s exceeds %s, %d bytes; %s", what, e.Field, e.Limit, e.remedy)
}

// Is matches ErrTooLong always and ErrUnusable when the stream is lost.
func (e *LimitError) Is(target error) bool {
	return target == ErrTooLong || e.fatal && target == ErrUnusable
}
