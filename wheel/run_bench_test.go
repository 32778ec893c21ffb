package wheel_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

// benchmarkRun keeps a process's input full and waits until size bytes of output
// came for each operation. The states count them.
func benchmarkRun(b *testing.B, cfg wheel.RunConfig, put func(r *wheel.Run) error, more ...session.State) {
	var r *wheel.Run
	k := kernel.New(kernel.Config{})
	cfg.StdinEvent = sentStdin
	feed := func() error {
		if err := put(r); !errors.Is(err, wheel.ErrClosed) {
			return err
		}
		return nil
	}
	_, err := k.Spawn(session.New(append(more,
		session.Handle("_start", func(c *kernel.Context) (err error) {
			if r, err = wheel.NewRun(c, cfg); err != nil {
				return err
			}
			return feed()
		}),
		session.On(sentStdin, func(*kernel.Context, struct{}) error { return feed() }),
	)...))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	if err := k.Run(context.Background()); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkRunCat is 64 KiB through a process and back.
func BenchmarkRunCat(b *testing.B) {
	chunk := bytes.Repeat([]byte("x"), 64<<10)
	b.SetBytes(int64(len(chunk)))
	f, want, got := filter.Stream(), b.N*len(chunk), 0
	benchmarkRun(b, wheel.RunConfig{Func: catProgram, Stdout: wheel.Decode(filter.Stream(), gotBytes)},
		func(r *wheel.Run) error { return wheel.PutTo(r, f, chunk) },
		session.On(gotBytes, func(c *kernel.Context, p []byte) error {
			if got += len(p); got >= want {
				c.Stop()
			}
			return nil
		}))
}

// BenchmarkRunLine is one line of 64 bytes through a process and back.
func BenchmarkRunLine(b *testing.B) {
	lines := make([]string, 1000)
	for i := range lines {
		lines[i] = strings.Repeat("x", 63)
	}
	got := 0
	benchmarkRun(b, wheel.RunConfig{Func: catProgram, StdoutEvent: gotOut},
		func(r *wheel.Run) error { return r.Put(lines...) },
		session.On(gotOut, func(c *kernel.Context, _ string) error {
			if got++; got == b.N {
				c.Stop()
			}
			return nil
		}))
}
