package wheel_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
	"github.com/usher-go/usher/wheel/wheeltest"
)

func tailCase(cfg tailConfig) tailConfig {
	cfg.Filter, cfg.InputEvent, cfg.ResetEvent = filter.Line(), gotLine, reset
	cfg.ErrorEvent, cfg.CloseEvent = failed, wheeltest.Closed
	cfg.PollInterval = 2 * time.Millisecond
	return cfg
}

// A file that is replaced in mid-line: one, two, th, the reset, three. A FollowTail of a name has no
// end of its own.
func TestFollowTailConforms_Rotation(t *testing.T) {
	for name, poll := range map[string]bool{"notified": false, "polling": true} {
		t.Run(name, func(t *testing.T) {
			wheeltest.Run(t, wheeltest.Case{Real: true, Endless: 5,
				Make: func(c *kernel.Context, w *wheeltest.World) (wheeltest.Wheel, error) {
					path := filepath.Join(w.TempDir(), "log")
					write(t, path, "before\n")
					ft, err := wheel.NewFollowTail(c, tailCase(tailConfig{Filename: path, Poll: poll}))
					if err != nil {
						return nil, err
					}
					grow(t, path, "one\ntwo\nth")
					rename(t, path, path+".1")
					write(t, path, "three\n")
					return ft, nil
				},
			})
		})
	}
}

// The name becomes a directory, which is the end.
func TestFollowTailConforms_Failure(t *testing.T) {
	wheeltest.Run(t, wheeltest.Case{Real: true,
		Make: func(c *kernel.Context, w *wheeltest.World) (wheeltest.Wheel, error) {
			path := filepath.Join(w.TempDir(), "log")
			write(t, path, "")
			ft, err := wheel.NewFollowTail(c, tailCase(tailConfig{Filename: path}))
			if err != nil {
				return nil, err
			}
			grow(t, path, "one\n")
			rename(t, path, path+".1")
			return ft, os.Mkdir(path, 0o700)
		},
	})
}

// A FIFO whose writer ends, and the reading end of a pipe.
func TestFollowTailConforms_Stream(t *testing.T) {
	fifo := func(w *wheeltest.World) (near, far *os.File, err error) {
		path := filepath.Join(w.TempDir(), "fifo")
		if err := syscall.Mkfifo(path, 0o600); err != nil {
			return nil, nil, err
		}
		if near, err = os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0); err != nil {
			return nil, nil, err
		}
		far, err = os.OpenFile(path, os.O_WRONLY, 0)
		return near, far, err
	}
	for name, open := range map[string]func(*wheeltest.World) (near, far *os.File, err error){
		"fifo": fifo,
		"pipe": func(*wheeltest.World) (near, far *os.File, err error) { return os.Pipe() },
	} {
		t.Run(name, func(t *testing.T) {
			wheeltest.Run(t, wheeltest.Case{Real: true,
				Make: func(c *kernel.Context, w *wheeltest.World) (wheeltest.Wheel, error) {
					near, far, err := open(w)
					if err != nil {
						return nil, err
					}
					defer far.Close()
					if _, err := far.WriteString("one\ntwo\nth"); err != nil {
						return nil, err
					}
					return wheel.NewFollowTail(c, tailCase(tailConfig{Handle: near}))
				},
			})
		})
	}
}

// A FIFO that is followed by its name goes on when its writers are gone.
func TestFollowTailConforms_FIFOByName(t *testing.T) {
	wheeltest.Run(t, wheeltest.Case{Real: true, Endless: 2,
		Make: func(c *kernel.Context, w *wheeltest.World) (wheeltest.Wheel, error) {
			path := filepath.Join(w.TempDir(), "fifo")
			if err := syscall.Mkfifo(path, 0o600); err != nil {
				return nil, err
			}
			ft, err := wheel.NewFollowTail(c, tailCase(tailConfig{Filename: path}))
			if err == nil {
				grow(t, path, "one\n")
				grow(t, path, "two\n")
			}
			return ft, err
		},
	})
}
