package filter

import (
	"errors"
	"iter"
)

// Filter turns bytes into records of type In, and records of type Out into
// bytes (F1). It does no I/O, knows no kernel and never blocks. A Filter serves
// one stream and one goroutine at a time; its two directions do not disturb
// each other. For many streams pass on what makes one, a
// func() (Filter[In, Out], error), instead of a filter to copy (F6).
type Filter[In, Out any] interface {
	// Feed stores a copy of p; it parses nothing that could fail (F2). What
	// exceeds the filter's buffer limit is dropped, and Next says so after
	// the records that did fit.
	Feed(p []byte)

	// Next returns one record (F2). ok is false when more bytes are needed;
	// a record may be kept. An err that matches ErrUnusable ends the stream:
	// every later call returns it again. Any other err refuses one record,
	// and the next call goes on behind it.
	Next() (rec In, ok bool, err error)

	// Append appends v in its form on the wire to dst and returns the result
	// (F4). On error it returns dst as it was.
	Append(dst []byte, v Out) ([]byte, error)

	// Pending returns a copy of the bytes fed and not yet parsed, nil when
	// there are none, and keeps them (F5). Feeding them to another filter
	// hands the stream over.
	Pending() []byte
}

// Records returns what f can parse from the bytes fed so far, one Next at a
// time (F3). It ends when f needs more bytes, and after an error that matches
// ErrUnusable; after any other error it goes on. The loop may feed f, call
// Next, or stop early.
func Records[In, Out any](f Filter[In, Out]) iter.Seq2[In, error] {
	return func(yield func(In, error) bool) {
		for {
			rec, ok, err := f.Next()
			if !ok && err == nil {
				return
			}
			if !yield(rec, err) || errors.Is(err, ErrUnusable) {
				return
			}
		}
	}
}
