package filtertest

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/usher-go/usher/wheel/filter"
)

type lines = filter.Filter[string, string]

// Each of these keeps every promise of a filter but one.
type (
	keeping  struct{ *model } // Feed keeps its argument
	clearing struct{ *model } // Pending clears
	eager    struct{ *model } // Next makes a record of an unfinished line
	hiding   struct{ *model } // Pending shows nothing
	sharing  struct{ *model } // Pending shares memory
	forget   struct{ *model } // Append forgets what dst held
	counting struct{ *model } // Append writes differently each time
	mixed    struct{ *model } // Append disturbs the input
	greedy   struct {         // only the first record of a Feed is found
		*model
		done bool
	}
)

// model is a correct line filter, simple enough to break.
type model struct {
	buf []byte
	n   int
}

func (f *model) Feed(p []byte) { f.buf = append(f.buf, p...) }

func (f *model) Next() (string, bool, error) {
	line, rest, ok := bytes.Cut(f.buf, []byte("\n"))
	if !ok {
		return "", false, nil
	}
	f.buf = slices.Clone(rest)
	return string(line), true, nil
}

func (f *model) Append(dst []byte, line string) ([]byte, error) {
	return append(append(dst, line...), '\n'), nil
}

func (f *model) Pending() []byte { return append([]byte(nil), f.buf...) }

func (f *keeping) Feed(p []byte) {
	if f.buf == nil {
		f.buf = p
		return
	}
	f.model.Feed(p)
}

func (f *clearing) Pending() []byte {
	defer func() { f.buf = nil }()
	return f.model.Pending()
}

func (f *eager) Next() (string, bool, error) {
	rec, ok, err := f.model.Next()
	if !ok && len(f.buf) > 0 {
		rec, ok, f.buf = string(f.buf), true, nil
	}
	return rec, ok, err
}

func (f *hiding) Pending() []byte { return nil }

func (f *sharing) Pending() []byte {
	if len(f.buf) == 0 {
		return nil
	}
	return f.buf
}

func (f *forget) Append(dst []byte, line string) ([]byte, error) { return f.model.Append(nil, line) }

func (f *counting) Append(dst []byte, line string) ([]byte, error) {
	f.n++
	return f.model.Append(dst, line+strings.Repeat("!", f.n))
}

func (f *mixed) Append(dst []byte, line string) ([]byte, error) {
	f.buf = nil
	return f.model.Append(dst, line)
}

func (f *greedy) Feed(p []byte) { f.done = false; f.model.Feed(p) }

func (f *greedy) Next() (string, bool, error) {
	if f.done {
		return "", false, nil
	}
	rec, ok, err := f.model.Next()
	f.done = ok
	return rec, ok, err
}

func caseOf(newFilter func() lines) Case[string, string] {
	return Case[string, string]{
		New:     newFilter,
		Wire:    []byte("one\n\nthree\n"),
		Records: []string{"one", "", "three"},
		Tail:    []byte("fo"),
		Equal:   func(a, b string) bool { return a == b },
	}
}

func TestF2_F5_CorrectFilterPasses(t *testing.T) {
	c := caseOf(func() lines { return new(model) })
	c.Equal = nil // the default
	Run(t, c)
}

// What a check is worth shows when it meets the fault it is for.
func TestF2_F5_BrokenFiltersFail(t *testing.T) {
	for _, tt := range []struct {
		fault, check string
		filter       func() lines
	}{
		{"Feed keeps its argument", "copies", func() lines { return &keeping{new(model)} }},
		{"Pending clears", "pending", func() lines { return &clearing{new(model)} }},
		{"Pending hides", "handover", func() lines { return &hiding{new(model)} }},
		{"Pending shares memory", "copies", func() lines { return &sharing{new(model)} }},
		{"unfinished record given out", "bytewise", func() lines { return &eager{new(model)} }},
		{"unfinished record given out", "split", func() lines { return &eager{new(model)} }},
		{"one record per Feed", "whole", func() lines { return &greedy{model: new(model)} }},
		{"Append forgets dst", "append", func() lines { return &forget{new(model)} }},
		{"Append is stateful", "append", func() lines { return &counting{new(model)} }},
		{"Append disturbs the input", "bytewise", func() lines { return &mixed{new(model)} }},
	} {
		t.Run(tt.fault+"/"+tt.check, func(t *testing.T) {
			all := checks[string, string]()
			i := slices.IndexFunc(all, func(c check[string, string]) bool { return c.name == tt.check })
			if err := all[i].run(caseOf(tt.filter)); err == nil {
				t.Errorf("the check %q does not see it", tt.check)
			}
		})
	}
}

func TestF18_JoinIgnoresBoundaries(t *testing.T) {
	c := Case[[]byte, []byte]{
		New:     filter.Stream,
		Wire:    []byte("no boundaries"),
		Records: [][]byte{[]byte("no boundaries")},
		Equal:   bytes.Equal,
	}
	if err := split(c); err == nil {
		t.Error("without Join, two pieces pass for one record")
	}
	c.Join = func(a, b []byte) []byte { return slices.Concat(a, b) }
	Run(t, c)
}
