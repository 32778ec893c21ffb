package filter_test

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"slices"
	"testing"

	"github.com/usher-go/usher/wheel/filter"
)

// fed returns what f gives of data cut where cuts says, errors by their kind
// only, because their text quotes as much as had come. No more than most bytes
// may be left when f has been asked for all it has.
func fed[In, Out any](t *testing.T, f filter.Filter[In, Out], show func(In) string, data, cuts []byte, most int) (got []string) {
	t.Helper()
	inPieces(data, cuts, func(p []byte) bool {
		f.Feed(p)
		for {
			rec, ok, err := f.Next()
			switch {
			case err == nil && !ok:
				if n := len(f.Pending()); n > most {
					t.Fatalf("%d bytes kept", n)
				}
				return true
			case ok:
				got = append(got, show(rec))
				continue
			case errors.Is(err, filter.ErrUnusable):
				got = append(got, "the end")
				return false
			}
			got = append(got, "an error")
		}
	})
	return got
}

// FuzzLineRegexp: lines do not depend on cuts, are those that package regexp
// finds, and are there as soon as package regexp is certain of them.
func FuzzLineRegexp(f *testing.F) {
	f.Add([]byte("one\r\n\r\ntwo\rthree\n\rfour"), []byte{0}, `\r\n?|\n\r?`)
	f.Add([]byte("a;;;b;xxxc;xxyd"), []byte{1, 2}, `;(x+y)?`)
	f.Add([]byte("xabcdabcxabcdabcabcdex"), []byte{3, 0}, `abcde|c`)
	f.Add([]byte("a–b—\xe2\x80–\xff\u212aKk"), []byte{}, `(?i)[–k]|\x{FFFD}`)
	f.Add([]byte("aaaaabaaabbbbab"), []byte{0}, `(?:a|ab)+?b*?b`)
	f.Fuzz(func(t *testing.T, data, cuts []byte, pattern string) {
		if len(pattern) > 24 || len(data) > 256 {
			return
		}
		re, err := regexp.Compile(pattern)
		if err != nil {
			return
		}
		fresh := func(maxLength int) filter.Filter[string, string] {
			f, err := filter.NewLine(filter.LineConfig{InputRegexp: re, MaxLength: maxLength})
			if err != nil {
				return nil
			}
			return f
		}
		if fresh(0) == nil {
			return
		}
		data = append(data, 'x') // no rune is left open
		got := fed(t, fresh(0), quoted, data, nil, len(data))
		wantOutcome(t, fed(t, fresh(0), quoted, data, cuts, len(data)), got...)
		wantOutcome(t, fed(t, fresh(3), quoted, data, cuts, len(data)), fed(t, fresh(3), quoted, data, nil, len(data))...)
		lines, certain := linesByRegexp(data, re)
		if len(got) < certain || len(got) > len(lines) || !slices.Equal(got, lines[:len(got)]) {
			t.Fatalf("%q cuts %q into %q; want %q, at least %d of them", pattern, data, got, lines, certain)
		}
	})
}

// linesByRegexp returns the lines of data, and how many of them package regexp
// finds without asking what comes behind data.
func linesByRegexp(data []byte, re *regexp.Regexp) (lines []string, certain int) {
	for {
		m := re.FindIndex(data)
		if m == nil {
			return lines, certain
		}
		r := &endSeen{Reader: bytes.NewReader(data)}
		re.FindReaderIndex(r)
		lines = append(lines, quoted(string(data[:m[0]])))
		if !r.seen && certain == len(lines)-1 {
			certain++
		}
		data = data[m[1]:]
	}
}

type endSeen struct {
	*bytes.Reader
	seen bool
}

func (r *endSeen) ReadRune() (rune, int, error) {
	c, n, err := r.Reader.ReadRune()
	r.seen = r.seen || err == io.EOF
	return c, n, err
}

// FuzzLineAutodetect: from the first terminator on, lines are those of a filter
// that was given it.
func FuzzLineAutodetect(f *testing.F) {
	f.Add([]byte("one\r\n\r\ntwo\rthree\n\rfour\r\n"), []byte{0})
	f.Add([]byte("far too long\rok\r\r\n\n"), []byte{1, 2})
	f.Add([]byte("\n\r\n\ra\r\nb\n"), []byte{0, 3})
	f.Fuzz(func(t *testing.T, data, cuts []byte) {
		const maxLength = 4
		line, err := filter.NewLine(filter.LineConfig{Autodetect: true, MaxLength: maxLength})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		inPieces(data, cuts, func(p []byte) bool {
			line.Feed(p)
			got = append(got, outcome(line, quoted)...)
			if n := len(line.Pending()); n > maxLength+1 {
				t.Fatalf("%d bytes kept", n)
			}
			return true
		})
		wantOutcome(t, got, linesOf(string(data), newline.FindString(string(data)), maxLength)...)
	})
}
