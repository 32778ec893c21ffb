package backend

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel/filter"
	"github.com/usher-go/usher/wheel/filter/storable"
)

func aDialect(t testing.TB, s Serializer, client bool) dialect {
	t.Helper()
	d, err := newDialect(s, 1<<20, client)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// over sends a frame from one end to the other.
func over(t testing.TB, from, to dialect, f filter.Frame) filter.Frame {
	t.Helper()
	b, err := from.encode(f)
	if err != nil {
		t.Fatal(err)
	}
	in, err := to.filter()
	if err != nil {
		t.Fatal(err)
	}
	in.Feed(b)
	got, ok, err := in.Next()
	if !ok || err != nil || in.Pending() != nil {
		t.Fatalf("%+v came as %v, %v, and %q is left", f, ok, err, in.Pending())
	}
	return got
}

// TestB21_B22_Dialects sends what each can carry both ways.
func TestB21_B22_Dialects(t *testing.T) {
	for _, tc := range []struct {
		s         Serializer
		up, down  filter.Frame
		gotUp     filter.Frame // where it differs
		gotDown   filter.Frame
		different bool
	}{
		{s: Protobuf,
			up:   filter.Frame{Name: "double", Args: []any{21, "x", nil, time.Second}, ID: 7, To: "web"},
			down: filter.Frame{Name: evReply, Args: []any{42}, ReplyTo: 7, From: "db"}},
		{s: JSON, different: true,
			up:      filter.Frame{Name: "double", Args: []any{21, "x", nil}, ID: 7, To: "web"},
			gotUp:   filter.Frame{Name: "double", Args: []any{21.0, "x", nil}, ID: 7, To: "web"},
			down:    filter.Frame{Name: evReply, Args: []any{[]any{"é"}, map[string]any{"a": true}}, ReplyTo: 1<<63 + 1, From: "db"},
			gotDown: filter.Frame{Name: evReply, Args: []any{[]any{"é"}, map[string]any{"a": true}}, ReplyTo: 1<<63 + 1, From: "db"}},
		{s: Storable, different: true,
			up:      filter.Frame{Name: "double", Args: []any{21, "x", nil, 1500 * time.Millisecond}, ID: 7, To: "web"},
			gotUp:   filter.Frame{Name: "double", Args: []any{int64(21), "x", nil, "1.5"}, ID: 7, To: "web"},
			down:    filter.Frame{Name: "news", Args: []any{int64(42), "y"}, ReplyTo: 7, From: "db"},
			gotDown: filter.Frame{Name: "news", Args: []any{int64(42), "y"}, ReplyTo: 7, From: "db"}},
	} {
		if !tc.different {
			tc.gotUp, tc.gotDown = tc.up, tc.down
		}
		client, server := aDialect(t, tc.s, true), aDialect(t, tc.s, false)
		if got := over(t, client, server, tc.up); !reflect.DeepEqual(got, tc.gotUp) {
			t.Errorf("%s up:\n got %#v\nwant %#v", tc.s, got, tc.gotUp)
		}
		if got := over(t, server, client, tc.down); !reflect.DeepEqual(got, tc.gotDown) {
			t.Errorf("%s down:\n got %#v\nwant %#v", tc.s, got, tc.gotDown)
		}
		if _, err := client.encode(filter.Frame{Name: "x", Args: []any{make(chan int)}}); !errors.Is(err, kernel.ErrNotEncodable) {
			t.Errorf("%s: a channel: %v", tc.s, err)
		}
		if _, err := client.encode(filter.Frame{Name: "x", Args: []any{make([]byte, 2<<20)}}); !errors.Is(err, filter.ErrTooLong) {
			t.Errorf("%s: 2 MiB: %v", tc.s, err)
		}
	}
}

// TestB22_B29_B31_PerlMessages reads what the original's ends send.
func TestB22_B29_B31_PerlMessages(t *testing.T) {
	object := func(fields map[string]any) any { return storable.Blessed{Class: MessageClass, Value: fields} }
	for _, tc := range []struct {
		client bool
		rec    any
		want   filter.Frame
	}{
		{rec: object(map[string]any{"cmd": "register_service", "svc_name": "Web4711", "id": int64(1)}), want: filter.Frame{Name: cmdRegister, Args: []any{"Web4711"}, ID: 1}},
		{rec: object(map[string]any{"cmd": "ping", "time": int64(9)}), want: filter.Frame{Name: cmdPing, Args: []any{int64(9)}}},
		{rec: map[string]any{"cmd": "ping", "time": int64(9), "id": "x"}, want: filter.Frame{Name: cmdPing, Args: []any{int64(9)}}},
		{rec: object(map[string]any{"cmd": "double", "args": []any{int64(2)}, "id": int64(3)}), want: filter.Frame{Name: "double", Args: []any{int64(2)}, ID: 3}},
		{rec: object(map[string]any{"cmd": "double", "n": int64(2)}), want: filter.Frame{Name: "double", Args: []any{map[string]any{"cmd": "double", "n": int64(2)}}}},
		{rec: object(map[string]any{}), want: filter.Frame{Args: []any{map[string]any{}}}},
		{client: true, rec: object(map[string]any{"event": "pong", "time": int64(9)}), want: filter.Frame{Name: evPong, Args: []any{int64(9)}, ReplyTo: legacyPong}},
		{client: true, rec: object(map[string]any{"event": "error", "text": "no", "id": int64(5)}), want: filter.Frame{Name: evError, Args: []any{"no"}, ReplyTo: 5}},
		{client: true, rec: object(map[string]any{"event": "news", "a": "b"}), want: filter.Frame{Name: "news", Args: []any{map[string]any{"event": "news", "a": "b"}}}},
	} {
		if got, err := (perl{tc.client}).read(tc.rec); err != nil || !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%v:\n got %#v, %v\nwant %#v", tc.rec, got, err, tc.want)
		}
	}
	f, err := perl{}.read(map[string]any{"client": "bob", "x": "y"})
	if m, ok := list(f.Args, 2)[0].(map[string]any); err != nil || f.Name != cmdClient || f.Args[0] != "bob" || !ok || m["x"] != "y" || m["s_recv_time"] == nil {
		t.Errorf("a client's (B32): %+v, %v", f, err)
	}
}

// TestB34_UnknownObjects are refused, one by one; no command of ours can be
// spoken in Storable.
func TestB34_UnknownObjects(t *testing.T) {
	for _, rec := range []any{nil, "text", []any{"list"}, storable.Blessed{Class: "DateTime", Value: map[string]any{"cmd": "ping"}}, map[string]any{"cmd": "tx_begin"}, map[string]any{"cmd": "client"}} {
		if f, err := (perl{}).read(rec); err == nil {
			t.Errorf("%v passed as %+v", rec, f)
		}
	}
}

// FuzzDialects feeds each dialect bytes that may be none: no panic, and what is
// read can be written, unless it is nothing that the writer takes.
func FuzzDialects(f *testing.F) {
	for _, s := range []Serializer{Protobuf, JSON, Storable} {
		b, err := aDialect(f, s, true).encode(filter.Frame{Name: "double", Args: []any{21, "x"}, ID: 3, To: "web"})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte("4\x00null"))
	f.Add([]byte("6\x00\x05\x0b\x03\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, s := range []Serializer{Protobuf, JSON, Storable} {
			for _, client := range []bool{true, false} {
				d := aDialect(t, s, client)
				in, err := d.filter()
				if err != nil {
					t.Fatal(err)
				}
				in.Feed(b)
				for range len(b) + 1 {
					frame, ok, err := in.Next()
					if errors.Is(err, filter.ErrUnusable) || !ok && err == nil {
						break
					}
					if ok {
						_ = asReply(frame)
						_, _ = registrationOf(frame.Args)
						_, _ = d.encode(frame)
					}
				}
			}
		}
	})
}
