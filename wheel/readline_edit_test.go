package wheel_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
)

// Keys as terminals send them.
const (
	up, down, right, left  = "\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D"
	ctrlA, ctrlB, ctrlC    = "\x01", "\x02", "\x03"
	ctrlD, ctrlE, ctrlG    = "\x04", "\x05", "\x07"
	ctrlK, ctrlL, ctrlU    = "\x0b", "\x0c", "\x15"
	ctrlW, tab, backspace  = "\x17", "\t", "\x7f"
	home, end, del, enter  = "\x1b[1~", "\x1b[4~", "\x1b[3~", "\r"
	wordBack, wordOn, ctrl = "\x1bb", "\x1b[1;5C", "\x1bOA"
)

// What the user presses, and the line that comes of it.
func TestW93_KeysEditTheLine(t *testing.T) {
	tests := []struct{ keys, line string }{
		{"hello", "hello"},
		{"", ""},
		{"Grüße, 世界", "Grüße, 世界"},
		{"übr" + left + left + "ü" + right + "e" + left + left + backspace, "über"},
		{"wörld" + ctrlA + "hello " + ctrlE + "!", "hello wörld!"},
		{"bcd" + home + "a" + end + "e", "abcde"},
		{"abcdef" + left + left + left + ctrlK, "abc"},
		{"abcdef" + left + left + ctrlU, "ef"},
		{"one two  three" + ctrlW, "one two  "},
		{"one two" + "\x1b\x7f", "one "},
		{"one two three" + wordBack + wordBack + "x" + wordOn + "y", "one xtwo ythree"},
		{"abc" + ctrlB + ctrlB + "\x06" + backspace + backspace, "c"},
		{"äöü" + ctrlA + del + ctrlD, "ü"},
		{"abd" + left + "\x08c", "acd"},
		{"abc\x14", "acb"},
		{"a\xff\xc3b\xe4\xb8c", "abc"},                     // invalid UTF-8
		{"a\x1b[200~b\x1b[999;1;2;3;4;5;6;7;8;9zc", "abc"}, // sequences nobody knows
		{"a\x1b[1;\rb", "a"},                               // an unfinished one does not swallow Enter
		{"a\x1b[" + strings.Repeat("1", 5000) + "mb", "ab"},
		{"a\x1b\x1b[Db", "ba"},
		{"a\x1b[[Ab", "ab"},
		{"a\u009bb\x00\x1c\x1f", "ab"}, // control characters
		{strings.Repeat("x", 5000), strings.Repeat("x", 4096)},
	}
	onTerminals(t, func(t *testing.T, k *kernel.Kernel, s *console, u *typist) {
		var want []string
		beside(t, func() {
			u.shows("> ")
			for _, tt := range tests {
				u.types(tt.keys + enter)
			}
			u.types(ctrlD)
		})
		for _, tt := range tests {
			line, _, _ := strings.Cut(tt.line, "\r")
			want = append(want, "line "+line)
			if strings.Contains(tt.keys, "\r") {
				want = append(want, "line b")
			}
		}
		run(t, k, s.session())
		s.want(append(want, "EOF", "closed nil")...)
	})
}

// What the user sees of it, cursor included.
func TestW93_TheScreenShowsTheLine(t *testing.T) {
	onTerminals(t, func(t *testing.T, k *kernel.Kernel, s *console, u *typist) {
		beside(t, func() {
			u.starts("wörl" + left + left + left + "o" + ctrlE + "d")
			u.sees("> woörld")
			u.types(ctrlA + ctrlK + strings.Repeat("0123456789", 9) + left + left + backspace)
			u.sees("> "+strings.Repeat("0123456789", 7)+"01234567", "89012345689")
			u.types(ctrlU + "89" + ctrlL)
			u.sees("> 89" /* ^L leaves the cursor in the middle */ + "89")
			u.types(enter + ctrlD)
			u.sees("> 8989", "> ^D")
		})
		run(t, k, s.session())
		s.want("line 8989", "EOF", "closed nil")
	})
}

func TestW93_History(t *testing.T) {
	onTerminals(t, func(t *testing.T, k *kernel.Kernel, s *console, u *typist) {
		s.cfg.History = &wheel.History{}
		s.cfg.History.Add("from before")
		beside(t, func() {
			u.shows("> ")
			for _, keys := range []string{
				"one", "two", "two", "  ", up + "!", ctrl + ctrl + ctrl, "draft" + up + up + down + down + " kept", up + up + up + up + up + up + up,
			} {
				u.types(keys + enter)
			}
			u.types(ctrlD)
		})
		run(t, k, s.session())
		s.want("line one", "line two", "line two", "line   ", "line two!", "line one", "line draft kept", "line from before", "EOF", "closed nil")
		want := []string{"from before", "one", "two", "two!", "one", "draft kept", "from before"}
		if got := s.rl.History().Lines(); !slices.Equal(got, want) {
			t.Errorf("history %q, want %q", got, want)
		}
	})
}

func TestW93_Completion(t *testing.T) {
	onTerminals(t, func(t *testing.T, k *kernel.Kernel, s *console, u *typist) {
		words := []string{"grün", "größe", "größer", "rot"}
		s.cfg.CompleteEvent = complete
		s.more = append(s.more, session.On(complete, func(c *kernel.Context, q *wheel.Completion) error {
			if c.Wheel() != s.rl.ID() {
				t.Errorf("completion from wheel %v", c.Wheel())
			}
			s.note("complete %s|%s at %d", q.Line, q.Word, q.Pos)
			for _, w := range words {
				if strings.HasPrefix(w, q.Word) {
					q.Candidates = append(q.Candidates, w)
				}
			}
			return nil
		}))
		beside(t, func() {
			u.starts("a r" + tab + "b" + home + "g" + tab)
			u.sees("> gra rot b")
			u.types("ö" + tab + tab)
			u.sees("größe  größer", "> größea rot b")
			u.types("x" + tab + enter + ctrlD)
			u.sees("größe  größer", "> größexa rot b", "> ^D")
			if n := u.beeps(); n != 1 {
				t.Errorf("%d beeps, want 1 for no candidate", n)
			}
		})
		run(t, k, s.session())
		s.want("complete a r|r at 3", "complete ga rot b|g at 1", "complete gröa rot b|grö at 4",
			"complete größea rot b|größe at 7", "complete größexa rot b|größex at 8",
			"line größexa rot b", "EOF", "closed nil")
	})
}

// A handler that never thought of Tab, and one that ends the wheel at Tab.
func TestW93_CompletionWithoutAnAnswer(t *testing.T) {
	onTerminals(t, func(t *testing.T, k *kernel.Kernel, s *console, u *typist) {
		s.cfg.CompleteEvent = complete
		s.more = append(s.more, session.On(complete, func(_ *kernel.Context, q *wheel.Completion) error {
			if q.Word == "bye" {
				s.rl.Close()
			}
			q.Candidates = []string{strings.Repeat("x", 5000), "\x1b[2J"}[:len(q.Word)%2]
			return nil
		}))
		beside(t, func() {
			u.starts("ab" + tab + "c" + tab + enter + "bye" + tab)
		})
		run(t, k, s.session())
		s.want("line abc")
	})
}

func TestW91_Exceptions(t *testing.T) {
	onTerminals(t, func(t *testing.T, k *kernel.Kernel, s *console, u *typist) {
		beside(t, func() {
			u.starts("half" + left + left + ctrlC)
			u.sees("> half^C", ">")
			u.types("other" + ctrlG)
			u.sees("> half^C", "> other^G", ">")
			u.types("x" + ctrlD + left + ctrlD + enter + ctrlD)
			u.sees("> half^C", "> other^G", ">", "> ^D")
		})
		run(t, k, s.session())
		s.want("interrupt", "cancel", "line ", "EOF", "closed nil")
		if n := len(s.rl.History().Lines()); n != 0 {
			t.Errorf("%d lines in the history, want none", n)
		}
	})
}

// Nothing of a password is shown, kept or recalled, and Tab is not asked about.
func TestW91_Password(t *testing.T) {
	onTerminals(t, func(t *testing.T, k *kernel.Kernel, s *console, u *typist) {
		s.cfg.PutMode = wheel.PutImmediate
		s.cfg.CompleteEvent = complete
		s.cfg.History = &wheel.History{}
		s.cfg.History.Add("no password")
		s.begin = func(*kernel.Context) error { return s.rl.GetPassword("Password: ") }
		s.input = func(_ *kernel.Context, in wheel.ReadLineInput) error {
			switch {
			case in.Text == "geheim":
				return s.rl.GetPassword("Again: ")
			case in.Err != nil:
				return errors.Join(s.rl.Put("note"), s.rl.Get("> "))
			}
			s.rl.CloseFlushed()
			return nil
		}
		beside(t, func() {
			u.shows("Password: ")
			u.types("geh" + up + ctrlA + ctrlE + tab + "eim")
			u.sees("Password:")
			u.types(enter + "geheim" + ctrlC + up + enter)
			u.sees("Password:", "Again: ^C", "note", "> no password")
			if raw := u.bytes(); strings.Contains(raw, "eim") {
				t.Errorf("the password was shown: %q", raw)
			}
		})
		run(t, k, s.session())
		s.want("line geheim", "interrupt", "line no password", "closed nil")
	})
}
