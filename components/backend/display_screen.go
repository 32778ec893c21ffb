package backend

import (
	"fmt"
	"io"
	"strings"
	"unicode"
)

// screen is a terminal with a picture that is drawn again where it stands, or what
// is no terminal and gets lines.
type screen struct {
	out   io.Writer
	size  func() (width, height int, ok bool)
	plain bool     // no colours
	said  []string // since the last picture
	drawn []int    // cells of each line of it
}

// spans are a line: texts with a style each, a list of SGR codes (ECMA-48, 8.3.117).
type spans []span

type span struct{ style, text string }

func (s *screen) live() bool { _, _, ok := s.size(); return ok }

// print says a line: at once, or above the next picture.
func (s *screen) print(text string) error {
	if s.live() {
		s.said = append(s.said, text)
		return nil
	}
	_, err := io.WriteString(s.out, printable(text)+"\n")
	return err
}

// draw puts lines in the place of those drawn before, in one write, so that nothing
// flickers. Lines are cut at the edge, and those below it left out: what has left
// the screen cannot be drawn again.
func (s *screen) draw(picture ...spans) error {
	width, height, ok := s.size()
	if !ok {
		return nil
	}
	var b strings.Builder
	if up := min(s.rows(width), height-1); up > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", up)
	}
	b.WriteString("\r\x1b[J")
	for _, text := range s.said {
		b.WriteString(printable(text) + "\r\n")
	}
	s.said, s.drawn = nil, nil
	b.WriteString("\x1b[?7l") // whatever a terminal takes a character's width for, no line gets two rows
	for _, l := range picture[:min(len(picture), max(height-1, 0))] {
		s.drawn = append(s.drawn, s.put(&b, l, width-1))
		b.WriteString("\r\n")
	}
	b.WriteString("\x1b[?7h")
	_, err := io.WriteString(s.out, b.String())
	return err
}

// rows is how many the picture takes now: a terminal that became narrower has
// wrapped its lines.
func (s *screen) rows(width int) (n int) {
	for _, cells := range s.drawn {
		n += max(1, (cells+width-1)/max(width, 1))
	}
	return n
}

// put writes a line of at most so many cells, and returns how many it has.
func (s *screen) put(b *strings.Builder, l spans, width int) (cells int) {
	for _, p := range l {
		text := cut(printable(p.text), width-cells)
		cells += cellsOf(text)
		if p.style != "" && !s.plain {
			text = "\x1b[" + p.style + "m" + text + "\x1b[0m"
		}
		b.WriteString(text)
	}
	return cells
}

// picture is a table under a title, of the columns and rows that there is room for.
func (s *screen) picture(title string, rows []row) []spans {
	width, height, _ := s.size()
	name := len(columns[0].title)
	for _, r := range rows {
		name = max(name, cellsOf(printable(r.service())))
	}
	shown := columns
	for len(shown) > 2 && widthOf(shown, min(name, enough)) > width-1 {
		shown = shown[:len(shown)-1]
	}
	name = max(min(name, maxService, width-1-widthOf(shown, 0)), 1)

	var head spans
	for i, col := range shown {
		head = append(head, span{"2", pad(col.title, col.cells(name)) + gap(i, shown)})
	}
	lines := []spans{{{"1", title}}, head}
	left := len(rows)
	if room := max(height-1-len(lines), 0); left > room {
		left = max(room-1, 0) // the last line is for the others
	}
	for _, r := range rows[:left] {
		var l spans
		for i, col := range shown {
			style := ""
			if i == 1 {
				style = r.style()
			} else if r.Liveness == LiveDisconnected {
				style = "2"
			}
			l = append(l, span{style, pad(printable(col.of(r)), col.cells(name))}, span{"", gap(i, shown)})
		}
		lines = append(lines, l)
	}
	if more := len(rows) - left; more > 0 {
		lines = append(lines, spans{{"2", fmt.Sprintf("… and %d more", more)}})
	}
	return lines
}

// maxService is how wide the names may become, and enough what they want before
// another column gets its room.
const (
	maxService = 40
	enough     = 16
)

// cells is the width of a column, negative for what stands at its right.
func (c column) cells(name int) int {
	if c.width == 0 {
		return name
	}
	return c.width
}

func widthOf(shown []column, name int) (n int) {
	for _, col := range shown {
		n += max(col.cells(name), -col.cells(name))
	}
	return n + 2*(len(shown)-1)
}

func gap(i int, shown []column) string {
	if i == len(shown)-1 {
		return ""
	}
	return "  "
}

// pad makes text exactly as wide as a column.
func pad(text string, width int) string {
	if width < 0 {
		text = cut(text, -width)
		return strings.Repeat(" ", max(0, -width-cellsOf(text))) + text
	}
	text = cut(text, width)
	return text + strings.Repeat(" ", max(0, width-cellsOf(text)))
}

// cut leaves at most so many cells, the last one being "…" if something is missing.
func cut(text string, width int) string {
	switch {
	case width < 1:
		return ""
	case cellsOf(text) <= width:
		return text
	}
	n := 0
	for i, r := range text {
		if n += cellOf(r); n > width-1 {
			return text[:i] + "…"
		}
	}
	return text
}

func cellsOf(text string) (n int) {
	for _, r := range text {
		n += cellOf(r)
	}
	return n
}

// cellOf is at most too much: scripts of two cells begin with Hangul Jamo, and what
// is narrow behind them leaves a gap. The general punctuation is of ours.
func cellOf(r rune) int {
	if r < 0x1100 || r >= 0x2000 && r < 0x2600 {
		return 1
	}
	return 2
}

// printable leaves what a terminal shows, and none of what it obeys: neither control
// characters nor those that turn the direction of writing (Unicode's category Cf).
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '·'
	}, text)
}
