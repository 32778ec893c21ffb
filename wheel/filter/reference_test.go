package filter_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/usher-go/usher/wheel/filter"
	"github.com/usher-go/usher/wheel/filter/filtertest"
	"github.com/usher-go/usher/wheel/filter/storable"
)

func newReference(t testing.TB, c filter.ReferenceConfig) *filter.ReferenceFilter {
	t.Helper()
	f, err := filter.NewReference(c)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func referenceWire(t testing.TB, c filter.ReferenceConfig, records ...any) (wire []byte) {
	t.Helper()
	f := newReference(t, c)
	for _, rec := range records {
		var err error
		if wire, err = f.Append(wire, rec); err != nil {
			t.Fatal(err)
		}
	}
	return wire
}

// textSerializer is a Serializer of the test's own.
type textSerializer struct{}

func (textSerializer) Name() string { return "text" }

func (textSerializer) Append(dst []byte, v any) ([]byte, error) {
	s, ok := v.(string)
	if !ok {
		return dst, fmt.Errorf("a %T is no text", v)
	}
	return append(dst, s...), nil
}

func (textSerializer) Unmarshal(p []byte) (any, error) {
	if string(p) == "bad" {
		return nil, errors.New("it is bad")
	}
	return string(p), nil
}

func same[T any](a, b T) bool {
	if m, ok := any(a).(proto.Message); ok {
		n, ok := any(b).(proto.Message)
		return ok && proto.Equal(m, n)
	}
	return reflect.DeepEqual(a, b)
}

func TestF2_F3_F4_F5_ReferenceConformance(t *testing.T) {
	for name, tt := range map[string]struct {
		serializer filter.Serializer
		records    []any
	}{
		"storable": {nil, []any{
			map[string]any{"k": int64(1), "é": []any{nil, "text", []byte{0xff}}}, storable.Blessed{Class: "Foo", Value: []any{}}, "scalar", nil,
		}},
		"json":     {filter.JSON(), []any{map[string]any{"k": 1.5}, []any{nil, true}, "", nil}},
		"protobuf": {filter.Protobuf((*timestamppb.Timestamp)(nil)), []any{&timestamppb.Timestamp{Seconds: 7}, &timestamppb.Timestamp{}}},
		"text":     {textSerializer{}, []any{"one", "", "\x00", "12\x00"}},
	} {
		for _, compression := range []bool{false, true} {
			c := filter.ReferenceConfig{Serializer: tt.serializer, Compression: compression}
			t.Run(fmt.Sprintf("%s compression=%v", name, compression), func(t *testing.T) {
				filtertest.Run(t, filtertest.Case[any, any]{
					New:     func() filter.Filter[any, any] { return newReference(t, c) },
					Wire:    referenceWire(t, c, tt.records...),
					Records: tt.records,
					Equal:   same[any],
					Tail:    []byte("12\x00x"),
				})
			})
		}
	}
}

func TestF28_WireForm(t *testing.T) {
	const want = "> 14\x00\x05\x0b\x03\x00\x00\x00\x01\x08\x81\x00\x00\x00\x01k" // nfreeze {k => 1}
	got, err := filter.Reference().Append([]byte("> "), map[string]int{"k": 1})
	if err != nil || string(got) != want {
		t.Errorf("Append = %q, %v; want %q", got, err, want)
	}
	f := newReference(t, filter.ReferenceConfig{Serializer: textSerializer{}})
	f.Feed([]byte("0\x00" + "3\x00one" + "003\x00two"))
	wantOutcome(t, outcome(f, func(v any) string { return quoted(v.(string)) }), quoted(""), quoted("one"), quoted("two"))
}

func TestF29_SerializerIsCheckedAndNamed(t *testing.T) {
	for _, tt := range []struct {
		s    filter.Serializer
		want string
	}{
		{filter.Storable(storable.Config{MaxDepth: -1}), "Config.MaxDepth is -1"},
		{filter.Protobuf(nil), "give it a nil pointer"},
	} {
		f, err := filter.NewReference(filter.ReferenceConfig{Serializer: tt.s})
		if f != nil || !errors.Is(err, filter.ErrConfig) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("NewReference = %v, %v; want ErrConfig and %q", f, err, tt.want)
		}
	}
	for _, tt := range []struct {
		s    filter.Serializer
		v    any
		want string
	}{
		{nil, []any{make(chan int)}, "filter: record cannot be sent as storable: storable: value[0], a chan int, cannot be frozen"},
		{filter.JSON(), make(chan int), "as json: json: unsupported type: chan int"},
		{filter.Protobuf((*timestamppb.Timestamp)(nil)), 5, "as protobuf: it is a int, no message; send a google.protobuf.Timestamp"},
		{filter.Protobuf((*timestamppb.Timestamp)(nil)), &durationpb.Duration{}, "it is a google.protobuf.Duration; send a google.protobuf.Timestamp"},
		{filter.Protobuf((*timestamppb.Timestamp)(nil)), (*timestamppb.Timestamp)(nil), "it is a nil pointer"},
		{textSerializer{}, 5, "as text: a int is no text"},
	} {
		for _, compression := range []bool{false, true} {
			f := newReference(t, filter.ReferenceConfig{Serializer: tt.s, Compression: compression})
			got, err := f.Append([]byte("kept"), tt.v)
			if string(got) != "kept" || !errors.Is(err, filter.ErrNotEncodable) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Append = %q, %v; want ErrNotEncodable and %q", got, err, tt.want)
			}
		}
	}
}

func TestF30_PlainScalarsAreSentAsReferences(t *testing.T) {
	f := filter.Reference()
	got, err := f.Append(nil, "x")
	if err != nil || string(got) != "5\x00\x05\x0b\x0a\x01x" { // nfreeze \"x"
		t.Errorf("Append = %q, %v", got, err)
	}
	f.Feed(got)
	if rec, ok, err := f.Next(); rec != "x" || !ok {
		t.Errorf("Next = %#v, %v, %v; want the scalar itself", rec, ok, err)
	}
}

type refPoint struct {
	X, Y int
}

func TestReferenceRecordsOfOneType(t *testing.T) {
	points, err := filter.NewReferenceOf[*refPoint](filter.ReferenceConfig{Serializer: filter.JSONOf[*refPoint]()})
	if err != nil {
		t.Fatal(err)
	}
	wire, err := points.Append(nil, &refPoint{1, 2})
	if err != nil || string(wire) != "13\x00{\"X\":1,\"Y\":2}" {
		t.Errorf("Append = %q, %v", wire, err)
	}
	points.Feed(wire)
	if rec, ok, err := points.Next(); !ok || *rec != (refPoint{1, 2}) {
		t.Errorf("Next = %v, %v, %v", rec, ok, err)
	}

	hashes, err := filter.NewReferenceOf[map[string]any](filter.ReferenceConfig{})
	if err != nil {
		t.Fatal(err)
	}
	hashes.Feed(referenceWire(t, filter.ReferenceConfig{}, []any{}, nil, map[string]any{"k": "v"}))
	for _, want := range []string{"it is a []interface {}; have the peer send a map[string]interface {}", "it is a <nil>; have"} {
		var refused *filter.RecordError
		if _, ok, err := hashes.Next(); ok || !errors.As(err, &refused) || !strings.Contains(err.Error(), want) {
			t.Errorf("Next = %v, %v; want %q", ok, err, want)
		}
	}
	if rec, ok, err := hashes.Next(); !ok || rec["k"] != "v" {
		t.Errorf("Next = %v, %v, %v; want the hash behind", rec, ok, err)
	}
}
