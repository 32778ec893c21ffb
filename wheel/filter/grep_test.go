package filter_test

import (
	"strings"
	"testing"

	"github.com/usher-go/usher/wheel/filter"
	"github.com/usher-go/usher/wheel/filter/filtertest"
)

func notComment(line string) bool { return !strings.HasPrefix(line, "#") }

func TestF2_F5_F47_GrepConformance(t *testing.T) {
	for name, pass := range map[string]func(string) bool{"some": notComment, "all": nil} {
		t.Run(name, func(t *testing.T) {
			c := filtertest.Case[string, string]{
				New: func() filter.Filter[string, string] {
					return filter.Grep(newLine(t, filter.LineConfig{InputLiteral: "\n", OutputLiteral: "\n"}), pass, pass)
				},
				Wire: []byte("#1\na\n#2\n#3\nb\n\n"), Records: []string{"a", "b", ""}, Tail: []byte("#"),
			}
			if pass == nil {
				c.Records = []string{"#1", "a", "#2", "#3", "b", ""}
			}
			filtertest.Run(t, c)
		})
	}
}

func TestF47_RejectedRecordsAreSkippedWithoutStalling(t *testing.T) {
	f := filter.Grep(newLine(t, filter.LineConfig{MaxLength: 4}), notComment, notComment)
	f.Feed([]byte("#1\n#2\na\n12345\n#3\nb\n#4\n"))
	wantOutcome(t, outcome(f, quoted), quoted("a"), refused, quoted("b"))
	var got []byte
	for _, line := range []string{"a", "#1", "b"} {
		got = must(f.Append(got, line))
	}
	if string(got) != "a\r\nb\r\n" {
		t.Errorf("Append wrote %q", got)
	}
}

func TestF45_PredicatesChangeLive(t *testing.T) {
	f := filter.Grep(filter.Line(), notComment, nil)
	f.Feed([]byte("#1\na\n#2\n"))
	if rec, _, _ := f.Next(); rec != "a" {
		t.Errorf("rec = %q", rec)
	}
	f.Get, f.Put = nil, notComment
	wantOutcome(t, outcome(f, quoted), quoted("#2"))
	if got := string(must(f.Append([]byte(">"), "#3"))); got != ">" {
		t.Errorf("Append = %q; want nothing", got)
	}
}
