package filter

import (
	"fmt"
	"unicode/utf8"
)

// Frame is one event on its way between processes. Only Name is usual to all
// frames; the zero value of every other field means that there is none.
type Frame struct {
	Name    string // the event
	Args    []any  // its arguments; the package comment lists the kinds
	ID      uint64 // chosen by a sender that wants an answer
	ReplyTo uint64 // ID of the frame that this one answers
	Cause   uint64 // sequence number of the event that led to this one, for traces
	To      string // address of the session meant
	From    string // address of the session that sent it
}

// checkText: a protobuf string is UTF-8, and other libraries insist on it.
func (f *Frame) checkText() error {
	field, text := "", ""
	switch {
	case !utf8.ValidString(f.Name):
		field, text = "Name", f.Name
	case !utf8.ValidString(f.To):
		field, text = "To", f.To
	case !utf8.ValidString(f.From):
		field, text = "From", f.From
	default:
		return nil
	}
	return fmt.Errorf("filter: Frame.%s %.64q %w: it is not UTF-8; give it another name", field, text, ErrNotEncodable)
}

// FrameError refuses one frame; the frames behind it are intact. Frame holds
// what could be read, without Args, so that a request (ID not 0) can be
// answered in the negative. Err matches ErrMalformed, ErrUnknownType or
// ErrTooDeep, and so does the FrameError.
type FrameError struct {
	Frame Frame
	Size  int // bytes, without the length prefix
	Err   error
}

var _ error = (*FrameError)(nil)

// Error names the event and the cause.
func (e *FrameError) Error() string {
	return fmt.Sprintf("filter: frame %.64q of %d bytes refused: %v", e.Frame.Name, e.Size, e.Err)
}

// Unwrap returns Err.
func (e *FrameError) Unwrap() error { return e.Err }
