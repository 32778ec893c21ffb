package filter_test

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/usher-go/usher/wheel/filter"
	"github.com/usher-go/usher/wheel/filter/wire"
)

// inPieces calls feed with data cut where cuts says, until that returns false.
func inPieces(data, cuts []byte, feed func([]byte) bool) {
	for i := 0; len(data) > 0; i++ {
		n := len(data)
		if len(cuts) > 0 {
			n = min(n, 1+int(cuts[i%len(cuts)])%16)
		}
		if !feed(data[:n]) {
			return
		}
		data = data[n:]
	}
}

var newline = regexp.MustCompile(`\r\n?|\n\r?`)

// F10, F16 and F17 by the shortest program that has them: no buffer, no pieces.
func linesOf(data, literal string, maxLength int) []string {
	split := func(s string) []string { return strings.Split(s, literal) }
	if literal == "" {
		split = func(s string) []string { return newline.Split(s, -1) }
	}
	var want []string
	lines := split(data)
	for i, line := range lines {
		last := i == len(lines)-1
		if last { // unfinished; its end may be the beginning of a terminator
			line = line[:max(0, len(line)-max(0, len(literal)-1))]
		}
		switch {
		case len(line) > maxLength:
			want = append(want, refused)
		case !last:
			want = append(want, quoted(line))
		}
	}
	return want
}

func FuzzLine(f *testing.F) {
	f.Add([]byte("one\r\n\r\ntwo\rthree\n\rfour"), []byte{0}, "")
	f.Add([]byte("far too long\nok\n\n\n\r\r\r\n"), []byte{1, 2}, "")
	f.Add([]byte("aab<<>>b<>12345<>123456<>"), []byte{3, 0}, "<>")
	f.Add([]byte("aaaaaaaaaab"), []byte{}, "aab")
	f.Fuzz(func(t *testing.T, data, cuts []byte, literal string) {
		const maxLength = 4
		line, err := filter.NewLine(filter.LineConfig{InputLiteral: literal, MaxLength: maxLength, MaxBuffer: len(data) + len(literal) + 8})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		inPieces(data, cuts, func(p []byte) bool {
			line.Feed(p)
			got = append(got, outcome(line, quoted)...)
			if n := len(line.Pending()); n > maxLength+len(literal) {
				t.Fatalf("%d bytes kept", n)
			}
			return true
		})
		wantOutcome(t, got, linesOf(string(data), literal, maxLength)...)
	})
}

func FuzzEvent(f *testing.F) {
	all, err := filter.Event().Append(nil, filter.Frame{Name: "all", ID: 1, To: "x", Args: []any{
		nil, true, -1, uint8(2), float32(3), 4.5, "text", []byte{6}, time.Unix(7, 8).In(zone), time.Second,
		[]string{"a", ""}, []any{1, map[string]any{"k": []any{}}}, timestamppb.New(time.Unix(1, 2)),
	}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(all, []byte{7})
	f.Add(frame(rawField(2, rawField(13, rawField(1, []byte("google.protobuf.Duration"))))), []byte{0})
	f.Add(frame(rawField(2, rawField(10, rawField(1, rawField(2, rawField(9, nil)))))), []byte{1})
	f.Add([]byte{0, 0, 3, 8, 1, 1, 0x80, 0x80}, []byte{2, 0})
	f.Add(bytes.Repeat([]byte{0xff}, 12), []byte{})
	f.Fuzz(func(t *testing.T, data, cuts []byte) {
		config := filter.EventConfig{MaxFrame: 1 << 16, MaxBuffer: len(data) + 1<<17, MaxDepth: 8}
		var want []string
		whole := newEvent(t, config)
		whole.Feed(data)
		want = append(want, outcome(whole, reencoded(t))...)

		var got []string
		pieces := newEvent(t, config)
		inPieces(data, cuts, func(p []byte) bool {
			pieces.Feed(p)
			out := outcome(pieces, reencoded(t))
			got = append(got, out...)
			return len(out) == 0 || !strings.Contains(out[len(out)-1], filter.ErrUnusable.Error()) &&
				!strings.Contains(out[len(out)-1], "exceeds")
		})
		wantOutcome(t, got, want...)
	})
}

// reencoded shows a frame as its bytes, after checking that they give the same
// bytes again, and that the generated code accepts them with the same meaning.
func reencoded(t *testing.T) func(filter.Frame) string {
	return func(frame filter.Frame) string {
		f := newEvent(t, filter.EventConfig{})
		first, err := f.Append(nil, frame)
		if err != nil {
			t.Fatalf("%#v was read and cannot be written: %v", frame, err)
		}
		f.Feed(first)
		again, ok, err := f.Next()
		if !ok {
			t.Fatalf("%x was written and cannot be read: %v", first, err)
		}
		second, err := f.Append(nil, again)
		if err != nil || !bytes.Equal(first, second) {
			t.Fatalf("%x became %x, %v", first, second, err)
		}
		body, _ := protowire.ConsumeBytes(first)
		read := new(wire.Frame)
		if err := proto.Unmarshal(body, read); err != nil {
			t.Fatalf("generated code refuses %x: %v", first, err)
		}
		if want := toWire(t, frame); !proto.Equal(read, want) && !hasMessage(frame.Args) {
			t.Fatalf("generated code reads %v; want %v", read, want)
		}
		return fmt.Sprintf("%x", first)
	}
}

// hasMessage: the bytes of a foreign message may be written in another order.
func hasMessage(args []any) bool {
	for _, v := range args {
		switch v := v.(type) {
		case proto.Message:
			return true
		case []any:
			if hasMessage(v) {
				return true
			}
		case map[string]any:
			for _, e := range v {
				if hasMessage([]any{e}) {
					return true
				}
			}
		}
	}
	return false
}
