package filter_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/usher-go/usher/wheel/filter"
	"github.com/usher-go/usher/wheel/filter/filtertest"
)

func newLine(t testing.TB, c filter.LineConfig) *filter.LineFilter {
	t.Helper()
	f, err := filter.NewLine(c)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// outcome is what Next gave, records and errors in one list.
func outcome[In any](f interface {
	Next() (In, bool, error)
}, show func(In) string) []string {
	var got []string
	for {
		rec, ok, err := f.Next()
		switch {
		case err != nil:
			got = append(got, "error: "+err.Error())
			if errors.Is(err, filter.ErrUnusable) {
				return got
			}
		case ok:
			got = append(got, show(rec))
		default:
			return got
		}
	}
}

func quoted(s string) string { return `"` + s + `"` }

func wantOutcome(t *testing.T, got []string, want ...string) {
	t.Helper()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestF2_F3_F4_F5_F10_F14_LineConformance(t *testing.T) {
	with := func(c filter.LineConfig) func() filter.Filter[string, string] {
		return func() filter.Filter[string, string] { return newLine(t, c) }
	}
	for name, c := range map[string]filtertest.Case[string, string]{
		"LF": {
			New: filter.Line, Wire: []byte("one\n\nthree\n"), Records: []string{"one", "", "three"}, Tail: []byte("fo"),
		},
		"F11 CRLF": {
			New: filter.Line, Wire: []byte("one\r\n\r\nthree\r\n"), Records: []string{"one", "", "three"}, Tail: []byte("fo"),
			NoHandover: true, // the filter remembers that an LF may follow
		},
		"F10 mixed": {
			New: filter.Line, Wire: []byte("cr\rlf\n\n\rcrlf\r\nlfcr\n\r\r\r\nx\n"),
			Records: []string{"cr", "lf", "", "crlf", "lfcr", "", "", "x"}, NoHandover: true,
		},
		"F14 one byte": {
			New: with(filter.LineConfig{InputLiteral: ";", OutputLiteral: ";"}), Wire: []byte("a;;b\n;"),
			Records: []string{"a", "", "b\n"}, Tail: []byte("c"),
		},
		"F14 overlapping itself": {
			New:  with(filter.LineConfig{InputLiteral: "aab", OutputLiteral: "aab"}),
			Wire: []byte("aaabxaabaab"), Records: []string{"a", "x", ""}, Tail: []byte("aa"),
		},
		"F14 binary": {
			New:  with(filter.LineConfig{InputLiteral: "\x00\xff", OutputLiteral: "\x00\xff"}),
			Wire: []byte("a\x00\x00\xff\xfe\x00\xff"), Records: []string{"a\x00", "\xfe"}, Tail: []byte("\x00"),
		},
	} {
		t.Run(name, func(t *testing.T) { filtertest.Run(t, c) })
	}
}

func TestF10_OutputEndsInCRLF(t *testing.T) {
	got, err := filter.Line().Append([]byte("> "), "hello")
	if err != nil || string(got) != "> hello\r\n" {
		t.Errorf("Append = %q, %v", got, err)
	}
}

func TestF10_LongLinesWithAnyTerminator(t *testing.T) {
	// Longer than one window of the search, with the terminator at its edges.
	for n := 1020; n < 1030; n++ {
		for _, end := range []string{"\r", "\n", "\r\n", "\n\r"} {
			line := strings.Repeat("x", n)
			f := filter.Line()
			f.Feed([]byte(line + end + "y\n"))
			wantOutcome(t, outcome(f, quoted), quoted(line), quoted("y"))
		}
	}
}

func TestF11_SplitPairsGiveNoEmptyLine(t *testing.T) {
	f := filter.Line()
	for _, step := range []struct {
		feed string
		want []string
	}{
		{"a\r", []string{"a"}},     // the line is not held back for a byte that may never come
		{"\nb\n", []string{"b"}},   // LF belonged to CR
		{"\r", nil},                // CR belonged to LF
		{"\r", []string{""}},       // this one does not
		{"c\r", []string{"c"}},     // no mate came
		{"", nil},                  // an empty Feed decides nothing
		{"\n", nil},                // the mate came late
		{"\n\n", []string{"", ""}}, // and these are empty lines
	} {
		f.Feed([]byte(step.feed))
		var want []string
		for _, line := range step.want {
			want = append(want, quoted(line))
		}
		wantOutcome(t, outcome(f, quoted), want...)
	}
}

func TestF11_PendingDoesNotShowTheMate(t *testing.T) {
	f := filter.Line()
	f.Feed([]byte("a\r"))
	wantOutcome(t, outcome(f, quoted), quoted("a"))
	f.Feed([]byte("\nrest"))
	if got := f.Pending(); string(got) != "rest" {
		t.Errorf("Pending = %q; want the LF dropped when it came", got)
	}
}

func TestF15_NoCheckForTerminatorsInside(t *testing.T) {
	got, err := filter.Line().Append(nil, "two\r\nlines")
	if err != nil || string(got) != "two\r\nlines\r\n" {
		t.Errorf("Append = %q, %v", got, err)
	}
}

func TestF17_LastLineStaysPending(t *testing.T) {
	f := filter.Line()
	f.Feed([]byte("one\ntwo"))
	wantOutcome(t, outcome(f, quoted), quoted("one"))
	if got := f.Pending(); string(got) != "two" {
		t.Errorf("Pending = %q, want %q", got, "two")
	}
	f.Feed([]byte("\n"))
	wantOutcome(t, outcome(f, quoted), quoted("two"))
}

func TestF12_LiteralsAreIndependent(t *testing.T) {
	f := newLine(t, filter.LineConfig{InputLiteral: "\n"})
	f.Feed([]byte("a\r\nb\n"))
	wantOutcome(t, outcome(f, quoted), quoted("a\r"), quoted("b"))
	if got, _ := f.Append(nil, "c"); string(got) != "c\r\n" {
		t.Errorf("Append = %q; the output default does not follow the input", got)
	}
}
