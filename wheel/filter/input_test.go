package filter

import (
	"bytes"
	"testing"
)

func TestF5_InputKeepsOrderAndBounds(t *testing.T) {
	in := input{max: 10_000}
	var want []byte
	next := byte(0)
	for i := range 20_000 {
		p := make([]byte, i%97)
		for j := range p {
			p[j], next = next, next+1
		}
		if in.len()+len(p) > in.max {
			p = nil
		}
		in.feed(p)
		want = append(want, p...)
		if n := i % 101; n <= in.len() {
			in.skip(n)
			want = want[n:]
		}
		if !bytes.Equal(in.bytes(), want) {
			t.Fatalf("step %d: %x; want %x", i, in.bytes(), want)
		}
		if cap(in.buf) > 8*in.max {
			t.Fatalf("step %d: %d bytes of storage for at most %d", i, cap(in.buf), in.max)
		}
	}
	if in.over {
		t.Error("over its limit, and nothing was fed beyond")
	}
}

func TestF5_IdleInputHoldsNoStorage(t *testing.T) {
	in := input{max: 1 << 20}
	for _, n := range []int{1, newStorage + 1, keepStorage + 1} {
		in.feed(make([]byte, n))
		in.skip(n - 1)
		if in.buf == nil || in.len() != 1 {
			t.Fatalf("%d bytes left of %d, want 1", in.len(), n)
		}
		in.skip(1)
		if in.buf != nil || in.lent != nil {
			t.Errorf("storage of %d bytes kept with nothing in it", cap(in.buf))
		}
	}
}

func TestF9_InputKeepsWhatFits(t *testing.T) {
	in := input{max: 4}
	in.feed([]byte("12"))
	in.feed([]byte("3456"))
	in.feed([]byte("7"))
	if got := string(in.bytes()); got != "1234" || !in.over {
		t.Errorf("kept %q, over %v; want 1234 and over", got, in.over)
	}
}
