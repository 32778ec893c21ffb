package filter

// GrepFilter lets some records of another filter pass, and skips the rest
// without a word (F47).
//
// Get and Put may be replaced between two calls of its methods (F45). They say
// which records pass; nil is all.
type GrepFilter[In, Out any] struct {
	Get func(In) bool
	Put func(Out) bool

	inner Filter[In, Out]
}

var _ Filter[string, string] = (*GrepFilter[string, string])(nil)

// Grep returns a GrepFilter around inner. get chooses among what comes, put
// among what is sent. Grep panics where inner is nil.
func Grep[In, Out any](inner Filter[In, Out], get func(In) bool, put func(Out) bool) *GrepFilter[In, Out] {
	if inner == nil {
		panic("filter: Grep: inner is nil; want a filter, such as filter.Line()")
	}
	return &GrepFilter[In, Out]{Get: get, Put: put, inner: inner}
}

// Feed stores a copy of p in the inner filter.
func (f *GrepFilter[In, Out]) Feed(p []byte) { f.inner.Feed(p) }

// Next returns the next record that passes. Errors are the inner filter's.
func (f *GrepFilter[In, Out]) Next() (In, bool, error) {
	for {
		rec, ok, err := f.inner.Next()
		if !ok || f.Get == nil || f.Get(rec) {
			return rec, ok, err
		}
	}
}

// Append appends rec if it passes, otherwise nothing. Errors are the inner
// filter's.
func (f *GrepFilter[In, Out]) Append(dst []byte, rec Out) ([]byte, error) {
	if f.Put != nil && !f.Put(rec) {
		return dst, nil
	}
	return f.inner.Append(dst, rec)
}

// Pending returns the inner filter's.
func (f *GrepFilter[In, Out]) Pending() []byte { return f.inner.Pending() }
