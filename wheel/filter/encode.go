package filter

import (
	"math"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// encoder writes one frame with protowire, without building the messages of
// package wire first: a frame then costs no allocation but the growth of dst.
type encoder struct {
	dst   []byte
	start int  // where the frame begins in dst, behind one byte of prefix
	max   int  // bytes a frame may have
	over  bool // a value was left out because it cannot fit
}

// CheckArgs returns the *ArgError with which a default Event filter's Append
// would refuse these arguments, or nil, so that a sender can hear of it at
// once. Limits of length are not looked at. It encodes and throws the bytes
// away: who can keep them calls Append instead.
func CheckArgs(args []any) error {
	e := encoder{max: math.MaxInt}
	for i, v := range args {
		e.dst = e.dst[:0]
		if err := e.value(frameArgs, v, defaultMaxDepth); err != nil {
			return indexed(err, i)
		}
	}
	return nil
}

func (e *encoder) frame(f Frame, depth int) error {
	if err := f.checkText(); err != nil {
		return err
	}
	e.dst = append(e.dst, 0)
	optional(e, frameName, f.Name)
	for i, v := range f.Args {
		if err := e.value(frameArgs, v, depth); err != nil {
			return indexed(err, i)
		}
	}
	e.number(frameID, f.ID)
	e.number(frameReplyTo, f.ReplyTo)
	e.number(frameCause, f.Cause)
	optional(e, frameTo, f.To)
	optional(e, frameFrom, f.From)
	if err := e.fits(); err != nil {
		return err
	}
	e.close(e.start)
	return nil
}

// value writes v as one Value under t. depth is how many more lists and maps
// may be entered.
func (e *encoder) value(t tag, v any, depth int) error {
	at := e.open(t)
	switch v := v.(type) {
	case nil:
		e.varint(valueNil, 1)
	case bool:
		e.varint(valueBool, protowire.EncodeBool(v))
	case int:
		e.varint(valueInt, zigzag(int64(v)))
	case int8:
		e.varint(valueInt8, zigzag(int64(v)))
	case int16:
		e.varint(valueInt16, zigzag(int64(v)))
	case int32:
		e.varint(valueInt32, zigzag(int64(v)))
	case int64:
		e.varint(valueInt64, zigzag(v))
	case uint:
		e.varint(valueUint, uint64(v))
	case uint8:
		e.varint(valueUint8, uint64(v))
	case uint16:
		e.varint(valueUint16, uint64(v))
	case uint32:
		e.varint(valueUint32, uint64(v))
	case uint64:
		e.varint(valueUint64, v)
	case float32:
		e.tag(valueFloat32)
		e.dst = protowire.AppendFixed32(e.dst, math.Float32bits(v))
	case float64:
		e.tag(valueFloat64)
		e.dst = protowire.AppendFixed64(e.dst, math.Float64bits(v))
	case string:
		chunk(e, valueString, v)
	case []byte:
		chunk(e, valueBytes, v)
	case time.Duration:
		e.varint(valueDuration, zigzag(int64(v)))
	case time.Time:
		if err := e.time(v); err != nil {
			return err
		}
	case []string:
		e.strings(v)
	case []any:
		if err := e.list(v, depth); err != nil {
			return err
		}
	case map[string]any:
		if err := e.mapping(v, depth); err != nil {
			return err
		}
	case proto.Message:
		if err := e.message(v); err != nil {
			return err
		}
	default:
		return notEncodable(v, nil)
	}
	e.close(at)
	return e.fits()
}
