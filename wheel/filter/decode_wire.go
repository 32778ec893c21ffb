package filter

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// field is one field of a protobuf message.
type field struct {
	tag tag
	num uint64 // of a varint, fixed32 or fixed64
	raw []byte // of a length-delimited one; part of the input
}

// nextField splits off the first field of b, which is not empty.
func nextField(b []byte) (f field, rest []byte, err error) {
	t, n := protowire.ConsumeVarint(b)
	if n < 0 {
		return f, nil, malformed(protowire.ParseError(n))
	}
	b = b[n:]
	num, typ := protowire.DecodeTag(t)
	if !num.IsValid() {
		return f, nil, malformed(fmt.Errorf("field number %d", t>>3))
	}
	f.tag = tag(t)
	switch typ {
	case protowire.VarintType:
		f.num, n = protowire.ConsumeVarint(b)
	case protowire.BytesType:
		f.raw, n = protowire.ConsumeBytes(b)
	case protowire.Fixed64Type:
		f.num, n = protowire.ConsumeFixed64(b)
	case protowire.Fixed32Type:
		var v uint32
		v, n = protowire.ConsumeFixed32(b)
		f.num = uint64(v)
	default: // groups, which only unknown fields use
		n = protowire.ConsumeFieldValue(num, typ, b)
	}
	if n < 0 {
		return f, nil, malformed(fmt.Errorf("field %d: %w", num, protowire.ParseError(n)))
	}
	return f, b[n:], nil
}

// fields calls use with each field of b until that fails.
func fields(b []byte, use func(field) error) error {
	for len(b) > 0 {
		f, rest, err := nextField(b)
		if err != nil {
			return err
		}
		if err := use(f); err != nil {
			return err
		}
		b = rest
	}
	return nil
}

func malformed(why error) error {
	return fmt.Errorf("%w: %w; both ends must speak usher.wire.v1", ErrMalformed, why)
}
