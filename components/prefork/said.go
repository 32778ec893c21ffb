//go:build unix

package prefork

import (
	"encoding/binary"
	"runtime"
	"strings"
	"unicode/utf8"
)

// maxSaid is what fits on a line of the scoreboard.
const maxSaid = 48

// say shows what the worker is doing; "" for nothing. One goroutine at a time may
// call it.
func (s *seat) say(text string) {
	l, n := s.line, min(len(text), maxSaid)
	l.said.Store(0)
	for i := 0; i < n; i += 8 {
		var word [8]byte
		copy(word[:], text[i:n])
		l.text[i/8].Store(binary.LittleEndian.Uint64(word[:]))
	}
	l.said.Store(uint64(n))
	runtime.KeepAlive(s.board)
}

// reads returns what say has shown. While it changes, this may be a bit of both: it
// is only data.
func (l *line) reads() string {
	var all [maxSaid]byte
	n := min(l.said.Load(), maxSaid)
	for i := uint64(0); i < n; i += 8 {
		binary.LittleEndian.PutUint64(all[i:], l.text[i/8].Load())
	}
	text := string(all[:n])
	if n == maxSaid { // a character may be cut in two
		for i := 1; i < utf8.UTFMax && !utf8.ValidString(text); i++ {
			text = string(all[:maxSaid-i])
		}
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}
