package filter

// StreamFilter hands bytes through. Its zero value works.
type StreamFilter struct{ buf []byte }

var _ Filter[[]byte, []byte] = (*StreamFilter)(nil)

// Stream returns a filter whose records are pieces of the stream as they came;
// where one ends and the next begins means nothing (F18). It has no limits: it
// holds what it was fed until the next call of Next, and never fails.
func Stream() Filter[[]byte, []byte] { return new(StreamFilter) }

// Feed stores a copy of p.
func (f *StreamFilter) Feed(p []byte) { f.buf = append(f.buf, p...) }

// Next returns everything fed since the last call, as one record. The record
// belongs to the caller.
func (f *StreamFilter) Next() ([]byte, bool, error) {
	rec := f.buf
	f.buf = nil
	return rec, len(rec) > 0, nil
}

// Append appends rec to dst unchanged; it never fails.
func (f *StreamFilter) Append(dst, rec []byte) ([]byte, error) { return append(dst, rec...), nil }

// Pending returns a copy of what the next call of Next would return.
func (f *StreamFilter) Pending() []byte { return append([]byte(nil), f.buf...) }
