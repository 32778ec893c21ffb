package filter

import (
	"errors"
	"fmt"
	"math"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// decoder reads one frame. What it returns shares no memory with the input.
type decoder struct {
	types protoregistry.MessageTypeResolver
}

// frame goes on behind a bad argument, so that the error can say whose frame
// it was; then Args is nil.
func (d decoder) frame(b []byte, depth int) (Frame, error) {
	var frame Frame
	var args []any
	var bad error
	err := fields(b, func(f field) (err error) {
		switch f.tag {
		case frameName:
			frame.Name, err = text(f.raw)
		case frameTo:
			frame.To, err = text(f.raw)
		case frameFrom:
			frame.From, err = text(f.raw)
		case frameID:
			frame.ID = f.num
		case frameReplyTo:
			frame.ReplyTo = f.num
		case frameCause:
			frame.Cause = f.num
		case frameArgs:
			if bad != nil {
				break
			}
			var v any
			if v, bad = d.value(f.raw, depth); bad != nil {
				bad = fmt.Errorf("argument %d: %w", len(args), bad)
			}
			args = append(args, v)
		}
		return err
	})
	if err == nil {
		err = bad
	}
	if err == nil {
		frame.Args = args
	}
	return frame, err
}

// text: protobuf strings are UTF-8.
func text(raw []byte) (string, error) {
	if !utf8.Valid(raw) {
		return "", malformed(errors.New("a name or address is not UTF-8"))
	}
	return string(raw), nil
}

var errNotOneKind = errors.New("a value without exactly one known kind")

// value reads a Value. depth is how many more lists and maps may be entered.
func (d decoder) value(b []byte, depth int) (any, error) {
	if len(b) == 0 {
		return nil, malformed(errNotOneKind)
	}
	f, rest, err := nextField(b)
	if err != nil {
		return nil, err
	}
	if len(rest) > 0 {
		return nil, malformed(errNotOneKind)
	}
	switch f.tag {
	case valueNil:
		return nil, nil
	case valueBool:
		return protowire.DecodeBool(f.num), nil
	case valueInt:
		return signed[int](f.num)
	case valueInt8:
		return signed[int8](f.num)
	case valueInt16:
		return signed[int16](f.num)
	case valueInt32:
		return signed[int32](f.num)
	case valueInt64:
		return signed[int64](f.num)
	case valueUint:
		return unsigned[uint](f.num)
	case valueUint8:
		return unsigned[uint8](f.num)
	case valueUint16:
		return unsigned[uint16](f.num)
	case valueUint32:
		return unsigned[uint32](f.num)
	case valueUint64:
		return f.num, nil
	case valueFloat32:
		return math.Float32frombits(uint32(f.num)), nil
	case valueFloat64:
		return math.Float64frombits(f.num), nil
	case valueString:
		return string(f.raw), nil
	case valueBytes:
		return append([]byte{}, f.raw...), nil
	case valueDuration:
		return time.Duration(protowire.DecodeZigZag(f.num)), nil
	case valueTime:
		return readTime(f.raw)
	case valueStrings:
		return readStrings(f.raw)
	case valueList:
		return d.list(f.raw, depth)
	case valueMap:
		return d.mapping(f.raw, depth)
	case valueMessage:
		return d.message(f.raw)
	}
	return nil, malformed(errNotOneKind)
}

func signed[T int | int8 | int16 | int32 | int64](n uint64) (any, error) {
	v := protowire.DecodeZigZag(n)
	if int64(T(v)) != v {
		return nil, malformed(fmt.Errorf("%d does not fit %T", v, T(0)))
	}
	return T(v), nil
}

func unsigned[T uint | uint8 | uint16 | uint32](n uint64) (any, error) {
	if uint64(T(n)) != n {
		return nil, malformed(fmt.Errorf("%d does not fit %T", n, T(0)))
	}
	return T(n), nil
}
