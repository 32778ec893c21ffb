package filter

import (
	"errors"
	"fmt"
)

// What Stack and Stackable have in common: bytes that pass one filter after the
// other.

// through takes a record of f, and feeds f what comes from below for as long as
// it has none (F48). Nothing is taken from below ahead of need, so what was not
// looked at yet can still go elsewhere.
func through[In, Out any](f Filter[In, Out], below func() ([]byte, bool, error)) (rec In, ok bool, err error) {
	for {
		if rec, ok, err = f.Next(); ok || err != nil {
			return rec, ok, err
		}
		p, more, err := below()
		if !more {
			return rec, false, gap(err)
		}
		f.Feed(p)
	}
}

// gap: where a layer has refused a record, bytes are missing in what the layers
// above read, and they would take the middle of something for its beginning.
func gap(err error) error {
	if err == nil || errors.Is(err, ErrUnusable) {
		return err
	}
	return fmt.Errorf("%w; the layers above miss its bytes: %w", err, ErrUnusable)
}

// unread returns what f holds, behind what the layers above it hold: that is
// written back through f.
func unread(f Filter[[]byte, []byte], above []byte) []byte {
	var wire []byte
	if len(above) > 0 {
		wire = writeBack(f, nil, above)
	}
	return append(wire, f.Pending()...)
}

// writeBack writes p in pieces if f finds it too long: boundaries between layers
// carry no meaning.
func writeBack(f Filter[[]byte, []byte], dst, p []byte) []byte {
	wire, err := f.Append(dst, p)
	if errors.Is(err, ErrTooLong) && len(p) > 1 {
		return writeBack(f, writeBack(f, dst, p[:len(p)/2]), p[len(p)/2:])
	}
	if err != nil {
		return dst
	}
	return wire
}

// keep makes an error last if it ended the stream.
func keep(last *error, err error) {
	if errors.Is(err, ErrUnusable) {
		*last = err
	}
}
