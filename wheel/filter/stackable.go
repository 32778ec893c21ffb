package filter

import (
	"fmt"
	"slices"
)

// Stackable is a stack of filters from bytes to bytes, which may change while it
// is used. Input passes the first layer first, output the last one first (F48).
// Without layers it hands bytes through, like Stream (F50). Its zero value works.
//
// Where a layer ends and the next begins, boundaries of records carry no meaning:
// layers decrypt, unpack, unwrap. Stack puts a filter with records on top of it.
type Stackable struct {
	layers []Filter[[]byte, []byte]
	out    StreamFilter // what has passed all layers
	err    error        // what made the stream unusable
}

var _ Filter[[]byte, []byte] = (*Stackable)(nil)

// NewStackable returns a Stackable of these layers, the one that input passes
// first in front. It panics where one is nil.
func NewStackable(layers ...Filter[[]byte, []byte]) *Stackable {
	s := new(Stackable)
	s.Push(layers...)
	return s
}

// Feed stores a copy of p in the first layer; nothing once the stream is
// unusable.
func (s *Stackable) Feed(p []byte) {
	switch {
	case s.err != nil:
	case len(s.layers) == 0:
		s.out.Feed(p)
	default:
		s.layers[0].Feed(p)
	}
}

// Next returns a record of the last layer, having moved through the layers below
// as much as that takes and no more (F48). Errors are those of the layers. One of
// a layer below the last matches ErrUnusable, whatever it was: what the layers
// above read has a gap then.
func (s *Stackable) Next() ([]byte, bool, error) {
	if s.err != nil {
		return nil, false, s.err
	}
	if rec, ok, _ := s.out.Next(); ok {
		return rec, true, nil
	}
	rec, ok, err := s.pull(len(s.layers) - 1)
	keep(&s.err, err)
	return rec, ok, err
}

func (s *Stackable) pull(i int) ([]byte, bool, error) {
	if i < 0 {
		return nil, false, nil
	}
	return through(s.layers[i], func() ([]byte, bool, error) { return s.pull(i - 1) })
}

// Append sends rec down through all layers, the last one first. A layer that
// writes nothing ends that: those below it are not asked. Errors are those of
// the layers.
func (s *Stackable) Append(dst, rec []byte) ([]byte, error) {
	for i := len(s.layers) - 1; i > 0; i-- {
		var err error
		if rec, err = s.layers[i].Append(nil, rec); err != nil || len(rec) == 0 {
			return dst, err
		}
	}
	if len(s.layers) == 0 {
		return append(dst, rec...), nil
	}
	return s.layers[0].Append(dst, rec)
}

// Pending returns what all layers hold, as it stood on the wire below the first:
// what a layer had unwrapped and those above have not parsed is wrapped again, by
// its Append (F50: POE shows the last layer's only). It is what was read where
// the layers have one form in both directions and keep no state between records.
// Otherwise change the layers one by one, with Shift and Pop, which need no
// wrapping.
func (s *Stackable) Pending() []byte {
	p := s.out.Pending()
	for _, f := range slices.Backward(s.layers) {
		p = unread(f, p)
	}
	return p
}

// Filters returns the layers, the first one first (F50).
func (s *Stackable) Filters() []Filter[[]byte, []byte] { return slices.Clone(s.layers) }

// Push adds layers behind the last. What has passed that one and was not taken
// with Next goes through them. Push panics where one is nil (F49).
func (s *Stackable) Push(layers ...Filter[[]byte, []byte]) {
	checkLayers("Push", layers)
	if len(layers) == 0 {
		return
	}
	if p, ok, _ := s.out.Next(); ok {
		layers[0].Feed(p)
	}
	s.layers = slices.Concat(s.layers, layers)
}

// Unshift adds layers before the first. What was fed before goes on from where
// it is, without them. Unshift panics where one is nil (F49).
func (s *Stackable) Unshift(layers ...Filter[[]byte, []byte]) {
	checkLayers("Unshift", layers)
	if len(s.layers) == 0 {
		s.Push(layers...)
		return
	}
	s.layers = slices.Concat(layers, s.layers)
}

// Pop takes the last layer out and returns it; nil if there is none. The bytes
// that it had not parsed come out with Next (F49: POE loses them). It still
// shows them with Pending: use it for another stream only if there are none.
func (s *Stackable) Pop() Filter[[]byte, []byte] {
	if len(s.layers) == 0 {
		return nil
	}
	last := len(s.layers) - 1
	f := s.layers[last]
	s.layers = slices.Clone(s.layers[:last])
	s.out.Feed(f.Pending())
	return f
}

// Shift takes the first layer out and returns it; nil if there is none. The
// bytes that it had not parsed go to the next layer as they are, or come out
// with Next (F49: POE loses them). It still shows them with Pending: use it for
// another stream only if there are none.
func (s *Stackable) Shift() Filter[[]byte, []byte] {
	if len(s.layers) == 0 {
		return nil
	}
	f := s.layers[0]
	s.layers = slices.Clone(s.layers[1:])
	s.Feed(f.Pending())
	return f
}

func checkLayers(method string, layers []Filter[[]byte, []byte]) {
	for i, f := range layers {
		if f == nil {
			panic(fmt.Sprintf("filter: Stackable.%s: layer %d is nil; want a filter, such as filter.Block()", method, i))
		}
	}
}
