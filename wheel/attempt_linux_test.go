package wheel

import (
	"net"
	"testing"

	"github.com/usher-go/usher/kernel"
)

// TestDescriptor_TriesAllocateNothing: neither one that finds bytes nor one that does not.
func TestDescriptor_TriesAllocateNothing(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	near, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer near.Close()
	far, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()

	p := portOf(near)
	p.tell(&waiter{src: new(kernel.Source)}, &waiter{src: new(kernel.Source)})
	defer p.leave(false)
	b := make([]byte, 64)
	if _, err := p.TryRead(b); err != ErrAgain {
		t.Fatalf("got %v, want %v", err, ErrAgain)
	}
	allocated := testing.AllocsPerRun(100, func() {
		if _, err := p.TryWrite(b); err != nil {
			t.Fatal(err)
		}
		if _, err := far.Read(b); err != nil {
			t.Fatal(err)
		}
		if _, err := p.TryRead(b); err != ErrAgain {
			t.Fatalf("got %v, want %v", err, ErrAgain)
		}
	})
	if allocated != 0 {
		t.Errorf("%v allocations", allocated)
	}
}
