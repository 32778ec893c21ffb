package storable_test

import (
	"math"
	"testing"

	"github.com/usher-go/usher/wheel/filter/storable"
)

func TestScalarsAreWhatTheyAreUsedAs(t *testing.T) {
	type result struct {
		v  any
		ok bool
	}
	no := result{}
	for _, tt := range []struct {
		v                       any
		text, bytes, int, float result
		truth                   bool
	}{
		{nil, no, no, no, no, false},
		{"", result{"", true}, result{"", true}, no, no, false},
		{"0", result{"0", true}, result{"0", true}, result{int64(0), true}, result{0.0, true}, false},
		{"0.0", result{"0.0", true}, result{"0.0", true}, no, result{0.0, true}, true},
		{"5000000000", result{"5000000000", true}, result{"5000000000", true}, result{int64(5e9), true}, result{5e9, true}, true},
		{"1.5", result{"1.5", true}, result{"1.5", true}, no, result{1.5, true}, true},
		{"Inf", result{"Inf", true}, result{"Inf", true}, no, result{math.Inf(1), true}, true},
		{"é", result{"é", true}, result{"\xe9", true}, no, no, true},
		{"☺", result{"☺", true}, no, no, no, true},
		{"\xff", result{"\xff", true}, result{"\xff", true}, no, no, true},
		{[]byte("\xe9"), result{"é", true}, result{"\xe9", true}, no, no, true},
		{int64(-7), result{"-7", true}, result{"-7", true}, result{int64(-7), true}, result{-7.0, true}, true},
		{2.0, result{"2", true}, result{"2", true}, result{int64(2), true}, result{2.0, true}, true},
		{math.Inf(-1), result{"-Inf", true}, result{"-Inf", true}, no, result{math.Inf(-1), true}, true},
		{0x1p63, result{"9.223372036854776e+18", true}, result{"9.223372036854776e+18", true}, no, result{0x1p63, true}, true},
		{true, result{"1", true}, result{"1", true}, result{int64(1), true}, result{1.0, true}, true},
		{false, result{"", true}, result{"", true}, no, no, false},
		{[]any{}, no, no, no, no, true},
	} {
		check := func(what string, v any, ok bool, want result) {
			t.Helper()
			if ok != want.ok || ok && v != want.v {
				t.Errorf("%s of %#v = %#v, %v; want %#v, %v", what, tt.v, v, ok, want.v, want.ok)
			}
		}
		s, ok := storable.Text(tt.v)
		check("Text", s, ok, tt.text)
		b, ok := storable.Bytes(tt.v)
		check("Bytes", string(b), ok, tt.bytes)
		n, ok := storable.Int64(tt.v)
		check("Int64", n, ok, tt.int)
		f, ok := storable.Float64(tt.v)
		check("Float64", f, ok, tt.float)
		if got := storable.Truth(tt.v); got != tt.truth {
			t.Errorf("Truth(%#v) = %v", tt.v, got)
		}
	}
}
