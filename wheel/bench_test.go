package wheel_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"testing"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

// serveEcho runs an echo session on one end of a connection, and returns the other.
func serveEcho(b *testing.B, mode kernel.Mode) net.Conn {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	far, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	near, err := l.Accept()
	if err != nil {
		b.Fatal(err)
	}
	k := kernel.New(kernel.Config{Mode: mode})
	var rw *lineWheel
	_, err = k.Spawn(session.New(
		session.Handle("_start", func(c *kernel.Context) (err error) {
			rw, err = wheel.NewReadWrite(c, near, lineConfig{Filter: filter.Line(), InputEvent: gotLine})
			return err
		}),
		session.On(gotLine, func(_ *kernel.Context, s string) error { return rw.Put(s) }),
	))
	if err != nil {
		b.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- k.Run(context.Background()) }()
	b.Cleanup(func() {
		_ = far.Close()
		if err := <-done; err != nil {
			b.Error(err)
		}
	})
	return far
}

func benchmarkEcho(b *testing.B, mode kernel.Mode, lines int) {
	far := serveEcho(b, mode)
	out := bytes.Repeat([]byte("a line of sixty-four bytes, as in the budgets: 0123456789 abcd\r\n"), lines)
	in := make([]byte, len(out))
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		if _, err := far.Write(out); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(far, in); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEchoRoundTrip(b *testing.B) {
	for _, mode := range []kernel.Mode{kernel.Parallel, kernel.Serial} {
		b.Run(mode.String(), func(b *testing.B) { benchmarkEcho(b, mode, 1) })
	}
}

// BenchmarkEcho64Lines is one operation per 64 lines: divide for the cost of one.
func BenchmarkEcho64Lines(b *testing.B) {
	for _, mode := range []kernel.Mode{kernel.Parallel, kernel.Serial} {
		b.Run(mode.String(), func(b *testing.B) { benchmarkEcho(b, mode, 64) })
	}
}
