package storable_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/wheel/filter/storable"
)

func TestWhatCannotBeReadIsNamed(t *testing.T) {
	for _, tt := range []struct {
		perl, hex string
		is        error
		text      string
	}{
		{`[qr/a.b/i]`, "050b0200000001041106526567657870200003612e620169", storable.ErrUnsupported, `a regular expression; send its text`},
		{`tied array`, "050b0200000001040b04110d5469653a3a537464417272617902000000010881", storable.ErrUnsupported, "a tied array; freeze a copy"},
		{`tied hash`, "050b0c04110c5469653a3a53746448617368030000000108810000000161", storable.ErrUnsupported, "a tied hash"},
		{`tied scalar`, "050b0d04110254530200000000", storable.ErrUnsupported, "a tied scalar"},
		{`hook`, "050b020000000104130203484b320666726f7a656e", storable.ErrUnsupported, `an object of class "HK2" with its own STORABLE_freeze; send its data`},
		{`hook with list`, "050b0200000001041342020000000108818202484b0666726f7a656e0100000003", storable.ErrUnsupported, "an object with its own STORABLE_freeze"},
		{`code`, "050b041a0a0178", storable.ErrUnsupported, "code; send the name"},
		{`large object`, "050b21", storable.ErrUnsupported, "more than 2 GiB"},
		{`big-endian`, "040b0838373635343332310408080805", storable.ErrUnsupported, "freeze with nfreeze"},
		{`32 bits`, "040b04313233340404040805", storable.ErrUnsupported, "freeze with nfreeze"},
		{`Storable 0.6`, "0305", storable.ErrMalformed, "freeze with Storable's nfreeze"},
		{`text`, "7b7d", storable.ErrMalformed, `begins with "{}"`},
		{`nothing`, "", storable.ErrMalformed, "ends too early"},
		{`unknown mark`, "050b24", storable.ErrMalformed, "mark 36 is unknown"},
		{`array in an array`, "050b02000000010200000000", storable.ErrMalformed, "where only a scalar can be"},
		{`array as its own element`, "050b02000000010000000000", storable.ErrCycle, ""},
		{`array again as an element`, "050b02000000020402000000000000000002", storable.ErrMalformed, "where only a scalar can be"},
		{`tag of later`, "050b0200000001040000000009", storable.ErrMalformed, "variable 9 of 2"},
		{`class of later`, "050b12010200000000", storable.ErrMalformed, "class 1 of 0"},
		{`class without name`, "050b11000200000000", storable.ErrMalformed, "a class name of 0 bytes"},
		{`two classes`, "050b1101411101420200000000", storable.ErrMalformed, "mark 17"},
		{`more elements than bytes`, "050b02ffffffff05", storable.ErrMalformed, "ends too early"},
		{`more bytes than there are`, "050b017fffffff05", storable.ErrMalformed, "ends too early"},
		{`not UTF-8`, "050b1701ff", storable.ErrMalformed, "send it as bytes"},
		{`surrogate`, "050b1703eda080", storable.ErrMalformed, "characters that Unicode does not"},
		{`key not UTF-8`, "050b190000000001050100000001ff", storable.ErrMalformed, "characters that Unicode does not"},
		{`key as scalar`, "050b1900000000010508050000", storable.ErrMalformed, "key with flags 0x8"},
		{`native integer in network order`, "050b060000000000000001", storable.ErrMalformed, "native number"},
		{`version without string`, "050b1d01310881", storable.ErrMalformed, "without its string"},
	} {
		v, err := storable.Unmarshal(unhex(t, tt.hex))
		if v != nil || !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.text) {
			t.Errorf("%s: Unmarshal = %#v, %v; want %v and %q", tt.perl, v, err, tt.is, tt.text)
		}
	}
}

func TestWhatCannotBeWrittenIsNamed(t *testing.T) {
	deep := any("core")
	for range 300 {
		deep = []any{deep}
	}
	for _, tt := range []struct {
		value any
		text  string
	}{
		{make(chan int), "value, a chan int, cannot be frozen: it has no form in Perl; leave it out"},
		{map[string]any{"rows": []any{1, func() {}}}, `value["rows"][1], a func(), cannot be frozen`},
		{time.Now(), "a time.Time, cannot be frozen: it has no form in Perl; send its Unix()"},
		{&job{Next: &job{}, extra: &extra{}}, ""},
		{struct{ n int }{1}, "no exported fields; convert it to a map"},
		{errors.New("x"), "a errors.errorString, cannot be frozen: it has no exported fields"},
		{map[int]string{1: "x"}, "a map[int]string, cannot be frozen: keys of a hash are strings; convert them"},
		{map[string]any{"\xff": 1}, `value["\xff"], a string, cannot be frozen: a key of a hash is text`},
		{[]any{complex(1, 1)}, "value[0], a complex128"},
		{storable.Blessed{Value: []any{}}, "Blessed.Class is empty"},
		{storable.Blessed{Class: "A", Value: 5}, "Blessed.Value is no reference"},
		{storable.Blessed{Class: "A", Value: storable.Blessed{Class: "B", Value: []any{}}}, "Blessed.Value is no reference"},
		{storable.Blessed{Class: "A"}, "Blessed.Value is no reference"},
		{deep, "value" + strings.Repeat("[0]", 26) + "[0…, a []interface {}, cannot be frozen: nested too deep; flatten it, or raise Config.MaxDepth"},
	} {
		got, err := storable.Append([]byte("kept"), tt.value)
		if tt.text == "" {
			if err != nil {
				t.Errorf("%T: %v", tt.value, err)
			}
			continue
		}
		var bad *storable.ValueError
		if string(got) != "kept" || !errors.Is(err, storable.ErrNotEncodable) || !errors.As(err, &bad) || !strings.Contains(err.Error(), tt.text) {
			t.Errorf("%T: Append = %q, %v; want ErrNotEncodable and %q", tt.value, got, err, tt.text)
		}
	}
}

func TestDepthLimitIsTheSameBothWays(t *testing.T) {
	c := storable.Config{MaxDepth: 3}
	v := any("core")
	for n := range 6 {
		frozen, err := storable.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		// The top of a scalar is one reference for Perl.
		if _, err := c.Unmarshal(frozen); (err == nil) != (n <= 3) || err != nil && !errors.Is(err, storable.ErrTooDeep) {
			t.Errorf("reading %d levels: %v", n, err)
		}
		if _, err := c.Append(nil, v); (err == nil) != (n <= 3) || err != nil && !errors.Is(err, storable.ErrTooDeep) {
			t.Errorf("writing %d levels: %v", n, err)
		}
		v = []any{v}
	}
}

func TestSharedValuesCountEachTime(t *testing.T) {
	bomb := []any{"x"} // each level refers to the next one twice: 2⁴⁰ values in some 500 bytes
	for range 40 {
		bomb = []any{bomb, bomb}
	}
	frozen, err := storable.Marshal(bomb)
	if err != nil || len(frozen) > 600 {
		t.Fatalf("%d bytes, %v", len(frozen), err)
	}
	_, err = storable.Unmarshal(frozen)
	if !errors.Is(err, storable.ErrTooLong) || !strings.Contains(err.Error(), "Config.MaxExpanded, 16777216 bytes") {
		t.Errorf("error = %v; want ErrTooLong", err)
	}
	frozen, err = storable.Marshal(strings.Repeat("x", 1000))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (storable.Config{MaxExpanded: 1000}).Unmarshal(frozen); !errors.Is(err, storable.ErrTooLong) {
		t.Errorf("error = %v; want ErrTooLong", err)
	}
}

func TestLimitsAreChecked(t *testing.T) {
	for _, c := range []storable.Config{{MaxDepth: -1}, {MaxExpanded: -1}} {
		_, read := c.Unmarshal(nil)
		_, write := c.Append(nil, nil)
		for _, err := range []error{read, write, c.Check()} {
			if !errors.Is(err, storable.ErrConfig) || !strings.Contains(err.Error(), "is -1; want 0 for the default") {
				t.Errorf("%+v: error = %v; want ErrConfig", c, err)
			}
		}
	}
}
