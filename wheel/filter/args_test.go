package filter_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/usher-go/usher/wheel/filter"
)

var zone = time.FixedZone("somewhere", -(3*60+30)*60)

// One of each kind, and its edges.
var kinds = []any{
	nil, true, false,
	0, 1, -1, math.MaxInt, math.MinInt,
	int8(0), int8(math.MaxInt8), int8(math.MinInt8), int16(math.MaxInt16), int16(math.MinInt16),
	int32(math.MaxInt32), int32(math.MinInt32), int64(math.MaxInt64), int64(math.MinInt64),
	uint(0), uint(math.MaxUint), uint8(math.MaxUint8), uint16(math.MaxUint16), uint32(math.MaxUint32), uint64(math.MaxUint64),
	float32(0), float32(math.MaxFloat32), float32(math.Inf(-1)), 0.0, math.Pi, math.SmallestNonzeroFloat64, math.Inf(1),
	"", "text", "caf\u00e9", "not \xff UTF-8", "\x00", strings.Repeat("x", 127), strings.Repeat("x", 128), strings.Repeat("y", 20000),
	[]byte{}, []byte("\x00\xff"), make([]byte, 3000),
	time.Time{}, time.Unix(0, 0).UTC(), time.Unix(-1, 999999999).In(zone), time.Date(2024, 2, 29, 23, 59, 59, 1, time.UTC),
	time.Duration(0), -time.Hour, time.Duration(math.MaxInt64),
	[]string{}, []string{"", "a", "\xff"},
	[]any{}, []any{nil, 1, "x", []any{uint8(2), []any{}}, map[string]any{"k": 1.5}},
	map[string]any{}, map[string]any{"": nil, "a": []any{int8(1)}, "\xff": map[string]any{}, "long": strings.Repeat("z", 300)},
	timestamppb.New(time.Unix(1, 2)), &timestamppb.Timestamp{}, structpb.NewStringValue("inside"),
}

func TestEveryKindComesBackAsItWas(t *testing.T) {
	f := filter.Event()
	for i, v := range kinds {
		f, sent := f, filter.Frame{Name: "kind", Args: []any{v, v}, ID: uint64(i), ReplyTo: 1, Cause: math.MaxUint64, To: "x", From: "y"}
		t.Run(fmt.Sprintf("%T %d", v, i), func(t *testing.T) {
			wire, err := f.Append(nil, sent)
			if err != nil {
				t.Fatal(err)
			}
			if err := filter.CheckArgs(sent.Args); err != nil {
				t.Errorf("CheckArgs = %v, but Append accepts", err)
			}
			f.Feed(wire)
			got, ok, err := f.Next()
			if !ok || err != nil || !sameFrame(got, sent) {
				t.Errorf("Next = %#v, %v, %v; want %#v", got, ok, err, sent)
			}
		})
	}
}

// The bytes written by hand mean the same to the generated code, and the
// other way round.
func TestHandWrittenAndGeneratedCodeAgree(t *testing.T) {
	f := filter.Event()
	for _, v := range append(kinds, any(kinds)) {
		sent := filter.Frame{Name: "kind", Args: []any{v}, ID: 5, ReplyTo: 6, Cause: 7, To: "x", From: "y"}
		want := toWire(t, sent)
		wire, err := f.Append(nil, sent)
		if err != nil {
			t.Fatal(err)
		}
		read := unprefixed(t, wire)
		if !proto.Equal(read, want) {
			t.Errorf("%T: generated code reads %v; want %v", v, read, want)
		}
		f.Feed(prefixed(t, read)) // what generated code makes of it
		f.Feed(prefixed(t, want)) // and what it makes itself
		for range 2 {
			if got, ok, err := f.Next(); !ok || !sameFrame(got, sent) {
				t.Errorf("%T: Next = %#v, %v, %v; want %#v", v, got, ok, err, sent)
			}
		}
	}
}

func TestNaNKeepsItsBits(t *testing.T) {
	f := filter.Event()
	wire, err := f.Append(nil, filter.Frame{Args: []any{math.NaN(), float32(math.NaN())}})
	if err != nil {
		t.Fatal(err)
	}
	f.Feed(wire)
	got, _, _ := f.Next()
	if math.Float64bits(got.Args[0].(float64)) != math.Float64bits(math.NaN()) || got.Args[1].(float32) == got.Args[1].(float32) {
		t.Errorf("Args = %v", got.Args)
	}
}

func TestNilAndEmptyComeOutEmpty(t *testing.T) {
	f := filter.Event()
	wire, err := f.Append(nil, filter.Frame{Args: []any{[]byte(nil), []any(nil), map[string]any(nil), []string(nil)}})
	if err != nil {
		t.Fatal(err)
	}
	f.Feed(wire)
	got, _, err := f.Next()
	if want := []any{[]byte{}, []any{}, map[string]any{}, []string{}}; err != nil || !sameValue(got.Args, want) {
		t.Errorf("Args = %#v, %v; want %#v", got.Args, err, want)
	}
}

func TestTimeKeepsInstantAndOffsetOnly(t *testing.T) {
	now := time.Now() // with a monotonic reading
	f := filter.Event()
	wire, _ := f.Append(nil, filter.Frame{Args: []any{now, now.In(zone), now.UTC()}})
	f.Feed(wire)
	got, _, _ := f.Next()
	for i, want := range []time.Time{now, now.In(zone), now.UTC()} {
		if at := got.Args[i].(time.Time); !at.Equal(want) || at.Format(time.RFC3339Nano) != want.Format(time.RFC3339Nano) {
			t.Errorf("time %d = %v; want %v", i, at, want)
		}
	}
	if at := got.Args[2].(time.Time); at.Location() != time.UTC || at != now.UTC().Round(0) {
		t.Errorf("%v in %v; want UTC and no monotonic reading", at, at.Location())
	}
}

type celsius float64

func TestNotEncodableNamesIndexAndType(t *testing.T) {
	cycle := []any{nil}
	cycle[0] = cycle
	ring := map[string]any{}
	ring["self"] = []any{1, ring}
	for _, tt := range []struct {
		arg  any
		is   error
		text string
	}{
		{make(chan int), nil, "argument 1, a chan int, cannot be sent: send a basic type"},
		{celsius(3), nil, "argument 1, a filter_test.celsius,"},
		{struct{}{}, nil, "a struct {}"},
		{new(int), nil, "a *int"},
		{errors.New("x"), nil, "a *errors.errorString"},
		{complex(1, 1), nil, "a complex128"},
		{uintptr(1), nil, "a uintptr"},
		{[]int{1}, nil, "a []int"},
		{[]any{1, []any{2, func() {}}}, nil, "argument 1[1][1], a func()"},
		{map[string]any{"a": []any{make(chan bool)}}, nil, `argument 1["a"][0], a chan bool`},
		{cycle, filter.ErrTooDeep, "argument 1" + strings.Repeat("[0]", maxDepth) + ", a []interface {}, cannot be sent: nested too deep; flatten it"},
		{ring, filter.ErrTooDeep, `argument 1["self"][1]["self"]`},
		{time.Now().In(time.FixedZone("", 86401)), nil, "zone is more than a day from UTC; use In(time.UTC)"},
		{(*timestamppb.Timestamp)(nil), nil, "a *timestamppb.Timestamp, cannot be sent: it is a nil pointer"},
		{[]any{structpb.NewStringValue("\xff")}, nil, "argument 1[0], a *structpb.Value, cannot be sent: "},
		{&descriptorpb.UninterpretedOption_NamePart{}, nil, "required field"},
	} {
		args := []any{"fine", tt.arg, make(chan error)}
		got, appendErr := filter.Event().Append([]byte("kept"), filter.Frame{Args: args})
		if string(got) != "kept" {
			t.Errorf("%T: Append returned %q with its error", tt.arg, got)
		}
		checkErr := filter.CheckArgs(args)
		for _, err := range []error{appendErr, checkErr} {
			var arg *filter.ArgError
			if !errors.Is(err, filter.ErrNotEncodable) || !errors.As(err, &arg) || arg.Index != 1 {
				t.Errorf("%T: error = %v; want ErrNotEncodable for argument 1", tt.arg, err)
				continue
			}
			if !strings.Contains(err.Error(), tt.text) || tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("%T: error = %v; want %q", tt.arg, err, tt.text)
			}
		}
	}
}

func TestDepthLimitIsTheSameBothWays(t *testing.T) {
	nest := func(n int) any {
		var v any = "core"
		for i := range n {
			if v = []any{v}; i%2 == 1 {
				v = map[string]any{"k": v.([]any)[0]}
			}
		}
		return v
	}
	f := newEvent(t, filter.EventConfig{MaxDepth: 5})
	wider := filter.Event()
	for n := range 8 {
		sent := filter.Frame{Args: []any{nest(n)}}
		if _, err := f.Append(nil, sent); (err == nil) != (n <= 5) || err != nil && !errors.Is(err, filter.ErrTooDeep) {
			t.Errorf("writing %d levels: %v", n, err)
		}
		wire, err := wider.Append(nil, sent)
		if err != nil {
			t.Fatal(err)
		}
		f.Feed(wire)
		if got, ok, err := f.Next(); ok != (n <= 5) || ok && !sameFrame(got, sent) || !ok && !errors.Is(err, filter.ErrTooDeep) {
			t.Errorf("reading %d levels: %v, %v", n, got, err)
		}
	}
	if err := filter.CheckArgs([]any{nest(maxDepth)}); err != nil {
		t.Errorf("CheckArgs of %d levels: %v", maxDepth, err)
	}
}
