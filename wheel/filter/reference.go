package filter

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
)

// ReferenceOf reads and writes records of type T as POE::Filter::Reference does:
// a decimal length, a NUL, and as many bytes that a Serializer, and perhaps
// zlib, made of one value (F28).
type ReferenceOf[T any] struct {
	c   ReferenceConfig
	in  input
	err error // what made the stream unusable
}

// ReferenceFilter takes and gives whatever its Serializer does.
type ReferenceFilter = ReferenceOf[any]

var _ Filter[any, any] = (*ReferenceFilter)(nil)

// Reference returns a ReferenceFilter with the defaults of ReferenceConfig.
func Reference() Filter[any, any] {
	f, err := NewReference(ReferenceConfig{})
	if err != nil {
		panic(err) // a bug in this package: the defaults contradict each other
	}
	return f
}

// NewReference returns a ReferenceFilter, or an error that matches ErrConfig.
func NewReference(c ReferenceConfig) (*ReferenceFilter, error) { return NewReferenceOf[any](c) }

// NewReferenceOf returns a filter for records of one type, or an error that
// matches ErrConfig. A value of any other type that comes out of the Serializer
// is refused, so T is what it makes: map[string]any or []any with [Storable],
// T with [JSONOf], *pb.Request with [Protobuf].
func NewReferenceOf[T any](c ReferenceConfig) (*ReferenceOf[T], error) {
	if err := c.fill(); err != nil {
		return nil, err
	}
	return &ReferenceOf[T]{c: c, in: input{field: "ReferenceConfig.MaxBuffer", max: c.MaxBuffer}}, nil
}

// Feed stores a copy of p; nothing once the stream is unusable.
func (f *ReferenceOf[T]) Feed(p []byte) {
	if f.err == nil {
		f.in.feed(p)
	}
}

// Next returns one record. A *RecordError refuses one that cannot be read, a
// *LimitError one that inflates beyond MaxLength; parsing goes on behind it.
// Anything but a length in front of a record (F33: POE waits for ever), a record
// over MaxLength (known from its prefix; nothing is allocated for it) and input
// over MaxBuffer match ErrUnusable and are returned by every later call.
func (f *ReferenceOf[T]) Next() (T, bool, error) {
	var none T
	if f.err != nil {
		return none, false, f.err
	}
	p := f.in.bytes()
	size, n, err := lengthNUL.prefix(p)
	switch {
	case err != nil:
		f.err = err
	case n > 0 && size > uint64(f.c.maxWire()):
		f.err = f.tooLong(size, true)
	case n > 0 && uint64(len(p)-n) >= size:
		rec, err := f.record(p[n : n+int(size)])
		f.in.skip(n + int(size))
		return rec, err == nil, err
	case f.in.over:
		f.err = f.in.overflow()
	}
	return none, false, f.err
}

// record reads what stands behind a length prefix.
func (f *ReferenceOf[T]) record(p []byte) (rec T, err error) {
	size := len(p)
	if f.c.Compression {
		lent := storage.Get().(*[]byte)
		p, err = inflate((*lent)[:0], p, f.c.MaxLength)
		defer func() {
			if cap(p) <= keepStorage {
				*lent = p
				storage.Put(lent)
			}
		}()
	}
	if errors.Is(err, errInflated) {
		return rec, f.tooLong(0, false)
	}
	var v any
	if err == nil {
		v, err = f.c.Serializer.Unmarshal(p)
	}
	if err == nil {
		rec, err = as[T](v)
	}
	if err != nil {
		err = &RecordError{Serializer: f.c.Serializer.Name(), Size: size, Err: err}
	}
	return rec, err
}

// as: nil is a value of an interface type, though no assertion says so.
func as[T any](v any) (T, error) {
	rec, ok := v.(T)
	if t := reflect.TypeFor[T](); !ok && (v != nil || t.Kind() != reflect.Interface) {
		return rec, fmt.Errorf("it is a %T; have the peer send a %v", v, t)
	}
	return rec, nil
}

// Append appends rec to dst. Errors: ErrNotEncodable if the Serializer refuses
// it, *LimitError for a record over MaxLength.
func (f *ReferenceOf[T]) Append(dst []byte, rec T) ([]byte, error) {
	from := len(dst)
	out, err := f.c.Serializer.Append(dst, rec)
	if err != nil {
		return dst, fmt.Errorf("filter: record %w as %s: %w", ErrNotEncodable, f.c.Serializer.Name(), err)
	}
	if n := len(out) - from; n > f.c.MaxLength {
		return dst, f.tooLong(uint64(n), false)
	}
	if f.c.Compression {
		if out, err = deflate(out, from); err != nil {
			return dst, fmt.Errorf("filter: record %w: zlib: %w", ErrNotEncodable, err)
		}
	}
	var prefix [lengthNULSize]byte
	return slices.Insert(out, from, lengthNUL.Append(prefix[:0], len(out)-from)...), nil
}

// Pending returns a copy of the unparsed input.
func (f *ReferenceOf[T]) Pending() []byte { return f.in.pending() }

func (f *ReferenceOf[T]) tooLong(size uint64, fatal bool) error {
	return &LimitError{
		What: "record", Field: "ReferenceConfig.MaxLength", Limit: f.c.MaxLength, Size: size, fatal: fatal,
		remedy: "raise it at both ends, or send smaller records",
	}
}
