package filter_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/usher-go/usher/wheel/filter"
)

const refused = "error: filter: line exceeds LineConfig.MaxLength, 4 bytes; it was dropped; raise the limit, or have the peer send shorter lines"

func TestF16_LongLineIsDroppedOnce(t *testing.T) {
	for name, c := range map[string]struct{ literal, wire string }{
		"any":     {"", "1234\n12345\nok\n123456789\n"},
		"literal": {"<>", "1234<>12345<>ok<>1234567<9<>"},
	} {
		config := filter.LineConfig{InputLiteral: c.literal, MaxLength: 4}
		want := []string{quoted("1234"), refused, quoted("ok"), refused}
		t.Run(name+" whole", func(t *testing.T) {
			f := newLine(t, config)
			f.Feed([]byte(c.wire))
			wantOutcome(t, outcome(f, quoted), want...)
			if p := f.Pending(); p != nil {
				t.Errorf("Pending = %q", p)
			}
		})
		t.Run(name+" bytewise", func(t *testing.T) {
			f, got := newLine(t, config), []string(nil)
			for i := range len(c.wire) {
				f.Feed([]byte(c.wire[i : i+1]))
				got = append(got, outcome(f, quoted)...)
			}
			wantOutcome(t, got, want...)
		})
	}
}

func TestF16_EndlessLineTakesNoMemory(t *testing.T) {
	for _, literal := range []string{"", "\r\n"} {
		f := newLine(t, filter.LineConfig{InputLiteral: literal, MaxLength: 100})
		errs := 0
		for range 1000 {
			f.Feed(bytes.Repeat([]byte("x"), 1000))
			errs += len(outcome(f, quoted))
			if n := len(f.Pending()); n > len(literal) {
				t.Fatalf("%d bytes kept of a line that was refused", n)
			}
		}
		f.Feed([]byte("\r\nnext\r\n"))
		if got := outcome(f, quoted); errs != 1 || len(got) != 1 || got[0] != quoted("next") {
			t.Errorf("%d errors, then %v; want 1, then the next line", errs, got)
		}
	}
}

func TestF16_ErrorIsTypedAndDoesNotEndTheStream(t *testing.T) {
	f := newLine(t, filter.LineConfig{MaxLength: 4})
	f.Feed([]byte("12345"))
	_, _, err := f.Next()
	var limit *filter.LimitError
	if !errors.As(err, &limit) || limit.Field != "LineConfig.MaxLength" || limit.Limit != 4 {
		t.Errorf("error = %#v", err)
	}
	if !errors.Is(err, filter.ErrTooLong) || errors.Is(err, filter.ErrUnusable) {
		t.Errorf("%v: want ErrTooLong and not ErrUnusable", err)
	}
}

func TestF8_F9_BufferLimitComesAfterWhatFitted(t *testing.T) {
	f := newLine(t, filter.LineConfig{MaxLength: 4, MaxBuffer: 8})
	f.Feed([]byte("one\ntwo\nthree\n"))
	for range 2 { // F9: the data stays, so the error does
		f.Feed([]byte("more\n"))
		for rec, err := range filter.Records[string, string](f) {
			if err != nil {
				if !errors.Is(err, filter.ErrUnusable) || !errors.Is(err, filter.ErrTooLong) {
					t.Fatalf("error = %v, want ErrUnusable and ErrTooLong", err)
				}
				continue
			}
			if rec != "one" && rec != "two" {
				t.Fatalf("record %q from behind the limit", rec)
			}
		}
	}
	f = newLine(t, filter.LineConfig{MaxLength: 4, MaxBuffer: 8})
	f.Feed([]byte("one\ntw"))
	f.Feed([]byte("ooo"))
	wantOutcome(t, outcome(f, quoted), quoted("one"),
		"error: filter: unparsed input exceeds LineConfig.MaxBuffer, 8 bytes; call Next between calls of Feed, or raise it")
	if p := f.Pending(); string(p) != "twoo" {
		t.Errorf("Pending = %q; what was stored should stay", p)
	}
}

func TestF8_LimitsAreChecked(t *testing.T) {
	for _, tt := range []struct {
		c    filter.LineConfig
		want string
	}{
		{filter.LineConfig{MaxLength: -1}, "LineConfig.MaxLength is -1; want 0 for the default of 1048576, or more"},
		{filter.LineConfig{MaxBuffer: -5}, "LineConfig.MaxBuffer is -5; want 0 for the default of 16777216, or more"},
		{filter.LineConfig{MaxBuffer: 100}, "LineConfig.MaxBuffer is 100, less than LineConfig.MaxLength (1048576) and 2 bytes around it"},
		{filter.LineConfig{MaxLength: 8, MaxBuffer: 10, InputLiteral: "---"}, "(8) and 3 bytes around it; raise the one or lower the other"},
	} {
		f, err := filter.NewLine(tt.c)
		if f != nil || !errors.Is(err, filter.ErrConfig) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("NewLine(%+v) = %v, %v; want ErrConfig and %q", tt.c, f, err, tt.want)
		}
	}
	newLine(t, filter.LineConfig{MaxLength: 8, MaxBuffer: 11, InputLiteral: "---"})
}

// A line of exactly MaxLength fits, with its terminator arriving byte by byte
// into a buffer that has no room to spare.
func TestF8_LongestLineFits(t *testing.T) {
	for _, literal := range []string{"", "\r\n", "---"} {
		end := literal
		if end == "" {
			end = "\r\n"
		}
		f := newLine(t, filter.LineConfig{InputLiteral: literal, MaxLength: 8, MaxBuffer: 8 + len(end)})
		var got []string
		for _, b := range []byte("12345678" + end + "87654321" + end) {
			f.Feed([]byte{b})
			got = append(got, outcome(f, quoted)...)
		}
		wantOutcome(t, got, quoted("12345678"), quoted("87654321"))
	}
}
