package main

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/term"
)

// screen is a terminal on which lines scroll by above a picture that changes. What
// is no terminal gets the lines only.
type screen struct {
	out   *os.File
	live  bool     // a terminal
	lines []string // printed since the last picture
	drawn int      // lines of it
}

func newScreen(out *os.File) *screen {
	return &screen{out: out, live: term.IsTerminal(int(out.Fd()))}
}

func (s *screen) size() (width, height int) {
	w, h, err := term.GetSize(int(s.out.Fd()))
	if err != nil || w < 20 || h < 5 {
		return 80, 24
	}
	return w, h
}

func (s *screen) print(line string) {
	s.lines = append(s.lines, line)
	if !s.live {
		s.draw(nil)
	}
}

// draw replaces the picture, in one write, so that it does not flicker.
func (s *screen) draw(picture []string) {
	var b strings.Builder
	if s.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA\x1b[J", s.drawn) // up, and clear from here
	}
	for _, line := range s.lines {
		fmt.Fprintln(&b, line)
	}
	width, height := s.size()
	picture = picture[:min(len(picture), height-1)] // what has left the screen cannot be redrawn
	for _, line := range picture {
		if r := []rune(line); len(r) >= width {
			line = string(r[:width-1])
		}
		fmt.Fprintln(&b, line)
	}
	s.lines, s.drawn = nil, len(picture)
	_, _ = s.out.WriteString(b.String())
}
