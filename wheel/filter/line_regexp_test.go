package filter_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/usher-go/usher/wheel/filter"
	"github.com/usher-go/usher/wheel/filter/filtertest"
)

func lineBy(t testing.TB, pattern string) *filter.LineFilter {
	t.Helper()
	return newLine(t, filter.LineConfig{InputRegexp: regexp.MustCompile(pattern), OutputLiteral: ";"})
}

func TestF2_F5_F14_RegexpConformance(t *testing.T) {
	for name, c := range map[string]struct {
		pattern, end, wire string
		records            []string
		tail               string
	}{
		"one byte":           {`[;|]`, ";", "a;b||c;", []string{"a", "b", "", "c"}, "d"},
		"may be longer":      {`;\n?`, ";\n", "a;b;\n;\n", []string{"a", "b", ""}, "c;"},
		"up to three":        {`;{1,3}`, ";;;", "a;;;b;;c;;;;;;;d;;;", []string{"a", "b", "c", "", "", "d"}, ";;"},
		"preferred is long":  {`END|EN`, "END", "aENDbENcEND", []string{"a", "b", "c"}, "dEN"},
		"preferred is short": {`EN|END`, "EN", "aENDbEN", []string{"a", "Db"}, "E"},
		"lazy":               {`;+?`, ";", ";;a;", []string{"", "", "a"}, ""},
		"begins earlier":     {`abcd|c`, "abcd", "xabcdabcxabcd", []string{"x", "ab", "x"}, "xabc"},
		"group":              {`(?:(\r)\n|(\n)\r)`, "\r\n", "a\r\n\rb\n\r", []string{"a", "\rb"}, "\n"},
		"beyond ASCII":       {`[–—]`, "–", "a–b—–", []string{"a", "b", ""}, "\xe2"},
		"ignoring case":      {`(?i)k`, "k", "aKbkc\u212a", []string{"a", "b", "c"}, ""},
		"not UTF-8":          {`\x{FFFD}`, "\xff", "a\xffb\xfe", []string{"a", "b"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			filtertest.Run(t, filtertest.Case[string, string]{
				New: func() filter.Filter[string, string] {
					return newLine(t, filter.LineConfig{InputRegexp: regexp.MustCompile(c.pattern), OutputLiteral: c.end})
				},
				Wire: []byte(c.wire), Records: c.records, Tail: []byte(c.tail),
			})
		})
	}
}

// A line waits for no byte that cannot change it, and for each that can.
func TestF14_RegexpGivesALineAsSoonAsItIsCertain(t *testing.T) {
	for _, tt := range []struct {
		pattern string
		steps   []string // what is fed, then the lines that came of it
	}{
		{`[;\n]`, []string{"a;", "a", "\n", ""}},
		{`\r\n`, []string{"a\r", "-", "\n", "a"}},
		{`\r\n?`, []string{"a\r", "-", "\n", "a", "b\r", "-", "c", "b"}},
		{`\r\n??`, []string{"a\r", "a", "\nb\r", "\nb"}},
		{`\n\n+`, []string{"a\nb\n\n", "-", "\n", "-", "c", "a\nb"}},
		{`\s*;`, []string{"a \t", "-", " ;", "a", " b;", " b"}},
		{`;(x+y)?`, []string{"a;xx", "-", "z;", "a", "x", "-", "y", "xxz"}},
		{`abcde|c`, []string{"abc", "-", "d", "-", "f", "ab"}},
	} {
		f := lineBy(t, tt.pattern)
		for i := 0; i+1 < len(tt.steps); i += 2 {
			f.Feed([]byte(tt.steps[i]))
			got := strings.Join(outcome(f, func(s string) string { return s }), ",")
			if want := strings.TrimPrefix(tt.steps[i+1], "-"); got != want {
				t.Errorf("%s: after %q the lines %q; want %q", tt.pattern, tt.steps[i], got, want)
			}
		}
	}
}

func TestF16_RegexpDropsALongLineOnce(t *testing.T) {
	f := newLine(t, filter.LineConfig{InputRegexp: regexp.MustCompile(` *;`), MaxLength: 4})
	var got []string
	for _, b := range []byte("1234   ;12345;ok;123456  7  ;fine;") {
		f.Feed([]byte{b})
		got = append(got, outcome(f, quoted)...)
	}
	wantOutcome(t, got, quoted("1234"), refused, quoted("ok"), refused, quoted("fine"))
	for range 1000 {
		f.Feed([]byte(strings.Repeat("x", 1000)))
		outcome(f, quoted)
		if n := len(f.Pending()); n > 4 {
			t.Fatalf("%d bytes kept of a line that was refused", n)
		}
	}
}

// The line is dropped while its terminator is found, but not certain.
func TestF16_RegexpDropsUpToAnUncertainTerminator(t *testing.T) {
	const wire = "12345;xxz;12345678;xxxxy12;123456789;xx"
	for cut := range len(wire) {
		f := newLine(t, filter.LineConfig{InputRegexp: regexp.MustCompile(`;(x+y)?`), MaxLength: 4})
		f.Feed([]byte(wire[:cut]))
		got := outcome(f, quoted)
		f.Feed([]byte(wire[cut:]))
		wantOutcome(t, append(got, outcome(f, quoted)...), refused, quoted("xxz"), refused, quoted("12"), refused)
		f.Feed([]byte("1;.")) // "xx1" and no more
		wantOutcome(t, outcome(f, quoted), quoted("xx1"))
	}
}

func TestF9_F14_EndlessTerminatorMeetsMaxBuffer(t *testing.T) {
	f := newLine(t, filter.LineConfig{InputRegexp: regexp.MustCompile(`;+`), MaxLength: 4, MaxBuffer: 8})
	f.Feed([]byte("a;;;;;;;"))
	wantOutcome(t, outcome(f, quoted)) // none: it may go on
	f.Feed([]byte(";"))
	if _, _, err := f.Next(); !errors.Is(err, filter.ErrUnusable) || !errors.Is(err, filter.ErrTooLong) {
		t.Errorf("error = %v, want ErrUnusable and ErrTooLong", err)
	}
}

func TestF12_WaysToEndALineExcludeEachOther(t *testing.T) {
	semicolon := regexp.MustCompile(";")
	for _, tt := range []struct {
		c    filter.LineConfig
		want string
	}{
		{filter.LineConfig{InputLiteral: ";", InputRegexp: semicolon}, "LineConfig.InputLiteral and LineConfig.InputRegexp are both set; choose one"},
		{filter.LineConfig{InputLiteral: ";", Autodetect: true}, "LineConfig.InputLiteral and LineConfig.Autodetect are both set"},
		{filter.LineConfig{InputRegexp: semicolon, Autodetect: true}, "LineConfig.InputRegexp and LineConfig.Autodetect are both set"},
	} {
		f, err := filter.NewLine(tt.c)
		if f != nil || !errors.Is(err, filter.ErrConfig) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("NewLine(%+v) = %v, %v; want ErrConfig and %q", tt.c, f, err, tt.want)
		}
	}
}

func TestF14_RegexpsThatCannotEndALineAreRefused(t *testing.T) {
	for pattern, want := range map[string]string{
		``:         "matches the empty string",
		`\n*`:      "matches the empty string; have it match at least one character",
		`(a|b?)`:   "matches the empty string",
		`;$`:       "look at what may not have come yet",
		`(?m)^\.`:  "look at what may not have come yet; match the terminator only",
		`\bEND`:    "look at what may not have come yet",
		`\n(a|\z)`: "look at what may not have come yet",
	} {
		_, err := filter.NewLine(filter.LineConfig{InputRegexp: regexp.MustCompile(pattern)})
		if !errors.Is(err, filter.ErrConfig) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v; want ErrConfig and %q", pattern, err, want)
		}
	}
	f := lineBy(t, `[^\x00-\x{10FFFF}]`) // matches nothing: odd, and no harm
	f.Feed([]byte("a;\n\xff"))
	wantOutcome(t, outcome(f, quoted))
}
