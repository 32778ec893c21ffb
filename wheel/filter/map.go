package filter

import "errors"

// MapFilter turns the records of another filter into others, both ways.
//
// Get and Put may be replaced between two calls of its methods (F45). They
// return what a record becomes: one record, several or none (F46); their error
// refuses it. The lists that they return are read, never written to.
type MapFilter[In, Out, In2, Out2 any] struct {
	Get func(In) ([]In2, error)
	Put func(Out2) ([]Out, error)

	inner Filter[In, Out]
	got   []In2 // what is left of what a record became
	err   error // what made the stream unusable
}

var _ Filter[int, int] = (*MapFilter[string, string, int, int])(nil)

// Map returns a MapFilter around inner. Each makes its functions of those that
// always give one record, without error:
//
//	filter.Map(filter.Line(), filter.Each(strings.ToUpper), filter.Each(strings.TrimSpace))
//
// Map panics where one of its arguments is nil (F45).
func Map[In, Out, In2, Out2 any](inner Filter[In, Out], get func(In) ([]In2, error), put func(Out2) ([]Out, error)) *MapFilter[In, Out, In2, Out2] {
	switch {
	case inner == nil:
		panic("filter: Map: inner is nil; want a filter, such as filter.Line()")
	case get == nil || put == nil:
		panic("filter: Map: get or put is nil; want both, such as filter.Each(strings.TrimSpace)")
	}
	return &MapFilter[In, Out, In2, Out2]{Get: get, Put: put, inner: inner}
}

// Each makes a function for Map of one that turns each record into one other.
func Each[A, B any](f func(A) B) func(A) ([]B, error) {
	return func(rec A) ([]B, error) { return []B{f(rec)}, nil }
}

// Feed stores a copy of p in the inner filter.
func (f *MapFilter[In, Out, In2, Out2]) Feed(p []byte) { f.inner.Feed(p) }

// Next returns one record. One that became none does not delay those behind it
// (unlike F46). Errors are the inner filter's or Get's, as they are; one that
// matches ErrUnusable ends the stream.
func (f *MapFilter[In, Out, In2, Out2]) Next() (rec In2, ok bool, err error) {
	for len(f.got) == 0 {
		if f.err != nil {
			return rec, false, f.err
		}
		from, ok, err := f.inner.Next()
		if !ok {
			return rec, false, err
		}
		if f.got, err = f.Get(from); err != nil {
			f.got = nil
			if errors.Is(err, ErrUnusable) {
				f.err = err
			}
			return rec, false, err
		}
	}
	rec, f.got = f.got[0], f.got[1:]
	if len(f.got) == 0 {
		f.got = nil // an idle filter holds no records
	}
	return rec, true, nil
}

// Append appends what Put makes of rec, in the inner filter's form; nothing if
// that is no record. Errors are Put's or the inner filter's, as they are.
func (f *MapFilter[In, Out, In2, Out2]) Append(dst []byte, rec Out2) ([]byte, error) {
	recs, err := f.Put(rec)
	if err != nil {
		return dst, err
	}
	out := dst
	for _, r := range recs {
		if out, err = f.inner.Append(out, r); err != nil {
			return dst, err
		}
	}
	return out, nil
}

// Pending returns the inner filter's. Of a record that became several it does
// not show those still to come: Collected has them.
func (f *MapFilter[In, Out, In2, Out2]) Pending() []byte { return f.inner.Pending() }

// Collected returns the records that Get has made and Next has still to give
// out, nil if there are none. Whoever hands the stream to another filter takes
// them here.
func (f *MapFilter[In, Out, In2, Out2]) Collected() []In2 {
	return append([]In2(nil), f.got...)
}
