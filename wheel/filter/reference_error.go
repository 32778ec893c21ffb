package filter

import "fmt"

// RecordError refuses one record of a Reference filter; those behind it are
// intact. It matches ErrMalformed, and what Err matches, such as
// storable.ErrUnsupported.
type RecordError struct {
	Serializer string // its Name
	Size       int    // bytes on the wire, without the length prefix
	Err        error  // what the serializer, or zlib, said
}

var _ error = (*RecordError)(nil)

// Error names the serializer and the cause.
func (e *RecordError) Error() string {
	return fmt.Sprintf("filter: %s record of %d bytes refused: %v", e.Serializer, e.Size, e.Err)
}

// Unwrap returns ErrMalformed and Err.
func (e *RecordError) Unwrap() []error { return []error{ErrMalformed, e.Err} }

// configError makes what a Serializer has against itself match ErrConfig.
type configError struct{ err error }

func (e *configError) Error() string { return e.err.Error() }

func (e *configError) Unwrap() []error { return []error{ErrConfig, e.err} }
