package backend

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/usher-go/usher/kernel"
)

// terminal is one as far as a Display needs it: what is above the cursor, as it
// came, and wrapped to its width.
type terminal struct {
	t             *testing.T
	width, height int
	lines         []string
	raw           strings.Builder
	writes        int
	err           error
}

func (m *terminal) size() (int, int, bool) { return m.width, m.height, m.width > 0 }

var (
	up  = regexp.MustCompile(`^\x1b\[(\d+)A`)
	sgr = regexp.MustCompile(`\x1b\[[0-9;]*m`)
)

func (m *terminal) Write(p []byte) (int, error) {
	if m.err != nil {
		return 0, m.err
	}
	m.writes++
	m.raw.Write(p)
	s := string(p)
	if m.width == 0 {
		m.lines = append(m.lines, strings.Split(strings.TrimSuffix(s, "\n"), "\n")...)
		return len(p), nil
	}
	rows := 0
	if n := up.FindStringSubmatch(s); n != nil {
		rows, _ = strconv.Atoi(n[1])
		s = s[len(n[0]):]
	}
	for rows > 0 {
		last := m.lines[len(m.lines)-1]
		m.lines = m.lines[:len(m.lines)-1]
		rows -= max(1, (cellsOf(last)+m.width-1)/m.width)
	}
	s, ok := strings.CutPrefix(s, "\r\x1b[J")
	said, s, ok2 := strings.Cut(s, "\x1b[?7l")
	picture, end, ok3 := strings.Cut(s, "\x1b[?7h")
	if !ok || !ok2 || !ok3 || end != "" || rows < 0 {
		m.t.Errorf("%d rows too many upwards, or what is no picture: %q", -rows, p)
	}
	n := len(m.lines)
	for l := range strings.SplitSeq(said+picture, "\r\n") {
		l = sgr.ReplaceAllString(l, "")
		if i := strings.IndexFunc(l, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u202e' }); i >= 0 {
			m.t.Errorf("a control character in %q", l)
		}
		m.lines = append(m.lines, l)
	}
	m.lines = m.lines[:len(m.lines)-1] // behind the last line's end
	if grown := len(m.lines) - n; said == "" && grown > m.height-1 {
		m.t.Errorf("%d lines on a screen of %d", grown, m.height)
	}
	return len(p), nil
}

// golden compares what stands on the screen with a file, which UPDATE_GOLDEN in the
// environment has written anew.
func (m *terminal) golden(name string) {
	m.t.Helper()
	for i, l := range m.lines {
		m.lines[i] = strings.TrimRight(l, " ")
	}
	got := strings.Join(m.lines, "\n") + "\n"
	path := filepath.Join("testdata", "display", name+".txt")
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(path, []byte(got), 0o666); err != nil {
			m.t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		m.t.Fatal(err)
	}
	if got != string(want) {
		m.t.Errorf("%s: it shows\n%s\nwant\n%s", name, got, want)
	}
}

// statuses are connections in every state, at t0.
func statuses() []ConnStatus {
	ago := func(d time.Duration) time.Time { return t0.Add(-d) }
	return []ConnStatus{
		{ID: 1, Name: "orders", Liveness: LiveActive, Last: ago(120 * time.Millisecond), Received: 1234567, Sent: 890, Asked: 2, RoundTrip: 45 * time.Microsecond},
		{ID: 2, Name: "stock", Liveness: LiveDisconnected, Last: ago(4 * time.Second), Received: 12, Sent: 13},
		{ID: 21, Name: "stock", Liveness: LiveDisconnected, Last: ago(9 * time.Second), Received: 1000},
		{ID: 3, Name: "billing", Liveness: LiveInactive, Last: ago(11 * time.Second), Received: 5, Queued: 123456, Tx: 1, RoundTrip: 3 * time.Millisecond},
		{ID: 4, Name: "", Liveness: LiveNew, Last: ago(0)},
		{ID: 5, Name: "", Liveness: LiveUnknown, Last: ago(time.Second), Received: 3},
		{ID: 6, Name: "web", Liveness: LiveDisconnected, Last: ago(time.Second)},
		{ID: 7, Name: "web", Liveness: LivePing, Last: ago(2 * time.Second), Received: 1},
		{ID: 8, Name: "web", Liveness: LiveActive, Last: ago(time.Second), Received: 2},
		{ID: 9, Name: "\x1b[2J\x07\u202eevil\u009b31m\r\n", Liveness: LivePing, Last: ago(3 * time.Minute)},
		{ID: 10, Name: "日本語のサービスの名前がとても長い", Liveness: LivePing, Last: ago(3 * time.Hour), RoundTrip: 2 * time.Second},
	}
}

// TestB35_Picture: every state has its row, at any size of the terminal, drawn in
// the place of the last one; names cannot do anything to it.
func TestB35_Picture(t *testing.T) {
	for _, size := range []struct{ width, height int }{{100, 30}, {80, 24}, {50, 24}, {30, 24}, {12, 24}, {100, 6}, {3, 2}, {1, 1}} {
		t.Run(fmt.Sprintf("%dx%d", size.width, size.height), func(t *testing.T) {
			m := &terminal{t: t, width: size.width, height: size.height}
			s := &screen{out: m, size: m.size}
			for range 3 {
				rows := rowsOf(statuses(), t0)
				if err := s.draw(s.picture("backend-server on 127.0.0.1:2021", rows)...); err != nil {
					t.Fatal(err)
				}
			}
			for _, l := range m.lines {
				if cellsOf(l) >= size.width && size.width > 1 {
					t.Errorf("%q is wider than %d", l, size.width-1)
				}
			}
			m.golden(fmt.Sprintf("%dx%d", size.width, size.height))
		})
	}
}

// TestPictureAfterResize: the terminal has wrapped what was drawn, and nothing of
// it is left, nor anything lost of what stood above.
func TestPictureAfterResize(t *testing.T) {
	m := &terminal{t: t, width: 100, height: 200, lines: []string{"$ server"}}
	s := &screen{out: m, size: m.size}
	_ = s.print("it \x1b[31mbegins") // said, above the picture
	for _, width := range []int{100, 40, 20, 100, 7, 100} {
		m.width = width
		if err := s.draw(s.picture("backend-server on 127.0.0.1:2021", rowsOf(statuses(), t0))...); err != nil {
			t.Fatal(err)
		}
		if m.lines[0] != "$ server" || m.lines[1] != "it ·[31mbegins" || len(m.lines) != 2+2+7 {
			t.Fatalf("at width %d:\n%s", width, strings.Join(m.lines, "\n"))
		}
	}
}

// Who has gone fades: red, less red, then pale.
func TestB35_Fading(t *testing.T) {
	var styles []string
	for _, age := range []time.Duration{0, 3 * time.Second, 4 * time.Second, 7 * time.Second} {
		styles = append(styles, row{ConnStatus: ConnStatus{Liveness: LiveDisconnected, Last: t0}, now: t0.Add(age)}.style())
	}
	if got := fmt.Sprint(styles); got != "[1;31 1;31 31 2;31]" {
		t.Errorf("%s", got)
	}
	m := &terminal{t: t, width: 80, height: 24}
	for _, plain := range []bool{false, true} {
		m.raw.Reset()
		s := &screen{out: m, size: m.size, plain: plain}
		if err := s.draw(s.picture("x", rowsOf(statuses(), t0))...); err != nil {
			t.Fatal(err)
		}
		if coloured := strings.Contains(m.raw.String(), "\x1b[31m● disconnected\x1b[0m"); coloured == plain {
			t.Errorf("plain %v: %q", plain, m.raw.String())
		}
	}
}

// TestB35_Display follows clients through their lives, on a terminal.
func TestB35_Display(t *testing.T) {
	simulating(t, ServerConfig{}, func(w *world) {
		m := &terminal{t: w.T, width: 120, height: 24, lines: []string{"$ server"}}
		d, err := w.server.Display(DisplayConfig{Output: m, Size: m.size, Every: time.Second})
		if err != nil {
			w.Fatal(err)
		}
		w.pass(100 * time.Millisecond)
		shows := func(want ...string) {
			w.Helper()
			if len(m.lines) != 3+len(want) || m.lines[0] != "$ server" {
				w.Fatalf("it shows\n%s", strings.Join(m.lines, "\n"))
			}
			for i, l := range m.lines[3:] {
				if got := strings.Join(strings.Fields(l), " "); !regexp.MustCompile(`^` + want[i] + `$`).MatchString(got) {
					w.Errorf("row %d is %q, want %q", i, got, want[i])
				}
			}
		}
		shows()
		n := m.writes
		a := w.client("a", Config{PingTimeout: -1, IdlePing: -1})
		b := w.client("b", Config{PingTimeout: -1, IdlePing: -1})
		w.pass(100 * time.Millisecond) // less than Every: changes are shown at once, together
		shows(`a ● active 0\.0 s – 1 0 0 – 0`, `b ● active 0\.0 s – 1 0 0 – 0`)
		if m.writes-n > 3 {
			w.Errorf("%d pictures of that", m.writes-n)
		}
		if !strings.HasSuffix(m.lines[1], "· 2 connected, 2 services · 00:00:00") {
			w.Errorf("title %q", m.lines[1])
		}
		w.double(a, 1)
		w.pass(time.Second)
		_ = w.reply()
		shows(`a ● active \d\.\d s – 2 1 0 – 0`, `b ● active 1\.\d s – 1 0 0 – 0`)
		b.Close()
		w.pass(5 * time.Second)
		shows(`a ● active [56]\.\d s – 2 1 0 – 0`, `b ● disconnected [45]\.\d s – 1 0 0 – 0`)
		w.pass(6 * time.Second)
		shows(`a ● inactive 1\d s – 2 1 0 – 0`)
		if err := d.Say("a word"); err != nil {
			w.Error(err)
		}
		w.pass(time.Second)
		if m.lines[1] != "a word" {
			w.Errorf("not above the picture: %q", m.lines)
		}
		d.Close()
		n = m.writes
		w.pass(time.Minute)
		if err := d.Say("another"); !errors.Is(err, ErrClosed) {
			w.Errorf("Say after Close: %v", err)
		}
		d.Close() // again does no harm
		if m.writes != n || len(m.lines) != 5 {
			w.Errorf("%d writes after Close, %q", m.writes-n, m.lines)
		}

		// The server ends, and with it a display.
		if _, err = w.server.Display(DisplayConfig{Output: m, Size: m.size}); err != nil {
			w.Fatal(err)
		}
		w.pass(time.Second)
		w.server.Shutdown()
		w.pass(10 * time.Second)
		if last := m.lines[len(m.lines)-1]; last != "the server has ended" {
			w.Errorf("at last %q", last)
		}
		if _, err = w.server.Display(DisplayConfig{Output: m, Size: m.size}); !errors.Is(err, ErrClosed) {
			w.Errorf("of a server that has ended: %v", err)
		}
	})
}

// TestB35_Lines: what is no terminal gets a line for each change.
func TestB35_Lines(t *testing.T) {
	simulating(t, ServerConfig{}, func(w *world) {
		m := &terminal{t: w.T}
		d, err := w.server.Display(DisplayConfig{Output: m, Size: m.size})
		if err != nil {
			w.Fatal(err)
		}
		a := w.client("a\x1b[2J\n", Config{PingTimeout: -1, IdlePing: -1})
		w.pass(9 * time.Second)
		if err := d.Say("a word\x07"); err != nil {
			w.Error(err)
		}
		w.pass(2 * time.Second)
		w.double(a, 1)
		w.pass(time.Second)
		_ = w.reply()
		a.Close()
		w.pass(time.Second)
		m.golden("lines")
		w.server.Shutdown()
		w.pass(10 * time.Second)
		if n := len(m.lines); m.lines[n-1] != "the server has ended" {
			w.Errorf("at last %q", m.lines[n-1])
		}
	})
}

// A display whose output fails ends, and says so.
func TestDisplayOutputFails(t *testing.T) {
	simulating(t, ServerConfig{}, func(w *world) {
		m := &terminal{t: w.T, width: 80, height: 24}
		d, err := w.server.Display(DisplayConfig{Output: m, Size: m.size})
		if err != nil {
			w.Fatal(err)
		}
		w.pass(time.Second)
		m.err = os.ErrClosed
		w.pass(time.Second)
		if err := d.Say("x"); !errors.Is(err, ErrClosed) {
			w.Errorf("still there: %v", err)
		}
		if _, err := w.server.Display(DisplayConfig{Every: -1}); !errors.Is(err, ErrArgument) {
			w.Errorf("Every -1: %v", err)
		}
	})
}

// A real terminal is known as one, with its size; a pipe and a buffer are none.
func TestDisplayKnowsATerminal(t *testing.T) {
	ptm, tty, err := pty.Open()
	if err != nil {
		t.Skip("no terminals here: ", err)
	}
	defer ptm.Close()
	defer tty.Close()
	if err := pty.Setsize(ptm, &pty.Winsize{Rows: 7, Cols: 33}); err != nil {
		t.Fatal(err)
	}
	size := sizeOf(tty)
	if w, h, ok := size(); !ok || w != 33 || h != 7 {
		t.Errorf("%d x %d, %v", w, h, ok)
	}
	if err := pty.Setsize(ptm, &pty.Winsize{}); err != nil {
		t.Fatal(err)
	}
	if w, h, ok := size(); !ok || w != 80 || h != 24 {
		t.Errorf("one without a size: %d x %d, %v", w, h, ok)
	}
	if _, _, ok := sizeOf(&bytes.Buffer{})(); ok {
		t.Error("a buffer is a terminal")
	}
	r, pipe, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer pipe.Close()
	if _, _, ok := sizeOf(pipe)(); ok {
		t.Error("a pipe is a terminal")
	}
}

// An output that blocks: what waits for it stays bounded, and the display goes on
// when it does.
func TestDisplaySlowOutput(t *testing.T) {
	simulating(t, ServerConfig{}, func(w *world) {
		m := &terminal{t: w.T}
		d, err := w.server.Display(DisplayConfig{Output: m, Size: m.size})
		if err != nil {
			w.Fatal(err)
		}
		w.pass(time.Second)
		full := 0
		for i := range maxUnshown + 100 { // no turn of the display's between them
			if err := d.Say(fmt.Sprint("word ", i)); errors.Is(err, kernel.ErrQueueFull) {
				full++
			} else if err != nil {
				w.Fatal(err)
			}
		}
		if full != 100 {
			w.Errorf("%d of 100 refused", full)
		}
		w.client("a", Config{PingTimeout: -1})
		w.pass(time.Second)
		w.client("b", Config{PingTimeout: -1})
		w.pass(time.Second)
		if text := strings.Join(m.lines, "\n"); !strings.Contains(text, "word 1023") || !regexp.MustCompile(`b +#2  registered`).MatchString(text) {
			w.Errorf("the end of it is %q", m.lines[len(m.lines)-3:])
		}
		d.Close()
	})
}
