package filter

// StreamFilter hands bytes through. Its zero value works.
type StreamFilter struct {
	// Reuse has a record valid only until the next call of Feed, which in a wheel
	// is until its handler returns, and the filter keeps its storage: for large
	// streams, which otherwise make as much garbage as they have bytes.
	Reuse bool

	buf   []byte
	taken bool // buf is a record that is out
}

var _ Filter[[]byte, []byte] = (*StreamFilter)(nil)

// Stream returns a filter whose records are pieces of the stream as they came;
// where one ends and the next begins means nothing (F18). It has no limits: it
// holds what it was fed until the next call of Next, and never fails.
func Stream() Filter[[]byte, []byte] { return new(StreamFilter) }

// Feed stores a copy of p.
func (f *StreamFilter) Feed(p []byte) {
	if f.taken {
		f.buf, f.taken = f.buf[:0], false
	}
	f.buf = append(f.buf, p...)
}

// Next returns everything fed since the last call, as one record. The record
// belongs to the caller, but for Reuse.
func (f *StreamFilter) Next() ([]byte, bool, error) {
	rec := f.buf
	switch {
	case f.taken || len(rec) == 0:
		return nil, false, nil
	case f.Reuse:
		f.taken = true
	default:
		f.buf = nil
	}
	return rec, true, nil
}

// Append appends rec to dst unchanged; it never fails.
func (f *StreamFilter) Append(dst, rec []byte) ([]byte, error) { return append(dst, rec...), nil }

// Pending returns a copy of what the next call of Next would return.
func (f *StreamFilter) Pending() []byte {
	if f.taken {
		return nil
	}
	return append([]byte(nil), f.buf...)
}
