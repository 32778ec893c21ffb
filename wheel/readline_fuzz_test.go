package wheel_test

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
)

// Whatever is typed, every Get is answered, lines are text of a bounded length, and
// it ends when the input does.
func FuzzReadLineEditor(f *testing.F) {
	for _, s := range []string{"abc\r\x04ü\x03\x07", "\t\x1b[A\x14\x0b\x0c\x15\x17\r\r", "a\x01\x1b[3~\x1b[1;5Cb\x1b[B\t\x10\x0e\n"} {
		f.Add([]byte(s), false)
		f.Add([]byte(s), true)
	}
	f.Fuzz(func(t *testing.T, keys []byte, secret bool) {
		k := kernel.New(kernel.Config{Mode: kernel.Serial, Observer: strict(t)})
		s := newConsole(t, struct {
			io.Reader
			io.Writer
		}{bytes.NewReader(keys), io.Discard})
		s.cfg.CompleteEvent, s.cfg.PutMode = complete, wheel.PutImmediate
		s.more = append(s.more, session.On(complete, func(_ *kernel.Context, q *wheel.Completion) error {
			if q.Pos < len(q.Word) || q.Pos > len(q.Line) || q.Line[q.Pos-len(q.Word):q.Pos] != q.Word {
				t.Errorf("%+v", q)
			}
			q.Candidates = []string{q.Line, "\x1b[2J" + q.Word, "bär"}[:len(q.Line)%4%3+1]
			return s.rl.Put(q.Word)
		}))
		get := func() error {
			if secret {
				return s.rl.GetPassword("\x1b[1m> ")
			}
			return s.rl.Get("> ")
		}
		answers := 0
		s.begin = func(*kernel.Context) error { return get() }
		s.input = func(_ *kernel.Context, in wheel.ReadLineInput) error {
			answers++
			control := func(r rune) bool { return unicode.IsControl(r) }
			if !utf8.ValidString(in.Text) || utf8.RuneCountInString(in.Text) > 4096 || bytes.ContainsFunc([]byte(in.Text), control) {
				t.Errorf("line %q", in.Text)
			}
			if err := get(); err != nil && !errors.Is(err, wheel.ErrClosed) {
				t.Error(err)
			}
			return nil
		}
		run(t, k, s.session())
		if last := s.log[len(s.log)-1]; last != "closed nil" || answers != len(s.log)-1 {
			t.Errorf("%d answers, last %q", answers, last)
		}
	})
}
