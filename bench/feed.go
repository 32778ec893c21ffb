package main

import (
	"bytes"
	"sync"
)

const (
	feedSize = 32 << 10 // bytes at a time
	wireSize = 1 << 20  // after which the same records come again, or a little more
)

// feed is an endless stream of the same records.
type feed struct {
	wire []byte
	at   int
}

// next is the next piece. The last before the stream begins again may be shorter.
func (f *feed) next() []byte {
	p := f.wire[f.at:min(f.at+feedSize, len(f.wire))]
	f.at = (f.at + len(p)) % len(f.wire)
	return p
}

// Read is next for a reader, whose buffer has room for a piece.
func (f *feed) Read(p []byte) (int, error) { return copy(p, f.next()), nil }

// repeated makes a stream of one record.
func repeated(record []byte) func() ([]byte, error) {
	return sync.OnceValues(func() ([]byte, error) {
		return bytes.Repeat(record, wireSize/len(record)+1), nil
	})
}
