package filter_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/usher-go/usher/wheel/filter"
	"github.com/usher-go/usher/wheel/filter/storable"
)

// kindOf shows an error without what depends on how its input was cut.
func kindOf(err error) string {
	var size string
	if refused, ok := errors.AsType[*filter.RecordError](err); ok {
		size = fmt.Sprint(refused.Size)
	}
	return fmt.Sprint("error", size, errors.Is(err, filter.ErrUnusable), errors.Is(err, filter.ErrMalformed), errors.Is(err, filter.ErrTooLong))
}

func FuzzReference(f *testing.F) {
	for _, compression := range []bool{false, true} {
		c := filter.ReferenceConfig{Compression: compression}
		f.Add(referenceWire(f, c, []any{1, "x", map[string]any{"é": nil}}, "y", storable.Blessed{Class: "C", Value: []any{}}), []byte{7}, compression)
		f.Add([]byte("2\x00{}"+"0\x00"+"99999\x00"), []byte{0, 1}, compression)
		f.Add([]byte(lengthOf(zipped(f, strings.Repeat("0", 1<<18)))+"1x"), []byte{}, compression)
		f.Add([]byte("4\x00\x05\x0b\x05"), []byte{2}, compression)
	}
	f.Fuzz(func(t *testing.T, data, cuts []byte, compression bool) {
		c := filter.ReferenceConfig{Compression: compression, MaxLength: 1 << 10, MaxBuffer: len(data) + 1<<11}
		all := func(f *filter.ReferenceFilter) (got []string) {
			for rec, err := range filter.Records(f) {
				if err != nil {
					got = append(got, kindOf(err))
				} else {
					got = append(got, refrozen(t, rec))
				}
			}
			return got
		}
		whole := newReference(t, c)
		whole.Feed(data)
		want := all(whole)

		var got []string
		pieces := newReference(t, c)
		inPieces(data, cuts, func(p []byte) bool {
			pieces.Feed(p)
			out := all(pieces)
			got = append(got, out...)
			return len(out) == 0 || !strings.HasPrefix(out[len(out)-1], "errortrue")
		})
		wantOutcome(t, got, want...)
	})
}

// refrozen shows a record as its bytes, after checking that they come back.
func refrozen(t *testing.T, rec any) string {
	f := newReference(t, filter.ReferenceConfig{})
	first, err := f.Append(nil, rec)
	if err != nil {
		t.Fatalf("%#v was read and cannot be written: %v", rec, err)
	}
	f.Feed(first)
	again, ok, err := f.Next()
	if !ok {
		t.Fatalf("%q was written and cannot be read: %v", first, err)
	}
	second, err := f.Append(nil, again)
	if err != nil || !bytes.Equal(first, second) {
		t.Fatalf("%q became %q, %v", first, second, err)
	}
	return fmt.Sprintf("%q", first)
}
