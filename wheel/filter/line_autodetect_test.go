package filter_test

import (
	"testing"

	"github.com/usher-go/usher/wheel/filter"
	"github.com/usher-go/usher/wheel/filter/filtertest"
)

func TestF2_F13_AutodetectConformance(t *testing.T) {
	for name, c := range map[string]struct {
		wire, end string
		records   []string
	}{
		"CR":   {"a\r\rb\nc\r", "\r", []string{"a", "", "b\nc"}},
		"LF":   {"a\n\nb\rc\n", "\n", []string{"a", "", "b\rc"}},
		"CRLF": {"a\r\nb\rc\nd\r\n\r\n", "\r\n", []string{"a", "b\rc\nd", ""}},
		"LFCR": {"a\n\rb\r\nc\n\r", "\n\r", []string{"a", "b\r\nc"}},
	} {
		t.Run(name, func(t *testing.T) {
			filtertest.Run(t, filtertest.Case[string, string]{
				New: func() filter.Filter[string, string] {
					return newLine(t, filter.LineConfig{Autodetect: true, OutputLiteral: c.end})
				},
				Wire: []byte(c.wire), Records: c.records,
				NoHandover: true, // the filter remembers what it has adopted
			})
		})
	}
}

func TestF13_LoneByteAtTheEndIsProvisional(t *testing.T) {
	for _, tt := range []struct {
		name string
		feed []string
		want []string
	}{
		{"grows", []string{"a\r", "\nb\rc\r\n"}, []string{"a", "b\rc"}},
		{"does not grow", []string{"a\r", "b\nc\r"}, []string{"a", "b\nc"}},
		{"is doubled", []string{"a\n", "\nb\n\r"}, []string{"a", "", "b"}},
		{"nothing decides nothing", []string{"a\n", "", "\rb\n\r"}, []string{"a", "b"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newLine(t, filter.LineConfig{Autodetect: true})
			f.Feed([]byte(tt.feed[0]))
			// The line itself does not wait.
			got := outcome(f, quoted)
			wantOutcome(t, got, quoted(tt.want[0]))
			for _, p := range tt.feed[1:] {
				f.Feed([]byte(p))
				got = append(got, outcome(f, quoted)...)
			}
			var want []string
			for _, line := range tt.want {
				want = append(want, quoted(line))
			}
			wantOutcome(t, got, want...)
		})
	}
}

func TestF13_F16_RefusedLineIsAdoptedFrom(t *testing.T) {
	f := newLine(t, filter.LineConfig{Autodetect: true, MaxLength: 4})
	f.Feed([]byte("far too"))
	got := outcome(f, quoted)
	f.Feed([]byte(" long\na\rb\n"))
	wantOutcome(t, append(got, outcome(f, quoted)...), refused, quoted("a\rb"))
}

func TestF10_F13_OutputDoesNotFollowTheInput(t *testing.T) {
	f := newLine(t, filter.LineConfig{Autodetect: true})
	f.Feed([]byte("a\n"))
	wantOutcome(t, outcome(f, quoted), quoted("a"))
	if got, _ := f.Append(nil, "b"); string(got) != "b\r\n" {
		t.Errorf("Append = %q; want CRLF at its end", got)
	}
}
