package filter

// Stack returns a filter with the records of top, over layers that only turn
// bytes into bytes: input passes the layers below in the order given and then
// top, output goes the other way (F48).
//
//	filter.Stack(filter.Line(), decrypt, unpack)
//
// To change layers while it is used, put a Stackable of your own below. An error
// of a layer below top matches ErrUnusable, whatever it was: what top reads has a
// gap then. Pending writes what top holds back through the layers below, see
// Stackable. Stack panics where top or a layer is nil.
func Stack[In, Out any](top Filter[In, Out], below ...Filter[[]byte, []byte]) Filter[In, Out] {
	if top == nil {
		panic("filter: Stack: top is nil; want a filter, such as filter.Line()")
	}
	s := &stack[In, Out]{top: top}
	s.below.Push(below...)
	return s
}

type stack[In, Out any] struct {
	top   Filter[In, Out]
	below Stackable
	err   error // what made the stream unusable
}

func (s *stack[In, Out]) Feed(p []byte) {
	if s.err == nil {
		s.below.Feed(p)
	}
}

func (s *stack[In, Out]) Next() (rec In, ok bool, err error) {
	if s.err != nil {
		return rec, false, s.err
	}
	rec, ok, err = through(s.top, s.below.Next)
	keep(&s.err, err)
	return rec, ok, err
}

func (s *stack[In, Out]) Append(dst []byte, rec Out) ([]byte, error) {
	wire, err := s.top.Append(nil, rec)
	if err != nil || len(wire) == 0 {
		return dst, err
	}
	return s.below.Append(dst, wire)
}

func (s *stack[In, Out]) Pending() []byte { return unread(&s.below, s.top.Pending()) }
