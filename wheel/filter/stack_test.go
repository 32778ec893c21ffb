package filter_test

import (
	"errors"
	"testing"

	"github.com/usher-go/usher/wheel/filter"
	"github.com/usher-go/usher/wheel/filter/filtertest"
)

func TestF2_F5_F48_StackConformance(t *testing.T) {
	line := func() *filter.LineFilter {
		return newLine(t, filter.LineConfig{InputLiteral: "\n", OutputLiteral: "\n"})
	}
	for name, c := range map[string]filtertest.Case[string, string]{
		"lines in blocks": {
			New:  func() filter.Filter[string, string] { return filter.Stack(line(), filter.Block()) },
			Wire: []byte("4\x00a\nbc2\x00d\n0\x003\x00\ne\n"), Records: []string{"a", "bcd", "", "e"}, Tail: []byte("3\x00f"),
		},
		"two below": {
			New:  func() filter.Filter[string, string] { return filter.Stack(line(), shifted(1), filter.Block()) },
			Wire: []byte(up(framed("a\nbc", "d\n", "\n"))), Records: []string{"a", "bcd", ""}, Tail: []byte(up(framed("e"))),
		},
		"nothing below": {
			New:  func() filter.Filter[string, string] { return filter.Stack(line()) },
			Wire: []byte("a\nb\n"), Records: []string{"a", "b"}, Tail: []byte("c"),
		},
	} {
		t.Run(name, func(t *testing.T) { filtertest.Run(t, c) })
	}
}

// Layers change between two records, below a filter whose records are lines.
func TestF48_F49_StackOverAStackableOfMine(t *testing.T) {
	below := filter.NewStackable()
	f := filter.Stack(filter.Line(), below)
	f.Feed([]byte("plain\r\nstart\r\n"))
	wantOutcome(t, outcome(f, quoted), quoted("plain"), quoted("start"))
	below.Push(filter.Block())
	f.Feed([]byte("7\x00block\r\n3\x00sto"))
	wantOutcome(t, outcome(f, quoted), quoted("block"))
	if got := string(must(f.Append([]byte(">"), "ok"))); got != ">4\x00ok\r\n" {
		t.Errorf("Append = %q", got)
	}
	below.Shift()
	f.Feed([]byte("p\r\nplain\r\n"))
	wantOutcome(t, outcome(f, quoted), quoted("stop"), quoted("plain"))
}

func TestF48_StackAppendErrors(t *testing.T) {
	f := filter.Stack[[]byte, []byte](newBlock(t, filter.BlockConfig{MaxLength: 2}), newBlock(t, filter.BlockConfig{MaxLength: 3}))
	for _, rec := range []string{"abc", "ab"} { // the one is too long for the top, the other, with its prefix, for what is below
		if got, err := f.Append([]byte(">"), []byte(rec)); string(got) != ">" || !errors.Is(err, filter.ErrTooLong) {
			t.Errorf("Append(%q) = %q, %v", rec, got, err)
		}
	}
	if got := string(must(f.Append(nil, []byte("a")))); got != "3\x001\x00a" {
		t.Errorf("Append = %q", got)
	}
}
