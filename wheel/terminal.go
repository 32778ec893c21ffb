package wheel

import (
	"bytes"
	"fmt"
	"math"
	"os"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// Winsize is the size of a terminal: in characters, X and Y in pixels. Without
// pixels, a character counts 9 by 16 of them (W61).
type Winsize struct{ Rows, Cols, X, Y uint16 }

func (w Winsize) system() *unix.Winsize {
	if w.X == 0 && w.Y == 0 {
		w.X = uint16(min(int(w.Cols)*9, math.MaxUint16))
		w.Y = uint16(min(int(w.Rows)*16, math.MaxUint16))
	}
	return &unix.Winsize{Row: w.Rows, Col: w.Cols, Xpixel: w.X, Ypixel: w.Y}
}

// openTerminal returns a new terminal's two ends.
func openTerminal(size Winsize, cooked bool) (master, slave *os.File, err error) {
	master, slave, err = pty.Open()
	if err != nil {
		return nil, nil, err
	}
	err = func() error {
		if !cooked {
			if _, err := term.MakeRaw(int(slave.Fd())); err != nil {
				return fmt.Errorf("raw mode: %w", err)
			}
		}
		if err := resize(master, size); err != nil {
			return err
		}
		// pty.Open has asked for the master's Fd, which made it a blocking one.
		return control(master, func(fd int) error { return unix.SetNonblock(fd, true) })
	}()
	if err != nil {
		_, _ = master.Close(), slave.Close()
		return nil, nil, err
	}
	return master, slave, nil
}

// control runs f with the descriptor, and leaves the file non-blocking.
func control(file *os.File, f func(fd int) error) error {
	raw, err := file.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := raw.Control(func(fd uintptr) { failed = f(int(fd)) }); err != nil {
		return err
	}
	return failed
}

func resize(terminal *os.File, size Winsize) error {
	return control(terminal, func(fd int) error {
		return os.NewSyscallError("ioctl TIOCSWINSZ", unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, size.system()))
	})
}

// endOfFile is what a terminal's user types to end the input. In a line that was
// begun the character only hands over that line (termios(3), VEOF); the second one
// is the end.
func endOfFile(terminal *os.File, midLine bool) ([]byte, error) {
	var t *unix.Termios
	err := control(terminal, func(fd int) (err error) {
		t, err = unix.IoctlGetTermios(fd, ioctlGetTermios)
		return os.NewSyscallError("ioctl, reading a terminal's mode", err)
	})
	if err != nil {
		return nil, err
	}
	n := 1
	if midLine && t.Lflag&unix.ICANON != 0 {
		n = 2
	}
	return bytes.Repeat([]byte{t.Cc[unix.VEOF]}, n), nil
}

// foreground is the process group that a terminal's ^C would reach, 0 for none.
func foreground(terminal *os.File) int {
	group := 0
	_ = control(terminal, func(fd int) (err error) {
		group, err = unix.IoctlGetInt(fd, unix.TIOCGPGRP)
		return err
	})
	return group
}
