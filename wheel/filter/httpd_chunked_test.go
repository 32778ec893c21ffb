package filter_test

import (
	"io"
	"strings"
	"testing"

	"github.com/usher-go/usher/wheel/filter"
)

const chunkedStart = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"

var acceptedChunks = map[string]string{
	"0\r\n\r\n":                            "",
	"000\r\n\r\n":                          "",
	"5\r\nhello\r\n0\r\n\r\n":              "hello",
	"5 \t\r\nhello\r\n0\r\n\r\n":           "hello",
	"5;a=\"b\"\r\nhello\r\n0;\r\n\r\n":     "hello",
	"A\r\n0\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n": "0\r\n\r\n0\r\n\r\n",
	"0000000000000001\r\nx\r\n0\r\n\r\n":   "x",
	"1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\nSum: 1\r\nsum: 2\r\nOther: x\r\n y\r\n\r\n": "abc",
}

var refusedChunks = map[string]string{
	"\r\n":                           `its size is ""; want up to 16 hexadecimal digits`,
	"x\r\n":                          `its size is "x"`,
	"0x1\r\nx\r\n":                   `its size is "0x1"`,
	"-1\r\n":                         `its size is "-1"`,
	"+1\r\nx\r\n":                    `its size is "+1"`,
	"1_0\r\n":                        `its size is "1_0"`,
	" 1\r\nx\r\n":                    `its size is " 1"`,
	"1 ;x\r\nx\r\n":                  `its size is "1 "`,
	"00000000000000001\r\nx\r\n":     "its size is",
	"ffffffffffffffff\r\n":           "its size is",
	"1\nx\r\n0\r\n\r\n":              "lone CR or LF",
	"1\r\r\nx\r\n0\r\n\r\n":          "lone CR or LF",
	"1;\rx\r\nx\r\n0\r\n\r\n":        "lone CR or LF",
	"1\r\nxy\r\n":                    "goes on behind its size; want CRLF there",
	"1\r\nx\n0\r\n\r\n":              "goes on behind its size",
	"1\r\nx\r0\r\n\r\n":              "goes on behind its size",
	"0\r\nA: b\n\r\n\r\n":            "lone CR or LF",
	"0\r\nno colon\r\n\r\n":          "malformed",
	"0\r\n A: b\r\n\r\n":             "malformed",
	"1;" + strings.Repeat("x", 5000): "line of more than 4096 bytes",
	"0\r\n" + strings.Repeat("A: b\r\n", 700):                      "trailer of more than 4096 bytes",
	strings.Repeat("1;"+strings.Repeat("x", 1000)+"\r\nx\r\n", 20): "too much between the data",
}

func TestF42_ChunkedContent(t *testing.T) {
	for chunks, want := range acceptedChunks {
		wire := chunkedStart + chunks
		for _, n := range []int{1, 2, 3, 1000} {
			wantOutcome(t, httpdOutcome(t, filter.HTTPDConfig{}, wire+httpGet, n), byNetHTTP(wire), byNetHTTP(httpGet))
		}
		f := newHTTPD(t, filter.HTTPDConfig{})
		f.Feed([]byte(wire))
		rec, ok, err := f.Next()
		if !ok {
			t.Fatalf("%q: %v", chunks, err)
		}
		body, _ := io.ReadAll(rec.Body)
		if string(body) != want || rec.ContentLength != int64(len(want)) {
			t.Errorf("%q: body %q of %d; want %q", chunks, body, rec.ContentLength, want)
		}
	}
}

func TestF42_BadChunksAreRefused(t *testing.T) {
	for chunks, why := range refusedChunks {
		for _, streaming := range []bool{false, true} {
			for _, n := range []int{1, 3, 1 << 20} {
				got := httpRefusal(t, filter.HTTPDConfig{Streaming: streaming}, chunkedStart+chunks, n)
				if got.Status != 400 || !strings.Contains(got.Error(), why) {
					t.Errorf("%.40q in pieces of %d, streaming %t: %v; want %q", chunks, n, streaming, got, why)
				}
			}
		}
	}
}

// The work and the memory are those of the bytes, however small the pieces.
func TestF42_ManyTinyChunks(t *testing.T) {
	const n = 100_000
	wire := chunkedStart + strings.Repeat("1\r\nx\r\n", n) + "0\r\n\r\n"
	f := newHTTPD(t, filter.HTTPDConfig{})
	var rec filter.HTTPDRecord
	for i := range len(wire) {
		f.Feed([]byte(wire[i : i+1]))
		var err error
		if rec, _, err = f.Next(); err != nil {
			t.Fatal(err)
		}
	}
	if rec.Request == nil || rec.ContentLength != n {
		t.Errorf("record = %v", rec.Request)
	}
}
