//go:build unix

package kernel_test

import (
	"errors"
	"net"
	"os"
	"runtime"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/usher-go/usher/kernel"
)

// pipe gives the two ends of one; what is written into it now is to be read.
func pipe(t *testing.T, written string) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	must(err)
	t.Cleanup(func() { r.Close(); w.Close() })
	_, err = w.WriteString(written)
	must(err)
	return r, w
}

// A handle that was blocking is not so once it is watched.
func TestK157_WatchedIsNonBlocking(t *testing.T) {
	nonBlocking := func(h syscall.Conn) (on bool) {
		raw, err := h.SyscallConn()
		must(err)
		must(raw.Control(func(fd uintptr) {
			flags, err := unix.FcntlInt(fd, unix.F_GETFL, 0)
			must(err)
			on = flags&unix.O_NONBLOCK != 0
		}))
		return on
	}
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		var fd [2]int
		must(syscall.Pipe(fd[:]))
		r, w := os.NewFile(uintptr(fd[0]), "r"), os.NewFile(uintptr(fd[1]), "w")
		defer r.Close()
		defer w.Close()
		expect(t, "non-blocking before", nonBlocking(r), false)
		k.spawn(table{
			"_start": func(c *kernel.Context) error {
				must(c.SelectRead(r, "readable"))
				expect(t, "non-blocking", nonBlocking(r), true)
				_, err := r.Read(make([]byte, 1))
				expect(t, "a read of nothing returns", errors.Is(err, syscall.EAGAIN), true)
				_, err = w.WriteString("x")
				return err
			},
			"readable": func(c *kernel.Context) error { k.note("readable"); return c.SelectRead(r, "") },
		})
		k.run()
		k.wantNotes("readable")
	})
}

// There is one watch for a session, handle and mode: selecting again resumes it,
// with the new event and arguments (POE keeps the old ones).
func TestK159_SelectAgain(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		r, _ := pipe(t, "x")
		again := func(c *kernel.Context) error {
			k.note("%s %v", c.Event(), c.Arg(2))
			return nil
		}
		k.spawn(table{
			"_start": func(c *kernel.Context) error {
				must(c.SelectRead(r, "first", 1))
				must(c.SelectRead(r, "second", 2))
				return nil
			},
			"first": again,
			"second": func(c *kernel.Context) error {
				must(again(c))
				must(c.SelectPauseRead(r))
				return errors.Join(c.SelectRead(r, "third", 3), c.Yield("other"))
			},
			"third": func(c *kernel.Context) error { must(again(c)); return c.SelectRead(r, "") },
			"other": func(*kernel.Context) error { return nil },
		})
		k.run()
		k.wantNotes("second 2", "third 3")
	})
}

// Two sessions may watch one handle. Pausing is a session's own affair; the paused
// watch still holds its session, and keeps IDLE away.
func TestK160_K161_TwoWatchOneHandle(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		r, _ := pipe(t, "nobody reads it")
		paused := k.spawn(table{
			"_start": func(c *kernel.Context) error { return errors.Join(c.SelectRead(r, "readable"), c.SelectPauseRead(r)) },
			"resume": func(c *kernel.Context) error { k.note("resume"); return c.SelectResumeRead(r) },
			"readable": func(c *kernel.Context) error {
				k.note("the paused one is called")
				return c.SelectRead(r, "")
			},
		})
		k.service(table{
			"_start": func(c *kernel.Context) error { c.Sig("IDLE", "idle"); return nil },
			"idle":   k.noting("IDLE"),
		})
		calls := 0
		k.spawn(table{
			"_start": func(c *kernel.Context) error { return c.SelectRead(r, "readable") },
			"readable": func(c *kernel.Context) error {
				if calls++; calls < 20 {
					return nil
				}
				k.note("the other was called")
				must(c.SelectRead(r, ""))
				for range 1000 {
					runtime.Gosched()
				}
				return c.Post(paused, "resume")
			},
		})
		k.run()
		k.wantNotes("the other was called", "resume", "the paused one is called", "IDLE")
		expect(t, "calls of the other", calls, 20)
	})
}

// After a watch is ended nothing of it comes: neither the other mode of a handle
// that was ready for both, nor a turn that had been asked for already.
func TestK163_T12_NothingAfterUnwatching(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		for s := range uint64(20) {
			k := boot(t, m, seed(s))
			l, err := net.Listen("tcp", "127.0.0.1:0")
			must(err)
			far, err := net.Dial("tcp", l.Addr().String())
			must(err)
			near, err := l.Accept()
			must(err)
			_, err = far.Write([]byte("x"))
			must(err)
			h := near.(*net.TCPConn)
			k.spawn(table{
				"_start": func(c *kernel.Context) error {
					must(c.SelectRead(h, "ready"))
					must(c.SelectWrite(h, "ready"))
					if s%2 == 0 { // before any of it was delivered
						for range 100 {
							runtime.Gosched()
						}
						return errors.Join(c.SelectRead(h, ""), c.SelectWrite(h, ""))
					}
					return nil
				},
				"ready": func(c *kernel.Context) error {
					k.note("ready")
					must(c.SelectRead(h, ""))
					must(c.SelectWrite(h, ""))
					err := c.SelectRead(h, "")
					expect(t, "unwatching twice", errors.Is(err, kernel.ErrNotWatched), true)
					return nil
				},
			})
			k.run()
			expect(t, "events", len(k.journal()), int(s%2))
			near.Close()
			far.Close()
			l.Close()
		}
	})
}

// A handle that is closed while it is watched: its descriptor lives until the
// watch is ended, which still works, and its number is not mixed up with another's.
func TestK164_ClosedWhileWatched(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m)
		r, w := pipe(t, "")
		k.spawn(table{
			"_start": func(c *kernel.Context) error {
				must(c.SelectRead(r, "old"))
				must(r.Close())
				_, err := w.WriteString("x")
				expect(t, "the pipe is open", err, nil)
				other, _ := pipe(t, "y") // it takes the number
				return errors.Join(c.SelectRead(other, "new", other), c.Yield("unwatch"))
			},
			"unwatch": func(c *kernel.Context) error {
				must(c.SelectRead(r, ""))
				_, err := w.WriteString("x")
				expect(t, "the pipe is closed", errors.Is(err, syscall.EPIPE), true)
				return nil
			},
			"old": func(*kernel.Context) error { return nil },
			"new": func(c *kernel.Context) error {
				k.note("%v", c.Arg(0) == c.Arg(2))
				return c.SelectRead(c.Arg(2).(*os.File), "")
			},
		})
		k.run()
		k.wantNotes("true")
	})
}
