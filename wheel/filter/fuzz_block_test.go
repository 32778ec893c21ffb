package filter_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/usher-go/usher/wheel/filter"
)

// FuzzBlock: blocks do not depend on cuts, and written again they are the same.
func FuzzBlock(f *testing.F) {
	f.Add([]byte("3\x00abc0\x0012\x00hello, world99\x00"), []byte{0}, byte(0))
	f.Add([]byte("3\x00abcGET / HTTP/1.1\r\n"), []byte{1, 2}, byte(0))
	f.Add([]byte("\x00\x00\x00\x02hi\x00\x00\x00\x00\xff\xff\xff\xff"), []byte{3, 0}, byte(1))
	f.Add([]byte("\x02hi\x00\x83\x00abc\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), []byte{0}, byte(2))
	f.Add([]byte("Content-Length: 2\r\n\r\nhiContent-Length: x\r\n\r\n"), []byte{}, byte(3))
	f.Add([]byte("abcdefgh"), []byte{1}, byte(4))
	f.Fuzz(func(t *testing.T, data, cuts []byte, form byte) {
		c := filter.BlockConfig{MaxLength: 20, MaxBuffer: len(data) + 512}
		switch form % 5 {
		case 1:
			c.LengthCodec = filter.BigEndian32
		case 2:
			c.LengthCodec = filter.Varint
		case 3:
			c.LengthCodec = contentLength
		case 4:
			c.BlockSize, c.MaxLength = 3, 0
		}
		got := fed(t, newBlock(t, c), quotedBytes, data, cuts, 20+256)
		wantOutcome(t, got, fed(t, newBlock(t, c), quotedBytes, data, nil, 20+256)...)

		var again []byte
		got = slices.DeleteFunc(got, func(s string) bool { return s == "the end" })
		for _, block := range got {
			again = must(newBlock(t, c).Append(again, []byte(block[1:len(block)-1])))
		}
		wantOutcome(t, fed(t, newBlock(t, c), quotedBytes, again, cuts, 20+256), got...)
	})
}

// short is the inner filter of those below; the lines that it gives are the model
// that the others are compared with.
func short(t testing.TB) *filter.LineFilter {
	return newLine(t, filter.LineConfig{InputLiteral: "\n", OutputLiteral: "\n", MaxLength: 6})
}

func plain(s string) string { return s }

func FuzzRecordBlock(f *testing.F) {
	f.Add([]byte("a\nb\n\nfar too long\nd\ne\n"), []byte{0}, byte(2))
	f.Fuzz(func(t *testing.T, data, cuts []byte, size byte) {
		n := 1 + int(size)%4
		f := must(filter.NewRecordBlock(short(t), filter.RecordBlockConfig{BlockSize: n}))
		var got []string
		for _, block := range fed(t, f, func(recs []string) string {
			if len(recs) != n {
				t.Fatalf("%d records in a block; want %d", len(recs), n)
			}
			return strings.Join(recs, "\n") + "\n"
		}, data, cuts, 6) {
			if block != "an error" {
				got = append(got, strings.Split(strings.TrimSuffix(block, "\n"), "\n")...)
			}
		}
		want := fed(t, short(t), plain, data, nil, 6)
		want = slices.DeleteFunc(want, func(s string) bool { return s == "an error" })
		wantOutcome(t, append(got, f.Collected()...), want...)
		if n := len(f.Collected()); n >= 4 {
			t.Errorf("%d records kept", n)
		}
	})
}

func FuzzMap(f *testing.F) {
	f.Add([]byte("a b\n\n \nfar too long\nc  d\n"), []byte{0})
	f.Fuzz(func(t *testing.T, data, cuts []byte) {
		f := filter.Map(short(t), func(line string) ([]string, error) {
			if strings.HasPrefix(line, "!") {
				return []string{"lost"}, errors.New("refused")
			}
			return strings.Fields(line), nil
		}, filter.Each(plain))
		var want []string
		for _, line := range fed(t, short(t), plain, data, nil, 6) {
			switch {
			case line == "an error" || strings.HasPrefix(line, "!"):
				want = append(want, "an error")
			default:
				want = append(want, strings.Fields(line)...)
			}
		}
		wantOutcome(t, fed(t, f, plain, data, cuts, 6), want...)
	})
}

func FuzzGrep(f *testing.F) {
	f.Add([]byte("a\n#b\n\nfar too long\n#\nc\n"), []byte{0})
	f.Fuzz(func(t *testing.T, data, cuts []byte) {
		want := slices.DeleteFunc(fed(t, short(t), plain, data, nil, 6), func(s string) bool { return !notComment(s) })
		wantOutcome(t, fed(t, filter.Grep(short(t), notComment, nil), plain, data, cuts, 6), want...)
	})
}

// FuzzStackable: wrapped twice, in pieces of any size, and handed from stack to
// stack between any two of them, a stream gives the lines that it gives as it is.
func FuzzStackable(f *testing.F) {
	f.Add([]byte("a\nb\n\nfar too long\nd\ne\n"), []byte{0}, []byte{2, 5}, byte(0))
	f.Add([]byte("one\ntwo\nthree"), []byte{7}, []byte{1}, byte(1))
	f.Fuzz(func(t *testing.T, data, cuts, sizes []byte, how byte) {
		wrap := func(data, sizes []byte) (wire []byte) {
			inPieces(data, sizes, func(p []byte) bool {
				wire = must(filter.Block().Append(wire, p))
				return true
			})
			return wire
		}
		wire := wrap(wrap(data, sizes), cuts)
		fresh := func() filter.Filter[string, string] {
			if how&1 == 0 {
				return filter.Stack(short(t), filter.Block(), filter.Block())
			}
			return filter.Stack(short(t), filter.NewStackable(filter.Block()), filter.NewStackable(filter.Stream(), filter.Block()))
		}
		want := fed(t, short(t), plain, data, nil, 6)
		wantOutcome(t, fed(t, fresh(), plain, wire, cuts, len(wire)+64), want...)

		if slices.Contains(want, "an error") {
			return // the rest of a refused line is not in Pending
		}
		var got []string
		f := fresh()
		inPieces(wire, sizes, func(p []byte) bool {
			next := fresh()
			next.Feed(f.Pending())
			f = next
			got = append(got, fed(t, f, plain, p, nil, len(wire)+64)...)
			return true
		})
		wantOutcome(t, got, want...)
		garbled := append(slices.Clone(data), wire...)
		wantOutcome(t, fed(t, fresh(), plain, garbled, cuts, len(wire)+64), fed(t, fresh(), plain, garbled, nil, len(wire)+64)...)
	})
}
