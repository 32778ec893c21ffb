package filter

import (
	"bytes"
	"sync"
)

// input keeps the bytes that were fed and not yet parsed. Storage is borrowed
// while there are any, because most connections are idle most of the time.
type input struct {
	field string // the setting behind max, for the error
	max   int
	over  bool // bytes were dropped; what follows cannot be parsed

	buf  []byte // unparsed from off on
	off  int
	lent *[]byte // the pool's own box, so that giving back allocates nothing
}

// Storage that grew beyond keepStorage is left to the garbage collector.
const (
	newStorage  = 4 << 10
	keepStorage = 64 << 10
)

var storage = sync.Pool{New: func() any {
	b := make([]byte, 0, newStorage)
	return &b
}}

func (in *input) feed(p []byte) {
	if in.over {
		return
	}
	if room := in.max - in.len(); len(p) > room {
		p, in.over = p[:room], true
	}
	if len(p) == 0 {
		return
	}
	if in.buf == nil {
		in.lent = storage.Get().(*[]byte)
		in.buf = (*in.lent)[:0]
	}
	// Move down only when that frees half: then each byte moves once on average.
	if len(in.buf)+len(p) > cap(in.buf) && in.off > len(in.buf)/2 {
		in.buf = append(in.buf[:0], in.bytes()...)
		in.off = 0
	}
	in.buf = append(in.buf, p...)
}

func (in *input) len() int { return len(in.buf) - in.off }

// bytes returns the unparsed bytes, valid until the next feed or skip.
func (in *input) bytes() []byte { return in.buf[in.off:] }

// pending returns a copy: the storage may soon serve another connection.
func (in *input) pending() []byte {
	if in.len() == 0 {
		return nil
	}
	return bytes.Clone(in.bytes())
}

// skip forgets the first n unparsed bytes.
func (in *input) skip(n int) {
	in.off += n
	if in.off < len(in.buf) {
		return
	}
	if in.lent != nil && cap(in.buf) <= keepStorage {
		*in.lent = in.buf
		storage.Put(in.lent)
	}
	in.buf, in.off, in.lent = nil, 0, nil
}

// overflow is the error that follows the last record that did fit (F9).
func (in *input) overflow() error {
	return &LimitError{
		What: "unparsed input", Field: in.field, Limit: in.max, fatal: true,
		remedy: "call Next between calls of Feed, or raise it",
	}
}
