package filter_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/usher-go/usher/wheel/filter"
	"github.com/usher-go/usher/wheel/filter/filtertest"
)

func newBlock(t testing.TB, c filter.BlockConfig) *filter.BlockFilter {
	t.Helper()
	f, err := filter.NewBlock(c)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func quotedBytes(p []byte) string { return quoted(string(p)) }

func blocks(recs ...string) [][]byte {
	list := make([][]byte, len(recs))
	for i, r := range recs {
		list[i] = []byte(r)
	}
	return list
}

// The handover check at every byte is F25: POE loses a prefix that was read.
func TestF2_F5_F19_F20_F25_BlockConformance(t *testing.T) {
	for name, c := range map[string]struct {
		config     filter.BlockConfig
		wire       string
		records    [][]byte
		incomplete string
	}{
		"F19 of one size":   {filter.BlockConfig{BlockSize: 3}, "abc\x00\r\nxyz", blocks("abc", "\x00\r\n", "xyz"), "12"},
		"F20 length, NUL":   {filter.BlockConfig{}, "3\x00abc0\x0012\x00hello, world", blocks("abc", "", "hello, world"), "4\x00abc"},
		"leading zeros":     {filter.BlockConfig{}, "003\x00abc", blocks("abc"), "0000000000000000001"},
		"F22 big endian":    {filter.BlockConfig{LengthCodec: filter.BigEndian32}, "\x00\x00\x00\x02hi\x00\x00\x00\x00", blocks("hi", ""), "\x00\x00\x01"},
		"F22 varint":        {filter.BlockConfig{LengthCodec: filter.Varint}, "\x02hi\x00\x83\x00abc", blocks("hi", "", "abc"), "\x80"},
		"F22 codec of mine": {filter.BlockConfig{LengthCodec: contentLength}, "Content-Length: 2\r\n\r\nhiContent-Length: 0\r\n\r\n", blocks("hi", ""), "Content-Le"},
	} {
		t.Run(name, func(t *testing.T) {
			filtertest.Run(t, filtertest.Case[[]byte, []byte]{
				New:  func() filter.Filter[[]byte, []byte] { return newBlock(t, c.config) },
				Wire: []byte(c.wire), Records: c.records, Tail: []byte(c.incomplete),
			})
		})
	}
}

func TestF19_F20_WhatIsWritten(t *testing.T) {
	for _, tt := range []struct {
		config filter.BlockConfig
		want   string
	}{
		{filter.BlockConfig{BlockSize: 4}, "abdefghi"}, // unpadded, one behind the other
		{filter.BlockConfig{}, "2\x00ab0\x006\x00defghi"},
	} {
		f, got := newBlock(t, tt.config), []byte(nil)
		for _, rec := range blocks("ab", "", "defghi") {
			var err error
			if got, err = f.Append(got, rec); err != nil {
				t.Fatal(err)
			}
		}
		if string(got) != tt.want {
			t.Errorf("%+v wrote %q; want %q", tt.config, got, tt.want)
		}
	}
}

func TestF21_GarbageBeforeAPrefixEndsTheStream(t *testing.T) {
	for wire, want := range map[string]string{
		"GET / HTTP/1.1\r\n":         `malformed length prefix "GET / HTTP/1.1\r\n": want decimal digits and a NUL: the rest of the stream cannot be read; close the connection`,
		"12a":                        `"12a": want decimal digits and a NUL`,
		"\x00":                       `"\x00": want decimal digits and a NUL`,
		"-1\x00a":                    `"-1\x00a": want decimal digits and a NUL`,
		strings.Repeat("1", 21):      "want decimal digits and a NUL",
		"99999999999999999999\x00ab": "want a decimal number of 64 bits at most, and a NUL",
	} {
		f := newBlock(t, filter.BlockConfig{})
		f.Feed([]byte("2\x00ok" + wire))
		rec, ok, err := f.Next()
		if !ok || string(rec) != "ok" {
			t.Fatalf("before %q: %q, %v, %v", wire, rec, ok, err)
		}
		for range 2 {
			_, ok, err = f.Next()
			if ok || !errors.Is(err, filter.ErrUnusable) || !errors.Is(err, filter.ErrMalformed) || !strings.Contains(err.Error(), want) {
				t.Errorf("%q: %v; want ErrUnusable, ErrMalformed and %s", wire, err, want)
			}
			f.Feed([]byte("2\x00no"))
		}
		if n := len(f.Pending()); n > len(wire)+4 {
			t.Errorf("%d bytes kept of a stream that is lost", n)
		}
	}
}

// However the prefix of a block that is too long arrives, no part of the block
// is delivered.
func TestF24_OversizeBlockIsNeverDelivered(t *testing.T) {
	for prefix, c := range map[string]filter.BlockConfig{
		"5\x00":                        {MaxLength: 4},
		"18446744073709551615\x00":     {MaxLength: 4},
		"\x00\x00\x00\x05":             {MaxLength: 4, LengthCodec: filter.BigEndian32},
		"\xff\xff\xff\xff":             {MaxLength: 4, LengthCodec: filter.BigEndian32},
		"\xff\xff\xff\xff\xff\xff\x01": {MaxLength: 4, LengthCodec: filter.Varint},
	} {
		wire := string(must(newBlock(t, c).Append(nil, []byte("ok")))) + prefix + "12345"
		for cut := range len(wire) {
			f, got := newBlock(t, c), []string(nil)
			for _, p := range []string{wire[:cut], wire[cut:], "2\x00no"} {
				f.Feed([]byte(p))
				got = append(got, outcome(f, quotedBytes)...)
			}
			if got[0] != quoted("ok") || strings.Count(strings.Join(got, "\n"), `"`) != 2 {
				t.Fatalf("%q cut at %d: %v; want one block", wire, cut, got)
			}
			_, _, err := f.Next()
			limit, ok := errors.AsType[*filter.LimitError](err)
			if !ok || limit.Field != "BlockConfig.MaxLength" || limit.Limit != 4 || limit.Size < 5 || !errors.Is(err, filter.ErrUnusable) {
				t.Fatalf("%q: error %v", wire, err)
			}
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestF8_BlocksTooLongToSendAreRefused(t *testing.T) {
	f := newBlock(t, filter.BlockConfig{MaxLength: 4})
	got, err := f.Append([]byte("kept"), []byte("12345"))
	want := "filter: block of 5 bytes exceeds BlockConfig.MaxLength, 4 bytes; raise it at both ends, or send smaller blocks"
	if string(got) != "kept" || !errors.Is(err, filter.ErrTooLong) || errors.Is(err, filter.ErrUnusable) || err.Error() != want {
		t.Errorf("Append = %q, %v", got, err)
	}
	if got, err = f.Append(nil, []byte("1234")); string(got) != "4\x001234" || err != nil {
		t.Errorf("Append = %q, %v", got, err)
	}
}

func TestF9_BlockBufferLimitComesAfterWhatFitted(t *testing.T) {
	for _, c := range []filter.BlockConfig{{BlockSize: 4, MaxBuffer: 10}, {MaxLength: 4, MaxBuffer: 10}} {
		f := newBlock(t, c)
		var wire []byte
		for range 4 {
			wire = must(f.Append(wire, []byte("abcd")))
		}
		f.Feed(wire)
		got := outcome(f, quotedBytes)
		for i, rec := range got {
			last := i == len(got)-1
			if last != strings.Contains(rec, "unparsed input exceeds BlockConfig.MaxBuffer, 10 bytes; call Next between calls of Feed") || !last && rec != quoted("abcd") {
				t.Errorf("%+v: %v", c, got)
			}
		}
		if _, _, err := f.Next(); len(got) < 2 || !errors.Is(err, filter.ErrUnusable) {
			t.Errorf("%+v: %v, then %v", c, got, err)
		}
	}
}

func TestF8_F22_F23_BlockConfigurationIsChecked(t *testing.T) {
	big16 := &filter.LengthCodec{
		Append: func(dst []byte, n int) []byte { return append(dst, byte(n>>8), byte(n)) },
		Decode: func(p []byte) (uint64, int, error) {
			if len(p) < 2 {
				return 0, 0, nil
			}
			return uint64(p[0])<<8 | uint64(p[1]), 2, nil
		},
	}
	for _, tt := range []struct {
		c    filter.BlockConfig
		want string
	}{
		{filter.BlockConfig{BlockSize: -1}, "BlockConfig.BlockSize is -1; want 0 for blocks with a length prefix, or more"},
		{filter.BlockConfig{BlockSize: 3, LengthCodec: filter.Varint}, "BlockConfig.BlockSize and BlockConfig.LengthCodec are both set; choose one"},
		{filter.BlockConfig{BlockSize: 3, MaxLength: 3}, "BlockConfig.BlockSize and BlockConfig.MaxLength are both set; choose one"},
		{filter.BlockConfig{BlockSize: 17 << 20}, "BlockConfig.MaxBuffer is 16777216, less than BlockConfig.BlockSize (17825792)"},
		{filter.BlockConfig{MaxLength: -1}, "BlockConfig.MaxLength is -1; want 0 for the default of 1048576, or more"},
		{filter.BlockConfig{MaxBuffer: -1}, "BlockConfig.MaxBuffer is -1; want 0 for the default of 16777216, or more"},
		{filter.BlockConfig{MaxLength: 10, MaxBuffer: 12}, "BlockConfig.MaxBuffer is 12, less than BlockConfig.MaxLength (10) and 3 bytes around it"},
		{filter.BlockConfig{LengthCodec: &filter.LengthCodec{Append: filter.Varint.Append}}, "BlockConfig.LengthCodec lacks Append or Decode; set both"},
		{filter.BlockConfig{LengthCodec: &filter.LengthCodec{Decode: filter.Varint.Decode}}, "BlockConfig.LengthCodec lacks Append or Decode; set both"},
		{filter.BlockConfig{LengthCodec: big16}, `BlockConfig.LengthCodec writes BlockConfig.MaxLength, 1048576, as "\x00\x00", and reads that as 0 in 2 bytes`},
		{filter.BlockConfig{MaxLength: math.MaxUint32, MaxBuffer: math.MaxInt, LengthCodec: &filter.LengthCodec{Append: filter.Varint.Append, Decode: big16.Decode}}, "lower the one or mend the other"},
	} {
		f, err := filter.NewBlock(tt.c)
		if f != nil || !errors.Is(err, filter.ErrConfig) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("NewBlock(%+v) = %v, %v; want ErrConfig and %q", tt.c, f, err, tt.want)
		}
	}
	newBlock(t, filter.BlockConfig{LengthCodec: big16, MaxLength: math.MaxUint16})
	newBlock(t, filter.BlockConfig{MaxLength: 10, MaxBuffer: 13})
	newBlock(t, filter.BlockConfig{BlockSize: 10, MaxBuffer: 10})
}
