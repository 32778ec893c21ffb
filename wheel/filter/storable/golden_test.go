package storable_test

import (
	"bytes"
	"encoding/hex"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/usher-go/usher/wheel/filter/storable"
)

func ptr(v any) *any { return &v }

// golden is what nfreeze of Storable 3.26 returned, with $Storable::canonical
// set, in hex.
var golden = []struct {
	perl, hex string
	value     any
	// writes is what Marshal makes of value, if it differs.
	writes string
}{
	{`\"x"`, "050b0a0178", "x", ""},
	{`\""`, "050b0a00", "", ""},
	{`\undef`, "050b0e", nil, "050b05"},
	{`\my $undef`, "050b05", nil, ""},
	{`\\"x"`, "050b040a0178", ptr(ptr("x")), ""},
	{`\[]`, "050b040200000000", ptr([]any{}), ""},
	{`[0, 1, -1, 127, 128, -128, -129]`, "050b020000000708800881087f08ff0900000080080009ffffff7f",
		[]any{int64(0), int64(1), int64(-1), int64(127), int64(128), int64(-128), int64(-129)}, ""},
	{`[2**31-1, 2**31, -2**31-1, ~0]`, "050b0200000004097fffffff0a0a323134373438333634380a0b2d323134373438333634390a143138343436373434303733373039353531363135",
		[]any{int64(math.MaxInt32), "2147483648", "-2147483649", "18446744073709551615"}, ""},
	{`[1.5, 1e100, 9**9**9, -9**9**9]`, "050b02000000040a03312e350a0631652b3130300a03496e660a042d496e66",
		[]any{"1.5", "1e+100", "Inf", "-Inf"}, ""},
	{`[!!1, !!0]`, "050b02000000020a01310a00", []any{"1", ""}, ""},
	{`\!!1`, "050b0f", true, "050b0a0131"},
	{`\!!0`, "050b10", false, "050b0a00"},
	{`\!!1 of Perl 5.38`, "050c22", true, "050b0a0131"},
	{`\!!0 of Perl 5.38`, "050c23", false, "050b0a00"},
	{`["\xe9"]`, "050b02000000010a01e9", []any{[]byte{0xe9}}, ""},
	{`["\xe9\x{263a}"]`, "050b02000000011705c3a9e298ba", []any{"é☺"}, ""},
	{`"abc" with the flag`, "050b02000000011703616263", []any{"abc"}, "050b02000000010a03616263"},
	{`["x" x 256]`, "050b02000000010100000100" + strings.Repeat("78", 256), []any{strings.Repeat("x", 256)}, ""},
	{`["\x{263a}" x 100]`, "050b0200000001180000012c" + strings.Repeat("e298ba", 100), []any{strings.Repeat("☺", 100)}, ""},
	{`{a => 1, b => undef}`, "050b030000000208810000000161050000000162", map[string]any{"a": int64(1), "b": nil}, ""},
	{`{"\x{263a}" => 1, a => 2}`, "050b190000000002088200000000016108810100000003e298ba", map[string]any{"☺": int64(1), "a": int64(2)}, ""},
	{`{"\xe9" => 1}`, "050b0300000001088100000001e9", map[string]any{"é": int64(1)}, "050b19000000000108810100000002c3a9"},
	{`{"\xe9" => 1} with the flag`, "050b19000000000108810200000001e9", map[string]any{"é": int64(1)}, "050b19000000000108810100000002c3a9"},
	{`restricted {a => 1, b => 2}`, "050b19010000000208810000000001610882000000000162",
		map[string]any{"a": int64(1), "b": int64(2)}, "050b03000000020881000000016108820000000162"},
	{`{a => 1} restricted to a and b`, "050b19010000000208810000000001610e140000000162", map[string]any{"a": int64(1)}, "050b030000000108810000000161"},
	{`bless {a => 1}, "Foo"`, "050b1103466f6f030000000108810000000161", storable.Blessed{"Foo", map[string]any{"a": int64(1)}}, ""},
	{`bless \"x", "Foo"`, "050b1103466f6f0a0178", storable.Blessed{"Foo", ptr("x")}, ""},
	{`bless \\"x", "Foo"`, "050b1103466f6f040a0178", storable.Blessed{"Foo", ptr(ptr("x"))}, ""},
	{`\bless [], "Foo"`, "050b041103466f6f0200000000", ptr(storable.Blessed{"Foo", []any{}}), ""},
	{`[map bless([], $_), "Foo", "Foo", "Bar"]`, "050b0200000003041103466f6f020000000004120002000000000411034261720200000000",
		[]any{storable.Blessed{"Foo", []any{}}, storable.Blessed{"Foo", []any{}}, storable.Blessed{"Bar", []any{}}}, ""},
	{`bless [], "A" x 200`, "050b1180000000c8" + strings.Repeat("41", 200) + "0200000000", storable.Blessed{strings.Repeat("A", 200), []any{}}, ""},
	{`an object with overloading, strong and weak`, "050b02000000021411024f5602000000001c0000000002",
		[]any{storable.Blessed{"OV", []any{}}, storable.Blessed{"OV", []any{}}}, "050b02000000020411024f5602000000000412000200000000"},
	{`[v1.2.3]`, "050b02000000011d0676312e322e330a03010203", []any{"\x01\x02\x03"}, "050b02000000010a03010203"},
	{`my @hole; $hole[2] = 1`, "050b02000000030e0e0881", []any{nil, nil, int64(1)}, "050b020000000305050881"},
	{`freeze [1, 300, 2**40, 1.5, "x"]`, "040b0831323334353637380408080802050000000881062c0100000000000006000000000001000007000000000000f83f0a0178",
		[]any{int64(1), int64(300), int64(1) << 40, 1.5, "x"}, "050b02000000050881090000012c0a0d313039393531313632373737360a03312e350a0178"},
	{`freeze {a => "b" x 300}`, "040b083132333435363738040808080301000000012c010000" + strings.Repeat("62", 300) + "0100000061",
		map[string]any{"a": strings.Repeat("b", 300)}, "050b0300000001010000012c" + strings.Repeat("62", 300) + "0000000161"},
	{`nstore \"x"`, "70737430050b0a0178", "x", "050b0a0178"},
	{`nfreeze of an old minor`, "05020a0178", "x", "050b0a0178"},
}

func TestGoldenBytesBothWays(t *testing.T) {
	for _, tt := range golden {
		frozen := unhex(t, tt.hex)
		got, err := storable.Unmarshal(frozen)
		if err != nil || !reflect.DeepEqual(got, tt.value) {
			t.Errorf("%s: Unmarshal = %#v, %v; want %#v", tt.perl, got, err, tt.value)
		}
		want := tt.writes
		if want == "" {
			want = tt.hex
		}
		wrote, err := storable.Append([]byte("kept"), tt.value)
		if err != nil || hex.EncodeToString(bytes.TrimPrefix(wrote, []byte("kept"))) != want {
			t.Errorf("%s: Append = %x, %v; want kept and %s", tt.perl, wrote, err, want)
		}
	}
}

// Of a frozen value no prefix is one, and nothing may follow it.
func TestTruncatedAndProlongedAreRefused(t *testing.T) {
	for _, tt := range golden {
		frozen := unhex(t, tt.hex)
		for n := range frozen {
			if v, err := storable.Unmarshal(frozen[:n]); err == nil {
				t.Errorf("%s: its first %d bytes give %#v", tt.perl, n, v)
			}
		}
		if v, err := storable.Unmarshal(append(frozen, 5)); err == nil {
			t.Errorf("%s: with a byte more it gives %#v", tt.perl, v)
		}
	}
}

func TestNumbersAndStringsOfEveryKind(t *testing.T) {
	type celsius float64
	type name string
	for _, tt := range []struct {
		value, want any
	}{
		{int(-5), int64(-5)}, {int8(-5), int64(-5)}, {int16(-500), int64(-500)}, {int32(-50000), int64(-50000)},
		{uint(5), int64(5)}, {uint8(255), int64(255)}, {uint16(500), int64(500)}, {uint32(math.MaxUint32), "4294967295"},
		{uint64(math.MaxUint64), "18446744073709551615"}, {int64(math.MinInt64), "-9223372036854775808"},
		{1.5, "1.5"}, {float32(0.1), "0.1"}, {0.1, "0.1"}, {1e21, "1e+21"}, {3.0, "3"}, {math.Inf(1), "Inf"}, {math.NaN(), "NaN"}, {celsius(36.6), "36.6"},
		{true, "1"}, {false, ""}, {name("n"), "n"},
		{[]byte("ascii"), "ascii"}, {[]byte(nil), ""}, {"\xff not UTF-8", []byte("\xff not UTF-8")},
		{[]int(nil), []any{}}, {map[string]int(nil), map[string]any{}}, {(*int)(nil), nil},
		{[]string{"a", "b"}, []any{"a", "b"}}, {[2]bool{true}, []any{"1", ""}}, {map[name]celsius{"k": 1}, map[string]any{"k": "1"}},
		{[]*int{nil}, []any{nil}}, {[][]byte{{0xff}}, []any{[]byte{0xff}}},
	} {
		frozen, err := storable.Marshal(tt.value)
		if err != nil {
			t.Errorf("%T %v: %v", tt.value, tt.value, err)
			continue
		}
		if got, err := storable.Unmarshal(frozen); err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%T %v comes back as %#v, %v; want %#v", tt.value, tt.value, got, err, tt.want)
		}
	}
}
