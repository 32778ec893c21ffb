package filter

import "strings"

// LineFilter splits a stream into lines, without their terminators. A last
// line without terminator stays pending for ever (F17).
//
// A line longer than MaxLength is refused once, with a *LimitError, as soon as
// it is known to be too long, and dropped up to its terminator (F16). POE keeps
// an unfinished one until MaxBuffer is full.
type LineFilter struct {
	in         input
	find       finder
	output     string
	maxLength  int
	anyNewline bool // CR, LF, CRLF and LFCR all end a line
	adopting   bool // until the first of them has come (F13)

	scanned  int  // unparsed bytes known to hold no terminator
	dropping bool // inside a line that was refused
	mate     byte // second byte of CRLF or LFCR, if it still has to come; or 0
}

var _ Filter[string, string] = (*LineFilter)(nil)

// Line returns a LineFilter with the defaults of LineConfig.
func Line() Filter[string, string] {
	f, err := NewLine(LineConfig{})
	if err != nil {
		panic(err) // a bug in this package: the defaults contradict each other
	}
	return f
}

// NewLine returns a LineFilter, or an error that matches ErrConfig.
func NewLine(c LineConfig) (*LineFilter, error) {
	if err := c.fill(); err != nil {
		return nil, err
	}
	f := &LineFilter{
		in:        input{field: "LineConfig.MaxBuffer", max: c.MaxBuffer},
		output:    c.OutputLiteral,
		maxLength: c.MaxLength,
		adopting:  c.Autodetect,
	}
	switch {
	case c.InputRegexp != nil:
		m, err := newMatcher(c.InputRegexp)
		if err != nil {
			return nil, err
		}
		f.find = m.find
	case c.InputLiteral != "":
		f.find = findLiteral(strings.Clone(c.InputLiteral))
	default:
		f.find, f.anyNewline = findNewline, true
	}
	return f, nil
}

// Feed stores a copy of p. The second half of a CRLF or LFCR whose first half
// came earlier is dropped here, so that it gives no empty line (unlike F11).
func (f *LineFilter) Feed(p []byte) {
	if f.mate != 0 && len(p) > 0 {
		terminator := []byte{mateOf(f.mate)}
		if p[0] == f.mate {
			terminator, p = append(terminator, f.mate), p[1:]
		}
		f.mate = 0
		f.adopt(terminator)
	}
	f.in.feed(p)
}

// Next returns one line. Its errors are *LimitError: for a line over MaxLength,
// after which parsing goes on, and for input over MaxBuffer, which also matches
// ErrUnusable (F9).
func (f *LineFilter) Next() (string, bool, error) {
	p := f.in.bytes()
	at, n := f.find(p, f.scanned)
	ended := n > 0
	switch {
	case f.dropping:
		f.skip(p, at, n)
		f.dropping = !ended
		if ended {
			return f.Next()
		}
	case at > f.maxLength:
		f.skip(p, at, n)
		f.dropping = !ended
		return "", false, f.tooLong()
	case ended:
		line := string(p[:at])
		f.skip(p, at, n)
		return line, true, nil
	default:
		f.scanned = at
	}
	if f.in.over {
		return "", false, f.in.overflow()
	}
	return "", false, nil
}

// skip forgets a line of length at and its terminator of length n.
func (f *LineFilter) skip(p []byte, at, n int) {
	switch {
	case f.anyNewline && n == 1 && at+n == len(p):
		f.mate = mateOf(p[at])
	case n > 0:
		f.adopt(p[at : at+n])
	}
	f.in.skip(at + n)
	f.scanned = 0
}

// adopt makes the first terminator the only one, if that was asked for (F13).
func (f *LineFilter) adopt(terminator []byte) {
	if f.adopting {
		f.find = findLiteral(string(terminator))
		f.anyNewline, f.adopting = false, false
	}
}

func (f *LineFilter) tooLong() error {
	return &LimitError{
		What: "line", Field: "LineConfig.MaxLength", Limit: f.maxLength,
		remedy: "it was dropped; raise the limit, or have the peer send shorter lines",
	}
}

// Append appends line and OutputLiteral to dst; it never fails. A terminator
// inside line is not looked for (F15): refuse or replace it if line comes from
// somebody else.
func (f *LineFilter) Append(dst []byte, line string) ([]byte, error) {
	return append(append(dst, line...), f.output...), nil
}

// Pending returns a copy of the unparsed input. What is left of a line that
// was refused does not belong to it.
func (f *LineFilter) Pending() []byte { return f.in.pending() }
