package kernel_test

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// TestK156_K158_K161_SelectRead: a handler that takes one byte at a time is called for
// each of them; pausing stops it, resuming goes on, and the end of the pipe is
// readable, too. The watch alone holds the session.
func TestK156_K158_K161_SelectRead(t *testing.T) {
	for _, mode := range modes {
		t.Run(mode.String(), func(t *testing.T) {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			if _, err := w.WriteString("abcdef"); err != nil {
				t.Fatal(err)
			}
			var got []byte
			k := kernel.New(kernel.Config{Mode: mode})
			_, err = k.Spawn(session.New(
				session.Handle("_start", func(c *kernel.Context) error {
					if err := c.SelectPauseRead(r); !errors.Is(err, kernel.ErrNotWatched) {
						t.Errorf("pause of nothing: %v", err)
					}
					return c.SelectRead(r, "readable", "extra")
				}),
				session.Handle("readable", func(c *kernel.Context) error {
					if c.Arg(0) != any(r) || c.Arg(1) != kernel.SelectReading || c.Arg(2) != "extra" {
						t.Errorf("arguments %v", c.Args())
					}
					var b [1]byte
					n, err := r.Read(b[:])
					if n == 0 { // the end: nothing holds the session now
						return errors.Join(c.SelectRead(r, ""), ignoreEOF(err))
					}
					got = append(got, b[0])
					if b[0] == 'c' {
						c.Delay("go on", 10*time.Millisecond)
						return c.SelectPauseRead(r)
					}
					return nil
				}),
				session.Handle("go on", func(c *kernel.Context) error {
					if string(got) != "abc" {
						t.Errorf("read %q during the pause", got)
					}
					w.Close()
					return c.SelectResumeRead(r)
				}),
			))
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			if err := k.Run(ctx); err != nil {
				t.Fatal(err)
			}
			if string(got) != "abcdef" {
				t.Errorf("read %q", got)
			}
		})
	}
}

func ignoreEOF(err error) error {
	if err != nil && err.Error() == "EOF" {
		return nil
	}
	return err
}

// TestK156_SelectWrite fills a pipe as it takes it, until it is full.
func TestK156_SelectWrite(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	calls := 0
	k := kernel.New(kernel.Config{})
	_, err = k.Spawn(session.New(
		session.Handle("_start", func(c *kernel.Context) error { return c.SelectWrite(w, "writable") }),
		session.Handle("writable", func(c *kernel.Context) error {
			if calls++; calls == 3 {
				return c.SelectWrite(w, "")
			}
			_, err := w.WriteString("x")
			return err
		}),
	))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := k.Run(ctx); err != nil || calls != 3 {
		t.Fatalf("%d calls, %v", calls, err)
	}
}
