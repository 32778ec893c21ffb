package filter_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/usher-go/usher/wheel/filter"
	"github.com/usher-go/usher/wheel/filter/filtertest"
	"github.com/usher-go/usher/wheel/filter/wire"
)

func newEvent(t testing.TB, c filter.EventConfig) *filter.EventFilter {
	t.Helper()
	f, err := filter.NewEvent(c)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func named(f filter.Frame) string { return f.Name }

func TestF2_F3_F4_F5_EventConformance(t *testing.T) {
	records := []filter.Frame{
		{Name: "ping"},
		{},
		{Name: "query", Args: []any{"select", 7, []any{nil, true}}, ID: 12, Cause: 1 << 40, To: "db", From: "#3"},
		{Name: "answer", Args: []any{strings.Repeat("long enough for a length of two bytes; ", 5)}, ReplyTo: 12},
	}
	var whole, tail []byte
	for _, f := range records {
		whole = append(whole, prefixed(t, toWire(t, f))...)
	}
	tail = prefixed(t, toWire(t, records[3]))
	filtertest.Run(t, filtertest.Case[filter.Frame, filter.Frame]{
		New: filter.Event, Wire: whole, Records: records, Tail: tail[:len(tail)-1], Equal: sameFrame,
	})
}

func TestEventPrefixErrorsEndTheStream(t *testing.T) {
	for name, tt := range map[string]struct {
		wire []byte
		is   error
		text string
	}{
		"over MaxFrame":     {protowire.AppendVarint(nil, 101), filter.ErrTooLong, "frame of 101 bytes exceeds EventConfig.MaxFrame, 100 bytes"},
		"absurd":            {protowire.AppendVarint(nil, 1<<64-1), filter.ErrTooLong, "frame of 18446744073709551615 bytes"},
		"varint of 11":      {bytes.Repeat([]byte{0x80}, 11), filter.ErrMalformed, "no varint"},
		"varint over 2**64": {append(bytes.Repeat([]byte{0xff}, 9), 2), filter.ErrMalformed, "no varint"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newEvent(t, filter.EventConfig{MaxFrame: 100})
			f.Feed(prefixed(t, &wire.Frame{Name: "before"}))
			f.Feed(tt.wire)
			if rec, ok, err := f.Next(); !ok || rec.Name != "before" {
				t.Fatalf("Next = %v, %v, %v; want the frame before the fault", rec, ok, err)
			}
			_, ok, err := f.Next()
			if ok || !errors.Is(err, tt.is) || !errors.Is(err, filter.ErrUnusable) || !strings.Contains(err.Error(), tt.text) {
				t.Fatalf("error = %v; want %v, ErrUnusable and %q", err, tt.is, tt.text)
			}
			pending := f.Pending()
			f.Feed(prefixed(t, &wire.Frame{Name: "behind"}))
			if _, ok, again := f.Next(); ok || again != err {
				t.Errorf("later Next = %v, %v; want the same error", ok, again)
			}
			if !bytes.Equal(f.Pending(), pending) {
				t.Error("an unusable stream still grows")
			}
		})
	}
}

func TestEventPrefixOfTenBytesIsAVarint(t *testing.T) {
	f := filter.Event()
	f.Feed([]byte{0x82, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80})
	wantOutcome(t, outcome(f, named))
	f.Feed([]byte{0x00, 0x0a, 0x00})
	if rec, ok, err := f.Next(); !ok {
		t.Errorf("Next = %v, %v, %v; want a frame of 2 bytes", rec, ok, err)
	}
}

func TestF9_EventBufferLimitComesAfterWhatFitted(t *testing.T) {
	one := prefixed(t, &wire.Frame{Name: "12345678"}) // 11 bytes
	f := newEvent(t, filter.EventConfig{MaxFrame: 20, MaxBuffer: 30})
	f.Feed(bytes.Repeat(one, 3))
	want := "error: filter: unparsed input exceeds EventConfig.MaxBuffer, 30 bytes; call Next between calls of Feed, or raise it"
	wantOutcome(t, outcome(f, named), "12345678", "12345678", want)
	wantOutcome(t, outcome(f, named), want)
}

func TestF8_EventLimitsAreChecked(t *testing.T) {
	for _, c := range []filter.EventConfig{
		{MaxFrame: -1}, {MaxBuffer: -1}, {MaxDepth: -1}, {MaxBuffer: 1000}, {MaxFrame: 1000, MaxBuffer: 1009},
	} {
		if f, err := filter.NewEvent(c); f != nil || !errors.Is(err, filter.ErrConfig) {
			t.Errorf("NewEvent(%+v) = %v, %v; want ErrConfig", c, f, err)
		}
	}
	newEvent(t, filter.EventConfig{MaxFrame: 1000, MaxBuffer: 1010})
}

func TestEventMaxFrameHoldsBothWays(t *testing.T) {
	f := newEvent(t, filter.EventConfig{MaxFrame: 20})
	fits := filter.Frame{Name: strings.Repeat("x", 18)} // and a tag and a length
	sent, err := f.Append(nil, fits)
	if err != nil || len(sent) != 21 {
		t.Fatalf("Append = %d bytes, %v; want 21", len(sent), err)
	}
	f.Feed(sent)
	wantOutcome(t, outcome(f, named), fits.Name)

	if _, err := f.Append(nil, filter.Frame{Name: fits.Name + "x"}); !errors.Is(err, filter.ErrTooLong) {
		t.Errorf("one byte more: %v; want ErrTooLong", err)
	}

	huge := make([]any, 1000)
	for _, args := range [][]any{
		{strings.Repeat("x", 14), ""}, {make([]byte, 1<<20)}, {huge}, {map[string]any{strings.Repeat("k", 30): nil}},
		{strings.Split(strings.Repeat("x,", 30), ",")}, {durationpb.New(1 << 40)}, {&wire.Frame{Name: strings.Repeat("x", 30)}},
	} {
		var limit *filter.LimitError
		got, err := f.Append([]byte("kept"), filter.Frame{Args: args})
		if string(got) != "kept" || !errors.As(err, &limit) || limit.Limit != 20 || errors.Is(err, filter.ErrUnusable) {
			t.Errorf("Append of %.40v = %q, %v; want dst and a LimitError", args, got, err)
		}
		if err := filter.CheckArgs(args); err != nil {
			t.Errorf("CheckArgs = %v; length is none of its business", err)
		}
	}
}
