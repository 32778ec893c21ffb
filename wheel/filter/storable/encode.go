package storable

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"unicode/utf8"
)

// encoder writes one value. scalar writes a variable that holds a value,
// referent the variable that a value is a reference to; compare decoder.
type encoder struct {
	dst     []byte
	depth   int // references that may still be entered
	tags    uint32
	places  map[place]uint32 // tags of the variables that may be met again
	classes map[string]int
}

func (e *encoder) root(v any) error {
	if isReference(v) {
		return e.referent(v)
	}
	return e.scalar(v)
}

func (e *encoder) mark(m mark) { e.dst = append(e.dst, byte(m)) }

// variable begins a variable: each has a tag, whether it is ever used or not.
func (e *encoder) variable(m mark) {
	e.mark(m)
	e.tags++
}

func (e *encoder) uint32(n uint32) { e.dst = binary.BigEndian.AppendUint32(e.dst, n) }

// The most that Storable takes without its marks for more than 2 GiB.
const maxLength = math.MaxInt32

var errTooLong = fmt.Errorf("%w, over 2 GiB or elements; send it in parts", ErrTooLong)

// scalar writes a scalar that holds v.
func (e *encoder) scalar(v any) error {
	switch v := v.(type) {
	case nil:
		e.variable(markUndef)
		return nil
	case string:
		return e.text(v)
	case []byte:
		return e.bytes(v)
	case int64:
		e.int(v)
		return nil
	case Blessed, []any, map[string]any, *any:
		return e.reference(v)
	}
	return e.kind(v)
}

// kind writes a scalar that holds a value of any other type.
func (e *encoder) kind(v any) error {
	switch rv := reflect.ValueOf(v); rv.Kind() {
	case reflect.Bool:
		return e.text(truth(rv.Bool()))
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		e.int(rv.Int())
		return nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if n := rv.Uint(); n > math.MaxInt64 {
			return e.text(strconv.FormatUint(n, 10))
		}
		e.int(int64(rv.Uint()))
		return nil
	case reflect.Float32, reflect.Float64:
		return e.text(number(rv.Float(), rv.Type().Bits()))
	case reflect.String:
		return e.text(rv.String())
	case reflect.Slice:
		if isBytes(rv.Type()) {
			return e.bytes(rv.Bytes())
		}
	case reflect.Pointer:
		if rv.IsNil() {
			e.variable(markUndef)
			return nil
		}
	case reflect.Array, reflect.Map, reflect.Struct:
	default:
		return notEncodable(v, errors.New("it has no form in Perl; leave it out"))
	}
	return e.reference(v)
}

func isBytes(t reflect.Type) bool {
	return t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8
}

// int writes what needs more than 32 bits as text, as Perl does.
func (e *encoder) int(n int64) {
	switch {
	case n >= math.MinInt8 && n <= math.MaxInt8:
		e.variable(markByte)
		e.dst = append(e.dst, byte(n+128))
	case n >= math.MinInt32 && n <= math.MaxInt32:
		e.variable(markNetint)
		e.uint32(uint32(n))
	default:
		var text [20]byte
		e.string(markScalar, markLScalar, string(strconv.AppendInt(text[:0], n, 10)))
	}
}

// text writes a string as UTF-8 where that makes a difference, and as plain
// bytes if it is not UTF-8.
func (e *encoder) text(s string) error {
	if len(s) > maxLength {
		return notEncodable(s, errTooLong)
	}
	if isASCII(s) || !utf8.ValidString(s) {
		e.string(markScalar, markLScalar, s)
	} else {
		e.string(markUTF8Str, markLUTF8Str, s)
	}
	return nil
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func (e *encoder) bytes(p []byte) error {
	if len(p) > maxLength {
		return notEncodable(p, errTooLong)
	}
	e.stringHead(markScalar, markLScalar, len(p))
	e.dst = append(e.dst, p...)
	return nil
}

func (e *encoder) string(short, long mark, s string) {
	e.stringHead(short, long, len(s))
	e.dst = append(e.dst, s...)
}

func (e *encoder) stringHead(short, long mark, n int) {
	if n <= math.MaxUint8 {
		e.variable(short)
		e.dst = append(e.dst, byte(n))
		return
	}
	e.variable(long)
	e.uint32(uint32(n))
}
