package filter_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/usher-go/usher/wheel/filter"
	"github.com/usher-go/usher/wheel/filter/wire"
)

const maxDepth = 64 // the default of EventConfig.MaxDepth

// frame is the wire form of a frame made of raw fields.
func frame(fields ...[]byte) []byte {
	return protowire.AppendBytes(nil, bytes.Join(fields, nil))
}

func rawField(num protowire.Number, b []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, num, protowire.BytesType), b)
}

func rawNumber(num protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(nil, num, protowire.VarintType), v)
}

func TestEventBadFrameIsSkippedAndNamed(t *testing.T) {
	unknown := rawField(13, append(rawField(1, []byte("no.such.Type")), rawField(2, []byte{8, 1})...))
	broken := rawField(13, append(rawField(1, []byte("google.protobuf.Duration")), rawField(2, []byte{8})...))
	deep := rawField(9, nil)
	for range maxDepth {
		deep = rawField(9, rawField(1, deep))
	}
	for name, tt := range map[string]struct {
		arg  []byte // a Value
		is   error
		text string
	}{
		"unknown type":    {unknown, filter.ErrUnknownType, `"no.such.Type"; import the package that registers it`},
		"enum as type":    {rawField(13, rawField(1, []byte("google.protobuf.NullValue"))), filter.ErrUnknownType, "NullValue"},
		"broken message":  {broken, filter.ErrMalformed, "message google.protobuf.Duration"},
		"no kind":         {nil, filter.ErrMalformed, "exactly one known kind"},
		"kind of later":   {rawNumber(99, 1), filter.ErrMalformed, "exactly one known kind"},
		"kind as another": {rawField(2, []byte("bool")), filter.ErrMalformed, "exactly one known kind"},
		"two kinds":       {append(rawNumber(1, 1), rawNumber(2, 1)...), filter.ErrMalformed, "exactly one known kind"},
		"int8 too wide":   {rawNumber(16, protowire.EncodeZigZag(128)), filter.ErrMalformed, "128 does not fit int8"},
		"uint16 too wide": {rawNumber(20, 1<<16), filter.ErrMalformed, "65536 does not fit uint16"},
		"nanos":           {rawField(11, rawNumber(2, 1e9)), filter.ErrMalformed, "1000000000 nanoseconds"},
		"zone":            {rawField(11, rawNumber(3, protowire.EncodeZigZag(-86401))), filter.ErrMalformed, "-86401 seconds from UTC"},
		"too deep":        {deep, filter.ErrTooDeep, "nested too deep"},
		"cut short":       {[]byte{2<<3 | 2, 5, 'x'}, filter.ErrMalformed, "field 2"},
		"field number 0":  {[]byte{0, 0}, filter.ErrMalformed, "field number 0"},
	} {
		t.Run(name, func(t *testing.T) {
			f := filter.Event()
			f.Feed(frame(
				rawField(1, []byte("query")), rawField(2, rawNumber(2, 1)), rawField(2, tt.arg), rawField(2, tt.arg),
				rawNumber(3, 77), rawField(6, []byte("db")), rawField(7, []byte("#3")),
			))
			f.Feed(prefixed(t, &wire.Frame{Name: "next"}))
			_, ok, err := f.Next()
			var bad *filter.FrameError
			if ok || !errors.As(err, &bad) || errors.Is(err, filter.ErrUnusable) {
				t.Fatalf("Next = %v, %v; want a FrameError and a usable stream", ok, err)
			}
			if !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.text) || !strings.Contains(err.Error(), "argument 1: ") {
				t.Errorf("error = %v; want %v, argument 1 and %q", err, tt.is, tt.text)
			}
			want := filter.Frame{Name: "query", ID: 77, To: "db", From: "#3"}
			if !sameFrame(bad.Frame, want) {
				t.Errorf("FrameError.Frame = %+v; want %+v, to answer in the negative", bad.Frame, want)
			}
			if rec, ok, err := f.Next(); !ok || rec.Name != "next" {
				t.Errorf("Next = %v, %v, %v; want the frame behind", rec, ok, err)
			}
		})
	}
}

func TestEventHeaderMustBeUTF8(t *testing.T) {
	for num, field := range map[protowire.Number]string{1: "Name", 6: "To", 7: "From"} {
		f := filter.Event()
		f.Feed(frame(rawField(num, []byte("\xff"))))
		if _, ok, err := f.Next(); ok || !errors.Is(err, filter.ErrMalformed) {
			t.Errorf("%s read: %v, %v; want ErrMalformed", field, ok, err)
		}
		bad := map[string]filter.Frame{"Name": {Name: "\xff"}, "To": {To: "\xff"}, "From": {From: "\xff"}}[field]
		dst := []byte("kept")
		got, err := f.Append(dst, bad)
		if string(got) != "kept" || !errors.Is(err, filter.ErrNotEncodable) || !strings.Contains(err.Error(), "Frame."+field) {
			t.Errorf("%s written: %q, %v; want ErrNotEncodable and the field", field, got, err)
		}
	}
}

func TestEventUnknownFieldsAreSkipped(t *testing.T) {
	group := []byte{50<<3&0x7f | 0x80 | 3, 50 >> 4, 50<<3&0x7f | 0x80 | 4, 50 >> 4}
	f := filter.Event()
	f.Feed(frame(rawField(40, []byte("later")), rawField(1, []byte("name")), rawNumber(41, 5), group,
		protowire.AppendFixed32(protowire.AppendTag(nil, 42, protowire.Fixed32Type), 1)))
	wantOutcome(t, outcome(f, named), "name")
}

func TestEventTypesCanBeAnAllowList(t *testing.T) {
	f := newEvent(t, filter.EventConfig{Types: new(protoregistry.Types)})
	wire, err := f.Append(nil, filter.Frame{Name: "x", Args: []any{durationpb.New(1)}})
	if err != nil {
		t.Fatal(err)
	}
	f.Feed(wire)
	if _, ok, err := f.Next(); ok || !errors.Is(err, filter.ErrUnknownType) {
		t.Errorf("Next = %v, %v; want ErrUnknownType", ok, err)
	}
}

func TestEventErrorTextIsBounded(t *testing.T) {
	f := filter.Event()
	long := bytes.Repeat([]byte("n"), 1<<20)
	f.Feed(frame(rawField(1, long), rawField(2, rawField(13, rawField(1, long)))))
	_, _, err := f.Next()
	if n := len(fmt.Sprint(err)); err == nil || n > 500 {
		t.Errorf("error text of %d bytes; a peer must not choose its length", n)
	}
}
