package wheel

import (
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const defaultWidth, defaultHeight = 80, 24

// device is what a ReadLine reads and writes.
type device struct {
	keys   keySource
	screen io.Writer
	edits  bool
	id     any      // names it in this process
	tty    *ttyMode // nil: it has no mode

	mu            sync.Mutex
	width, height int // where there is nobody to ask
}

func openDevice(rw io.ReadWriter) (*device, error) {
	d := &device{width: defaultWidth, height: defaultHeight}
	switch rw := rw.(type) {
	case nil:
		return d, d.open(os.Stdin, os.Stdout)
	case *os.File:
		return d, d.open(rw, rw)
	}
	d.keys, d.screen, d.edits, d.id = newStreamKeys(rw), rw, true, streamID(rw)
	return d, nil
}

func (d *device) open(in, out *os.File) error {
	raw, err := in.SyscallConn()
	if err != nil {
		return err
	}
	if d.id, err = fileID(in); err != nil {
		return err
	}
	d.screen = out
	atOnce := len(inlet{}.buf)
	if tty := newTTYMode(raw); tty != nil {
		d.tty, d.edits = tty, true
		atOnce = 1 // what follows the line is for who reads next
	}
	d.keys, err = newFileKeys(raw, atOnce)
	return err
}

// setRaw changes the terminal's mode, if it has one.
func (d *device) setRaw(on bool) error {
	if d.tty == nil {
		return nil
	}
	return d.tty.set(on)
}

func (d *device) size() (width, height int) {
	if d.tty != nil {
		if width, height = d.tty.size(); width > 0 && height > 0 {
			return width, height
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.width, d.height
}

// setSize reports whether the device believes it.
func (d *device) setSize(width, height int) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.width, d.height = width, height
	return d.tty == nil
}

// watch calls changed, on a goroutine, when the terminal has another size, and when
// the process goes on after it was stopped: the shell has changed the mode then.
func (d *device) watch(changed func()) (stop func()) {
	if d.tty == nil {
		return func() {}
	}
	signals, quit := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(signals, syscall.SIGWINCH, syscall.SIGCONT)
	go func() {
		for {
			select {
			case <-signals:
				d.tty.again()
				changed()
			case <-quit:
				return
			}
		}
	}()
	return func() {
		signal.Stop(signals)
		close(quit)
	}
}

// resumeWait is how long a process waits to be stopped: the kernel ignores SIGTSTP
// when no shell is there that could let it go on (setpgid(2), orphaned groups).
const resumeWait = 100 * time.Millisecond

// suspend stops the job that the terminal is working for, this process in it, and
// returns when it goes on. It does nothing on a terminal that is not the process's.
func (d *device) suspend() {
	if d.tty == nil || !d.tty.foreground() {
		return
	}
	resumed := make(chan os.Signal, 1)
	signal.Notify(resumed, syscall.SIGCONT)
	defer signal.Stop(resumed)
	d.tty.pause()
	_ = unix.Kill(0, unix.SIGTSTP)
	select {
	case <-resumed:
	case <-time.After(resumeWait):
	}
	d.tty.again()
}
