package filter_test

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/usher-go/usher/wheel/filter"
	"github.com/usher-go/usher/wheel/filter/storable"
)

func lengthOf(body string) string { return fmt.Sprintf("%d\x00%s", len(body), body) }

func zipped(t testing.TB, plain string) string {
	t.Helper()
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	if _, err := w.Write([]byte(plain)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestF31_BadRecordIsRefusedAndTheNextOneRead(t *testing.T) {
	for name, tt := range map[string]struct {
		c    filter.ReferenceConfig
		bad  string
		is   error
		text string
		next any
	}{
		"storable garbage": {filter.ReferenceConfig{}, "{}", storable.ErrMalformed, "storable record of 2 bytes refused", "next"},
		"storable code":    {filter.ReferenceConfig{}, "\x05\x0b\x1a\x0a\x01x", storable.ErrUnsupported, "it is code", "next"},
		"storable nothing": {filter.ReferenceConfig{}, "", storable.ErrMalformed, "of 0 bytes", "next"},
		"json":             {filter.ReferenceConfig{Serializer: filter.JSON()}, "{} {}", nil, "json record of 5 bytes refused", "next"},
		"protobuf": {filter.ReferenceConfig{Serializer: filter.Protobuf((*timestamppb.Timestamp)(nil))}, "\x08", nil, "protobuf record of 1 bytes refused",
			&timestamppb.Timestamp{Seconds: 1}},
		"one's own":       {filter.ReferenceConfig{Serializer: textSerializer{}}, "bad", nil, "text record of 3 bytes refused: it is bad", "next"},
		"not compressed":  {filter.ReferenceConfig{Compression: true}, "\x05\x0b\x05", zlib.ErrHeader, "of 3 bytes refused: zlib", "next"},
		"cut":             {filter.ReferenceConfig{Compression: true}, zipped(t, "\x05\x0b\x05")[:8], nil, "unexpected EOF", "next"},
		"wrong checksum":  {filter.ReferenceConfig{Compression: true}, strings.TrimSuffix(zipped(t, "\x05\x0b\x05"), "\x16") + "\x17", zlib.ErrChecksum, "zlib", "next"},
		"bytes behind":    {filter.ReferenceConfig{Compression: true}, zipped(t, "\x05\x0b\x05") + "x", nil, "bytes behind the compressed data", "next"},
		"inside the zlib": {filter.ReferenceConfig{Compression: true}, zipped(t, "{}"), storable.ErrMalformed, "begins with", "next"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newReference(t, tt.c)
			f.Feed([]byte(lengthOf(tt.bad)))
			f.Feed(referenceWire(t, tt.c, tt.next))
			rec, ok, err := f.Next()
			var refused *filter.RecordError
			if rec != nil || ok || !errors.As(err, &refused) || !errors.Is(err, filter.ErrMalformed) || errors.Is(err, filter.ErrUnusable) {
				t.Fatalf("Next = %v, %v, %v; want a RecordError and a usable stream", rec, ok, err)
			}
			if tt.is != nil && !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.text) || refused.Size != len(tt.bad) {
				t.Errorf("error = %v; want %v and %q", err, tt.is, tt.text)
			}
			if rec, ok, err := f.Next(); !ok || !same(rec, tt.next) {
				t.Errorf("Next = %v, %v, %v; want the record behind", rec, ok, err)
			}
		})
	}
}

func TestF33_GarbageInsteadOfALengthIsNamed(t *testing.T) {
	for _, tt := range []struct{ stream, shown string }{
		{"GET / HTTP/1.1\r\nHost: x", `"GET / HTTP/1.1\r\nHost: x"`},
		{"12x4\x00", `"12x4\x00"`},
		{"\x005\x00", `"\x005\x00"`},
		{" 5\x00", `" 5\x00"`},
		{"-5\x00", `"-5\x00"`},
		{"0000000000000000000000005\x00", `"000000000000000000000000`},
	} {
		f := filter.Reference()
		f.Feed(referenceWire(t, filter.ReferenceConfig{}, "first"))
		f.Feed([]byte(tt.stream))
		if rec, ok, err := f.Next(); rec != "first" || !ok {
			t.Errorf("Next = %v, %v, %v; want what came before", rec, ok, err)
		}
		for range 2 {
			_, ok, err := f.Next()
			want := "filter: malformed length prefix " + tt.shown
			if ok || !errors.Is(err, filter.ErrUnusable) || !errors.Is(err, filter.ErrMalformed) || !strings.Contains(err.Error(), want) {
				t.Errorf("Next = %v, %v; want ErrUnusable and %q", ok, err, want)
			}
			f.Feed(referenceWire(t, filter.ReferenceConfig{}, "later"))
		}
		if got := f.Pending(); string(got) != tt.stream {
			t.Errorf("Pending = %q; want %q kept", got, tt.stream)
		}
	}
}

func TestF32_RecordOverMaxLength(t *testing.T) {
	for _, compression := range []bool{false, true} {
		c := filter.ReferenceConfig{Serializer: textSerializer{}, Compression: compression, MaxLength: 100, MaxBuffer: 1000}
		f := newReference(t, c)
		long := strings.Repeat("x", 100)
		wire, err := f.Append(nil, long)
		if err != nil {
			t.Fatal(err)
		}
		f.Feed(wire)
		if rec, ok, err := f.Next(); rec != long || !ok {
			t.Errorf("Next = %v, %v, %v; want the longest record", rec, ok, err)
		}
		got, err := f.Append([]byte("kept"), long+"x")
		if string(got) != "kept" || !errors.Is(err, filter.ErrTooLong) || errors.Is(err, filter.ErrUnusable) || !strings.Contains(err.Error(), "record of 101 bytes exceeds ReferenceConfig.MaxLength, 100 bytes; raise it at both ends") {
			t.Errorf("Append = %q, %v; want ErrTooLong", got, err)
		}
		f.Feed([]byte("999\x00")) // nobody waits for it
		for range 2 {
			if _, ok, err := f.Next(); ok || !errors.Is(err, filter.ErrTooLong) || !errors.Is(err, filter.ErrUnusable) {
				t.Errorf("Next = %v, %v; want ErrTooLong and ErrUnusable", ok, err)
			}
		}
	}
}

// What cannot be compressed gets longer and must still get through.
func TestF28_LongestRecordFitsCompressed(t *testing.T) {
	for _, n := range []int{1, 10, 1000, 100000} {
		noise := make([]byte, n)
		for i, x := 0, uint32(1); i < n; i++ {
			x ^= x << 13
			x ^= x >> 17
			x ^= x << 5
			noise[i] = byte(x)
		}
		f := newReference(t, filter.ReferenceConfig{Serializer: textSerializer{}, Compression: true, MaxLength: n})
		wire, err := f.Append(nil, string(noise))
		if err != nil {
			t.Fatal(err)
		}
		f.Feed(wire)
		if rec, ok, err := f.Next(); rec != string(noise) || !ok {
			t.Errorf("%d bytes: Next = %v, %v", n, ok, err)
		}
	}
}

func TestF32_ZipBombIsRefusedAndTheNextOneRead(t *testing.T) {
	c := filter.ReferenceConfig{Serializer: textSerializer{}, Compression: true, MaxLength: 10000}
	f := newReference(t, c)
	f.Feed([]byte(lengthOf(zipped(t, strings.Repeat("0", 1<<20)))))
	f.Feed(referenceWire(t, c, "next"))
	_, ok, err := f.Next()
	var limit *filter.LimitError
	if ok || !errors.As(err, &limit) || limit.Field != "ReferenceConfig.MaxLength" || errors.Is(err, filter.ErrUnusable) {
		t.Errorf("Next = %v, %v; want a LimitError and a usable stream", ok, err)
	}
	if rec, ok, err := f.Next(); rec != "next" || !ok {
		t.Errorf("Next = %v, %v, %v; want the record behind", rec, ok, err)
	}
}

func TestF8_F9_F32_ReferenceBufferLimitComesAfterWhatFitted(t *testing.T) {
	f := newReference(t, filter.ReferenceConfig{Serializer: textSerializer{}, MaxLength: 4, MaxBuffer: 25})
	show := func(v any) string { return quoted(v.(string)) }
	want := "error: filter: unparsed input exceeds ReferenceConfig.MaxBuffer, 25 bytes; call Next between calls of Feed, or raise it"
	f.Feed([]byte("3\x00one" + "4\x00more" + "4\x00also" + "4\x00four" + "3\x00xyz"))
	wantOutcome(t, outcome(f, show), quoted("one"), quoted("more"), quoted("also"), quoted("four"), want)
	f.Feed([]byte("1\x00y"))
	wantOutcome(t, outcome(f, show), want)
}

func TestF8_ReferenceLimitsAreChecked(t *testing.T) {
	for _, tt := range []struct {
		c    filter.ReferenceConfig
		want string
	}{
		{filter.ReferenceConfig{MaxLength: -1}, "ReferenceConfig.MaxLength is -1; want 0 for the default of 1048576, or more"},
		{filter.ReferenceConfig{MaxBuffer: -5}, "ReferenceConfig.MaxBuffer is -5; want 0 for the default of 16777216, or more"},
		{filter.ReferenceConfig{MaxLength: 8, MaxBuffer: 28}, "ReferenceConfig.MaxBuffer is 28, less than ReferenceConfig.MaxLength (8) and 21 bytes around it"},
		{filter.ReferenceConfig{MaxLength: 1000, MaxBuffer: 1085, Compression: true}, "(1000) and 86 bytes around it"},
	} {
		f, err := filter.NewReference(tt.c)
		if f != nil || !errors.Is(err, filter.ErrConfig) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("NewReference(%+v) = %v, %v; want ErrConfig and %q", tt.c, f, err, tt.want)
		}
	}
	newReference(t, filter.ReferenceConfig{MaxLength: 8, MaxBuffer: 29})
}
