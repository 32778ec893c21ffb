package wheel

import (
	"bufio"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/term"
)

// DefaultHistory is how many lines a History keeps if its Limit is 0.
const DefaultHistory = 1000

// History is what was entered before, oldest first (W93). The zero value is empty
// and ready. Its methods are for any goroutine.
type History struct {
	// Limit is how many lines are kept; then the oldest go. Default 0:
	// DefaultHistory. Set it before use.
	Limit int

	mu    sync.Mutex
	lines []string
}

func (h *History) limit() int {
	if h.Limit > 0 {
		return h.Limit
	}
	return DefaultHistory
}

// Add appends lines. Those that no user could have entered (over 4096 characters,
// with control characters, not UTF-8), blank ones, and repetitions of the line
// before are left out.
func (h *History) Add(lines ...string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, l := range lines {
		if n := len(h.lines); !memorable(l) || n > 0 && h.lines[n-1] == l {
			continue
		}
		h.lines = append(h.lines, strings.Clone(l))
	}
	h.keep(h.limit())
}

func memorable(line string) bool {
	return strings.TrimSpace(line) != "" && utf8.ValidString(line) &&
		utf8.RuneCountInString(line) <= maxEdited && !strings.ContainsFunc(line, unicode.IsControl)
}

// keep leaves the newest n.
func (h *History) keep(n int) {
	if drop := len(h.lines) - n; drop > 0 {
		clear(h.lines[:drop]) // the array stays until append makes another
		h.lines = h.lines[drop:]
	}
}

// Lines returns a copy.
func (h *History) Lines() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]string(nil), h.lines...)
}

// Truncate drops all but the newest n lines.
func (h *History) Truncate(n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.keep(max(n, 0))
}

// ReadFile adds the lines of a file, one each; what Add leaves out is left out. It
// blocks while it reads. An error is os.Open's or of reading; what was read before
// is there.
func (h *History) ReadFile(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	in := bufio.NewReaderSize(f, utf8.UTFMax*maxEdited+len("\r\n"))
	long := false // inside a line that does not fit
	for {
		line, err := in.ReadSlice('\n')
		if err == bufio.ErrBufferFull {
			long = true
			continue
		}
		if !long {
			h.Add(strings.TrimRight(string(line), "\r\n"))
		}
		long = false
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// WriteFile writes the lines, one each, to a file that only its owner may read: a
// new one, which takes the place of an old one when it is complete. It blocks while
// it writes.
func (h *History) WriteFile(name string) error {
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.WriteString(strings.Join(append(h.Lines(), ""), "\n"))
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

// recall is a History as x/term wants it, while one line is edited.
type recall []string

var _ term.History = recall(nil)

func (r recall) Add(string)      {}
func (r recall) Len() int        { return len(r) }
func (r recall) At(i int) string { return r[len(r)-1-i] }
