package trace

import (
	"fmt"
	"strings"
	"unicode"
)

// Why says why a handler ran, from an event back to its origin, one line each:
// Context.Seq has the number of the event that is being handled,
// kernel.Exception.Seq that of one that failed.
func (r *Recorder) Why(seq uint64) string { return r.Snapshot().Why(seq) }

// Causes returns an event's handler, that of its cause, and so on as far as they
// are recorded; nothing when the event is not.
func (s *Snapshot) Causes(seq uint64) []Record {
	var chain []Record
	for r, ok := s.Find(seq); ok && len(chain) < len(s.Records); r, ok = s.Find(r.Cause) {
		chain = append(chain, r)
	}
	return chain
}

// Why is Recorder.Why, for what was recorded then. Links that repeat themselves,
// as those of a timer that sets itself again, are counted.
func (s *Snapshot) Why(seq uint64) string {
	chain := s.Causes(seq)
	if len(chain) == 0 {
		return fmt.Sprintf("event %d is not recorded\n", seq)
	}
	var b strings.Builder
	for i := 0; i < len(chain); {
		n := i + 1
		for n < len(chain) && chain[n].Name == chain[i].Name && chain[n].To == chain[i].To && chain[n].Via == chain[i].Via {
			n++
		}
		if i > 0 {
			b.WriteString("because ")
		}
		b.WriteString(s.line(&chain[i]))
		if n > i+1 {
			fmt.Fprintf(&b, ", %d times", n-i)
		}
		b.WriteByte('\n')
		i = n
	}
	if last := chain[len(chain)-1]; last.Cause != 0 {
		fmt.Fprintf(&b, "because of event %d, which is no longer recorded\n", last.Cause)
	}
	return b.String()
}

// oneLine keeps what foreign names and errors say from breaking a line.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
}
