package filter_test

import (
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/usher-go/usher/wheel/filter"
	"github.com/usher-go/usher/wheel/filter/wire"
)

// Here the generated types do by reflection what the filter does by hand, so
// that the two can be held against each other.

func toWire(t testing.TB, f filter.Frame) *wire.Frame {
	w := &wire.Frame{Name: f.Name, Id: f.ID, ReplyTo: f.ReplyTo, Cause: f.Cause, To: f.To, From: f.From}
	for _, v := range f.Args {
		w.Args = append(w.Args, toValue(t, v))
	}
	return w
}

func toValue(t testing.TB, v any) *wire.Value {
	switch v := v.(type) {
	case nil:
		return &wire.Value{Kind: &wire.Value_NilValue{NilValue: true}}
	case bool:
		return &wire.Value{Kind: &wire.Value_BoolValue{BoolValue: v}}
	case int:
		return &wire.Value{Kind: &wire.Value_IntValue{IntValue: int64(v)}}
	case int8:
		return &wire.Value{Kind: &wire.Value_Int8Value{Int8Value: int32(v)}}
	case int16:
		return &wire.Value{Kind: &wire.Value_Int16Value{Int16Value: int32(v)}}
	case int32:
		return &wire.Value{Kind: &wire.Value_Int32Value{Int32Value: v}}
	case int64:
		return &wire.Value{Kind: &wire.Value_Int64Value{Int64Value: v}}
	case uint:
		return &wire.Value{Kind: &wire.Value_UintValue{UintValue: uint64(v)}}
	case uint8:
		return &wire.Value{Kind: &wire.Value_Uint8Value{Uint8Value: uint32(v)}}
	case uint16:
		return &wire.Value{Kind: &wire.Value_Uint16Value{Uint16Value: uint32(v)}}
	case uint32:
		return &wire.Value{Kind: &wire.Value_Uint32Value{Uint32Value: v}}
	case uint64:
		return &wire.Value{Kind: &wire.Value_Uint64Value{Uint64Value: v}}
	case float32:
		return &wire.Value{Kind: &wire.Value_Float32Value{Float32Value: v}}
	case float64:
		return &wire.Value{Kind: &wire.Value_Float64Value{Float64Value: v}}
	case string:
		return &wire.Value{Kind: &wire.Value_StringValue{StringValue: []byte(v)}}
	case []byte:
		return &wire.Value{Kind: &wire.Value_BytesValue{BytesValue: v}}
	case time.Duration:
		return &wire.Value{Kind: &wire.Value_DurationValue{DurationValue: int64(v)}}
	case time.Time:
		_, zone := v.Zone()
		return &wire.Value{Kind: &wire.Value_TimeValue{TimeValue: &wire.Time{
			Seconds: v.Unix(), Nanos: uint32(v.Nanosecond()), Zone: int32(zone)}}}
	case []string:
		l := &wire.Strings{}
		for _, s := range v {
			l.Items = append(l.Items, []byte(s))
		}
		return &wire.Value{Kind: &wire.Value_StringsValue{StringsValue: l}}
	case []any:
		l := &wire.List{}
		for _, e := range v {
			l.Items = append(l.Items, toValue(t, e))
		}
		return &wire.Value{Kind: &wire.Value_ListValue{ListValue: l}}
	case map[string]any:
		m := &wire.Map{}
		for _, k := range slices.Sorted(maps.Keys(v)) {
			m.Entries = append(m.Entries, &wire.Entry{Key: []byte(k), Value: toValue(t, v[k])})
		}
		return &wire.Value{Kind: &wire.Value_MapValue{MapValue: m}}
	case proto.Message:
		data, err := proto.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return &wire.Value{Kind: &wire.Value_MessageValue{MessageValue: &wire.Message{
			Type: string(proto.MessageName(v)), Data: data}}}
	}
	t.Fatalf("no wire form for %T", v)
	return nil
}

// prefixed is msg as it stands in a stream.
func prefixed(t testing.TB, msg *wire.Frame) []byte {
	t.Helper()
	body, err := proto.Marshal(msg)
	if err != nil {
		t.Fatal(err)
	}
	return protowire.AppendBytes(nil, body)
}

// unprefixed parses one frame with the generated code.
func unprefixed(t testing.TB, b []byte) *wire.Frame {
	t.Helper()
	body, n := protowire.ConsumeBytes(b)
	if n != len(b) {
		t.Fatalf("%x is not one frame", b)
	}
	msg := new(wire.Frame)
	if err := proto.Unmarshal(body, msg); err != nil {
		t.Fatalf("%x: %v", b, err)
	}
	return msg
}

// sameFrame is DeepEqual, except that times are the same by their instant and
// offset, and messages by proto.Equal.
func sameFrame(a, b filter.Frame) bool {
	x, y := a.Args, b.Args
	a.Args, b.Args = nil, nil
	return reflect.DeepEqual(a, b) && len(x) == len(y) && (len(x) == 0 || sameValue(x, y))
}

func sameValue(a, b any) bool {
	switch a := a.(type) {
	case time.Time:
		b, ok := b.(time.Time)
		_, az := a.Zone()
		_, bz := b.Zone()
		return ok && a.Equal(b) && az == bz
	case proto.Message:
		b, ok := b.(proto.Message)
		return ok && proto.Equal(a, b)
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) || (a == nil) != (b == nil) {
			return false
		}
		for i := range a {
			if !sameValue(a[i], b[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) || (a == nil) != (b == nil) {
			return false
		}
		for k := range a {
			if v, ok := b[k]; !ok || !sameValue(a[k], v) {
				return false
			}
		}
		return true
	}
	return reflect.DeepEqual(a, b)
}
