package main

import (
	"fmt"
	"io"
	"os"
	"time"
)

// progress shows how far the measurement is: one line rewritten on a terminal,
// elsewhere one line per round.
type progress struct {
	w     io.Writer
	tty   bool
	now   func() time.Time
	start time.Time
	taken int // samples
	total int // samples
}

func newProgress(w io.Writer, tty bool, now func() time.Time) *progress {
	return &progress{w: w, tty: tty, now: now, start: now()}
}

// isTerminal takes any character device for a terminal; /dev/null does not
// mind.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// sample says which sample begins; first is the first of its round.
func (p *progress) sample(row, peer string, round, rounds int, first bool) {
	text := fmt.Sprintf("%3d/%d  %s, round %d of %d", p.taken, p.total, row, round, rounds)
	if p.tty {
		text += ": " + peer
	}
	if p.taken > 0 {
		left := p.now().Sub(p.start) / time.Duration(p.taken) * time.Duration(p.total-p.taken)
		text += fmt.Sprintf(", %v left", left.Round(time.Second))
	}
	p.taken++
	switch {
	case p.tty:
		fmt.Fprintf(p.w, "\r%s\x1b[K", text) // the sequence clears the rest of the line
	case first:
		fmt.Fprintln(p.w, text)
	}
}

// done removes the line of a terminal.
func (p *progress) done() {
	if p.tty {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
