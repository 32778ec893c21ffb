package wheel_test

import (
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"
)

// screen is what a terminal would show: as much of ECMA-48 as an editor uses.
type screen struct {
	width    int
	rows     [][]rune
	row, col int
	seq      []byte // an escape sequence that has begun
	char     []byte // likewise a character
	beeps    int
}

func (s *screen) feed(p []byte) {
	for _, b := range p {
		switch {
		case len(s.seq) > 0 || b == 0x1b:
			s.seq = append(s.seq, b)
			if n := len(s.seq); n > 2 && b >= '@' && b <= '~' {
				s.control(string(s.seq[2:n-1]), b)
				s.seq = nil
			}
		case b == '\r':
			s.col = 0
		case b == '\n':
			s.row++
		case b == '\a':
			s.beeps++
		default:
			if s.char = append(s.char, b); utf8.FullRune(s.char) {
				r, _ := utf8.DecodeRune(s.char)
				s.char = nil
				s.show(r)
			}
		}
	}
}

// show wraps late, as terminals do: at the character after the last column.
func (s *screen) show(r rune) {
	if s.col == s.width {
		s.row, s.col = s.row+1, 0
	}
	line := s.line()
	for len(*line) <= s.col {
		*line = append(*line, ' ')
	}
	(*line)[s.col] = r
	s.col++
}

func (s *screen) line() *[]rune {
	for len(s.rows) <= s.row {
		s.rows = append(s.rows, nil)
	}
	return &s.rows[s.row]
}

func (s *screen) control(arg string, final byte) {
	n := 0
	for _, d := range arg {
		n = 10*n + int(d-'0')
	}
	switch step := max(n, 1); final {
	case 'A':
		s.row = max(0, s.row-step)
	case 'B':
		s.row += step
	case 'C':
		s.col = min(s.width-1, s.col+step)
	case 'D':
		s.col = max(0, s.col-step)
	case 'H':
		s.row, s.col = 0, 0
	case 'J':
		if n == 2 {
			s.rows = nil
			return
		}
		s.clearRight()
		s.rows = s.rows[:min(len(s.rows), s.row+1)]
	case 'K':
		s.clearRight()
	}
}

func (s *screen) clearRight() {
	line := s.line()
	*line = (*line)[:min(len(*line), s.col)]
}

// lines are without blanks at their ends, and without empty lines at the end.
func (s *screen) lines() []string {
	var lines []string
	for _, r := range s.rows {
		lines = append(lines, strings.TrimRight(string(r), " "))
	}
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// typist is who sits at a terminal, used by a test's goroutine.
type typist struct {
	t *testing.T
	w io.Writer

	mu     sync.Mutex
	look   sync.Cond
	screen screen
	raw    []byte
	gone   bool
}

// sit watches what comes from r on a screen of that width, until it ends.
func sit(t *testing.T, rw io.ReadWriter, width int) *typist {
	u := &typist{t: t, w: rw, screen: screen{width: width}}
	u.look.L = &u.mu
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := rw.Read(buf)
			u.mu.Lock()
			u.screen.feed(buf[:n])
			u.raw = append(u.raw, buf[:n]...)
			u.gone = err != nil
			u.look.Broadcast()
			u.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	return u
}

// starts types when there is a prompt: before raw mode the keys are the system's.
func (u *typist) starts(keys string) {
	u.t.Helper()
	u.shows("> ")
	u.types(keys)
}

func (u *typist) types(keys string) {
	u.t.Helper()
	if _, err := io.WriteString(u.w, keys); err != nil {
		u.t.Errorf("typing %q: %v", keys, err)
	}
}

// sees waits until the screen shows exactly these lines.
func (u *typist) sees(lines ...string) {
	u.t.Helper()
	if !u.until(func() bool { return slices.Equal(u.screen.lines(), lines) }) {
		u.mu.Lock()
		defer u.mu.Unlock()
		u.t.Errorf("the screen shows\n %q\nwant\n %q\nbytes: %q", u.screen.lines(), lines, u.raw)
	}
}

func (u *typist) until(ok func() bool) bool {
	late := false
	timer := time.AfterFunc(patience, func() {
		u.mu.Lock()
		late = true
		u.look.Broadcast()
		u.mu.Unlock()
	})
	defer timer.Stop()
	u.mu.Lock()
	defer u.mu.Unlock()
	for !ok() && !late && !u.gone {
		u.look.Wait()
	}
	return ok()
}

func (u *typist) beeps() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.screen.beeps
}

// bytes is everything that was written to the terminal.
func (u *typist) bytes() string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return string(u.raw)
}

// shows waits until something was written.
func (u *typist) shows(part string) {
	u.t.Helper()
	if !u.until(func() bool { return strings.Contains(string(u.raw), part) }) {
		u.t.Errorf("%q was not written, but %q", part, u.bytes())
	}
}

// width makes the window another size, without drawing anything.
func (u *typist) width(n int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.screen.width = n
}

func (u *typist) lines() []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.screen.lines()
}
