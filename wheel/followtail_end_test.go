package wheel_test

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

// opened counts this process's descriptors of a file.
func opened(t *testing.T, path string) (n int) {
	t.Helper()
	links, err := filepath.Glob("/proc/self/fd/*")
	if err != nil || len(links) == 0 {
		t.Skip("no /proc/self/fd here")
	}
	for _, l := range links {
		if to, err := os.Readlink(l); err == nil && to == path {
			n++
		}
	}
	return n
}

func waitFor(t *testing.T, f func() bool, what string) {
	t.Helper()
	for end := time.Now().Add(patience); !f(); runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatal(what)
		}
	}
}

func TestW87_IdleEvent(t *testing.T) {
	tails(t, func(t *testing.T, k *kernel.Kernel, cfg tailConfig) {
		cfg.IdleEvent = idle
		f := follow(t, k, cfg)
		f.want("idle", "idle") // while there is no file, too
	})
}

// An error ends it: the name has become a directory.
func TestW87_ErrorEnds(t *testing.T) {
	tails(t, func(t *testing.T, k *kernel.Kernel, cfg tailConfig) {
		f := follow(t, k, cfg)
		if err := os.Mkdir(cfg.Filename, 0o700); err != nil {
			t.Fatal(err)
		}
		why := cfg.Filename + " has become something else than a regular file (d---------); make another wheel for it"
		f.want("failed open "+why, "closed "+why)
		if n := opened(t, cfg.Filename); n != 0 {
			t.Errorf("the directory is open %d times", n)
		}
	})
}

func TestW87_ReadErrorEnds(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		path := filepath.Join(t.TempDir(), "log")
		file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		f := follow(t, k, tailConfig{Handle: file})
		f.want("failed read bad file descriptor", "closed bad file descriptor")
		if n := opened(t, path); n != 0 {
			t.Errorf("the file is open %d times after CloseEvent", n)
		}
	})
}

// Writers of a FIFO come and go, and nobody polls.
func TestW88_FIFOByName(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		path := filepath.Join(t.TempDir(), "fifo")
		if err := syscall.Mkfifo(path, 0o600); err != nil {
			t.Fatal(err)
		}
		f := follow(t, k, tailConfig{Filename: path, PollInterval: never})
		for _, line := range []string{"one", "two", "three"} {
			grow(t, path, line+"\n")
			f.want(line)
		}
	})
}

func TestW88_W89_Pipe(t *testing.T) {
	for _, blocking := range []bool{false, true} {
		inModes(t, func(t *testing.T, k *kernel.Kernel) {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			if blocking { // as the standard input usually is
				r.Fd()
			}
			f := newFollower(t, tailConfig{Handle: r, PollInterval: never})
			f.cfg.IdleEvent = idle
			f.start(k)
			_, _ = io.WriteString(w, "one\ntwo\nunfin")
			f.want("one", "two")
			_ = w.Close()
			f.want("unfin", "idle", "closed nil")
		})
	}
}

func TestW88_W89_Terminal(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		master, slave, err := pty.Open()
		if err != nil {
			t.Skipf("no terminals here: %v", err)
		}
		f := follow(t, k, tailConfig{Handle: slave, PollInterval: never})
		_, _ = io.WriteString(master, "one\n")
		f.want("one")
		_ = master.Close()
		f.want("failed read EOF", "closed nil")
	})
}

func TestW89_Socket(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		near, far := connect(t, "unix")
		file, err := near.(*net.UnixConn).File()
		if err != nil {
			t.Fatal(err)
		}
		_ = near.Close()
		f := follow(t, k, tailConfig{Handle: file})
		far.send("one\n")
		f.want("one")
		far.closeWrite()
		f.want("failed read EOF", "closed nil")
	})
}

// Tell is behind the record that is being delivered, however far was read.
func TestW89_Tell(t *testing.T) {
	tails(t, func(t *testing.T, k *kernel.Kernel, cfg tailConfig) {
		write(t, cfg.Filename, "one\nseven\ntwo\nunfin")
		cfg.Seek = new(int64(4))
		f := newFollower(t, cfg)
		var at []int64
		f.line = func(*kernel.Context, string) { at = append(at, f.ft.Tell()) }
		f.start(k)
		f.want("seven", "two")
		rename(t, cfg.Filename, cfg.Filename+".1")
		write(t, cfg.Filename, "x\n")
		f.want("unfin", "reset replaced", "x")
		f.do(func(*kernel.Context) {
			if want := []int64{10, 14, 19, 2}; !slices.Equal(at, want) {
				t.Errorf("Tell: %v, want %v", at, want)
			}
		})
	})
}

// Tell, given to Seek, has another wheel go on with the next record.
func TestW80_W89_GoOnLater(t *testing.T) {
	tails(t, func(t *testing.T, k *kernel.Kernel, cfg tailConfig) {
		write(t, cfg.Filename, numbered(100))
		cfg.Seek = new(int64(0))
		f := newFollower(t, cfg)
		var at int64
		f.line = func(_ *kernel.Context, s string) {
			if s == "line 49" {
				at = f.ft.Tell()
				f.ft.Close()
			}
		}
		f.start(k)
		for range 50 {
			<-f.said
		}
		f.do(func(c *kernel.Context) {
			var err error
			f.cfg.Seek, f.cfg.Filter = &at, filter.Line()
			if f.ft, err = wheel.NewFollowTail(c, f.cfg); err != nil {
				t.Error(err)
			}
		})
		f.want("line 50", "line 51")
	})
}

// After Close its file is closed, and nothing comes.
func TestFollowTail_Close(t *testing.T) {
	tails(t, func(t *testing.T, k *kernel.Kernel, cfg tailConfig) {
		write(t, cfg.Filename, numbered(5000))
		cfg.Seek = new(int64(0))
		f := newFollower(t, cfg)
		f.line = func(*kernel.Context, string) {
			f.ft.Close()
			if n := opened(t, cfg.Filename); n != 0 {
				t.Errorf("the file is open %d times after Close", n)
			}
		}
		f.start(k)
		f.want("line 0")
		f.do(func(*kernel.Context) { f.ft.Close(); f.ft.PauseInput(); f.ft.ResumeInput() })
		select {
		case got := <-f.said:
			t.Errorf("told %q after Close", got)
		default:
		}
	})
}

// No more than Credit is read ahead.
func TestG12_FollowTailCredit(t *testing.T) {
	tails(t, func(t *testing.T, k *kernel.Kernel, cfg tailConfig) {
		write(t, cfg.Filename, numbered(1000))
		cfg.Seek, cfg.Credit = new(int64(0)), 20
		tall := &tallest{InputFilter: filter.Line()}
		cfg.Filter = tall
		f := follow(t, k, cfg)
		for range 1000 {
			<-f.said
		}
		f.do(func(*kernel.Context) {
			if tall.most == 0 || tall.most > 20 {
				t.Errorf("%d bytes at once, want 1 to 20", tall.most)
			}
		})
	})
}

// tallest notes the most that it was fed at once.
type tallest struct {
	wheel.InputFilter[string]
	most int
}

func (f *tallest) Feed(p []byte) {
	f.most = max(f.most, len(p))
	f.InputFilter.Feed(p)
}

// A wheel holds its session as long as something can come, and no longer.
func TestW11_FollowTailHolds(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		heard := ""
		beside(t, func() {
			_, _ = io.WriteString(w, "one\n")
			_ = w.Close()
		})
		run(t, k, session.New(
			session.Handle("_start", func(c *kernel.Context) error {
				_, err := wheel.NewFollowTail(c, tailConfig{Handle: r, Filter: filter.Line(), InputEvent: gotLine})
				return err
			}),
			session.On(gotLine, func(_ *kernel.Context, s string) error { heard += s; return nil }),
		))
		if heard != "one" {
			t.Errorf("heard %q", heard)
		}
	})
}

// After PauseInput nothing comes, not even of the same read.
func TestFollowTail_PauseBetweenRecords(t *testing.T) {
	tails(t, func(t *testing.T, k *kernel.Kernel, cfg tailConfig) {
		write(t, cfg.Filename, "one\ntwo\nthree\n")
		cfg.Seek = new(int64(0))
		f := newFollower(t, cfg)
		f.line = func(_ *kernel.Context, s string) {
			if s == "two" {
				f.ft.PauseInput()
			}
		}
		f.start(k)
		f.want("one", "two")
		f.do(func(*kernel.Context) { f.say("asked"); f.ft.ResumeInput() })
		f.want("asked", "three")
	})
}

// Fifty wheels share one watcher, and when their session stops nothing stays behind.
func TestFollowTail_LeavesNothing(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		run(t, k, session.New(session.Handle("_start", func(*kernel.Context) error { return nil })))
		runtime.GC()
		dir := t.TempDir()
		goroutines, files := runtime.NumGoroutine(), descriptors(t)
		watchers := opened(t, "anon_inode:inotify")
		const wheels = 50
		heard, most := 0, 0
		s := session.New(
			session.Handle("_start", func(c *kernel.Context) error {
				for i := range wheels {
					path := filepath.Join(dir, string(rune('A'+i)))
					write(t, path, "hello\n")
					_, err := wheel.NewFollowTail(c, tailConfig{
						Filename: path, Filter: filter.Line(), InputEvent: gotLine, Seek: new(int64(0)),
					})
					if err != nil {
						return err
					}
				}
				return nil
			}),
			session.On(gotLine, func(c *kernel.Context, _ string) error {
				most = max(most, opened(t, "anon_inode:inotify")-watchers)
				if heard++; heard == wheels {
					c.Stop()
				}
				return nil
			}),
		)
		run(t, k, s)
		if heard != wheels || most > 1 {
			t.Errorf("%d lines, want %d; %d watchers, want 1 at most", heard, wheels, most)
		}
		if n, ok := settled(runtime.NumGoroutine, goroutines); !ok {
			t.Errorf("%d goroutines, %d before", n, goroutines)
		}
		if n, ok := settled(func() int { return descriptors(t) }, files); !ok {
			t.Errorf("%d descriptors, %d before", n, files)
		}
	})
}
