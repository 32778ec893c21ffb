package filter_test

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/usher-go/usher/wheel/filter"
)

// contentLength frames blocks as the Language Server Protocol does.
var contentLength = &filter.LengthCodec{
	Append: func(dst []byte, n int) []byte { return fmt.Appendf(dst, "Content-Length: %d\r\n\r\n", n) },
	Decode: func(p []byte) (uint64, int, error) {
		head, _, whole := bytes.Cut(p, []byte("\r\n\r\n"))
		if !whole {
			return 0, 0, nil
		}
		digits, _ := strings.CutPrefix(string(head), "Content-Length: ")
		length, err := strconv.ParseUint(digits, 10, 64)
		if err != nil {
			return 0, 0, errors.New("want a Content-Length")
		}
		return length, len(head) + 4, nil
	},
}

func TestF22_WhatACodecRefusesEndsTheStream(t *testing.T) {
	for _, tt := range []struct {
		codec      *filter.LengthCodec
		wire, want string
	}{
		{contentLength, "Content-Type: x\r\n\r\n", `malformed length prefix "Content-Type: x\r\n\r\n": want a Content-Length`},
		{contentLength, strings.Repeat("x", 256), "want it to end within 256 bytes"},
		{filter.Varint, strings.Repeat("\xff", 11), "want a varint of 64 bits at most"},
	} {
		f := newBlock(t, filter.BlockConfig{LengthCodec: tt.codec})
		for i := range len(tt.wire) {
			if _, ok, err := f.Next(); ok || err != nil {
				t.Fatalf("after %d bytes of %q: %v, %v", i, tt.wire, ok, err)
			}
			f.Feed([]byte{tt.wire[i]})
		}
		_, _, err := f.Next()
		if !errors.Is(err, filter.ErrUnusable) || !errors.Is(err, filter.ErrMalformed) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%.20q: %v; want ErrUnusable, ErrMalformed and %s", tt.wire, err, tt.want)
		}
	}
}

// A codec's mistake is found, whatever bytes bring it out.
func TestF22_CodecThatMiscountsEndsTheStream(t *testing.T) {
	for _, used := range []int{-1, 2, 1 << 30} {
		codec := *filter.Varint
		codec.Decode = func(p []byte) (uint64, int, error) {
			if p[0] == 'x' {
				return 1, used, nil
			}
			return filter.Varint.Decode(p)
		}
		f := newBlock(t, filter.BlockConfig{LengthCodec: &codec})
		f.Feed([]byte("x"))
		if _, _, err := f.Next(); !errors.Is(err, filter.ErrUnusable) || !strings.Contains(err.Error(), fmt.Sprintf("LengthCodec.Decode used %d bytes of 1", used)) {
			t.Errorf("used %d: %v", used, err)
		}
	}
}
