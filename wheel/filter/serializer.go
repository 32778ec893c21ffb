package filter

import (
	"encoding/json"

	"github.com/usher-go/usher/wheel/filter/storable"
)

// Serializer turns one value into bytes and back (F29), for [NewReference]. It
// keeps no state from one value to the next and serves any number of filters
// and goroutines at a time. If it also has a method Check() error, NewReference
// calls it and returns its error.
type Serializer interface {
	// Name is what errors call it, such as "storable".
	Name() string

	// Append appends the bytes for v to dst. If it fails, what it returns is
	// ignored, and dst is to be as it was.
	Append(dst []byte, v any) ([]byte, error)

	// Unmarshal returns the value in p, or says why p is none. The value shares
	// no memory with p.
	Unmarshal(p []byte) (any, error)
}

var (
	_ Serializer = storableSerializer{}
	_ Serializer = jsonSerializer[any]{}
)

// Storable is the default of POE and of [ReferenceConfig]: Perl's Storable in
// network order. Package storable says what becomes of what. A value that Perl
// has no reference to, such as a string or nil, is sent as a reference to it
// and comes out as itself (unlike F30, where it dies).
func Storable(c storable.Config) Serializer { return storableSerializer{c} }

type storableSerializer struct{ storable.Config }

func (storableSerializer) Name() string { return "storable" }

// JSON reads any JSON value into the types of encoding/json (float64 for every
// number) and writes whatever encoding/json does.
func JSON() Serializer { return jsonSerializer[any]{} }

// JSONOf is JSON for records of one type T, usually a struct or a pointer to
// one, together with [NewReferenceOf].
func JSONOf[T any]() Serializer { return jsonSerializer[T]{} }

type jsonSerializer[T any] struct{}

func (jsonSerializer[T]) Name() string { return "json" }

func (jsonSerializer[T]) Append(dst []byte, v any) ([]byte, error) {
	p, err := json.Marshal(v)
	return append(dst, p...), err
}

func (jsonSerializer[T]) Unmarshal(p []byte) (any, error) {
	var v T
	err := json.Unmarshal(p, &v)
	return v, err
}
