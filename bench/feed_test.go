package main

import (
	"bytes"
	"testing"
)

// What is fed is the stream over and over, to a reader as well.
func TestFeedRepeatsTheStream(t *testing.T) {
	wire := bytes.Repeat([]byte("0123456"), 10_000) // no whole number of pieces
	fed, read := &feed{wire: wire}, &feed{wire: wire}
	var got, alike []byte
	for len(got) < 3*len(wire) {
		p := fed.next()
		if len(p) == 0 || len(p) > feedSize {
			t.Fatalf("a piece of %d bytes; want %d at most", len(p), feedSize)
		}
		got = append(got, p...)
		buf := make([]byte, 2*feedSize)
		n, err := read.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		alike = append(alike, buf[:n]...)
	}
	if !bytes.Equal(got, bytes.Repeat(wire, 3)) || !bytes.Equal(got, alike) {
		t.Errorf("%d bytes and %d for the reader; want three times the stream", len(got), len(alike))
	}
}
