package wheel

import (
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// ttyMode is a terminal's mode: raw while a line is edited, otherwise as it was.
type ttyMode struct {
	conn syscall.RawConn

	mu  sync.Mutex
	old *unix.Termios // the mode to go back to; nil: it is in force
}

// newTTYMode returns nil if conn is no terminal.
func newTTYMode(conn syscall.RawConn) *ttyMode {
	m := &ttyMode{conn: conn}
	if _, err := m.get(); err != nil {
		return nil
	}
	return m
}

func (m *ttyMode) control(f func(fd int) error) error {
	var err error
	if controlErr := m.conn.Control(func(fd uintptr) { err = f(int(fd)) }); controlErr != nil {
		return controlErr
	}
	return os.NewSyscallError("ioctl", err)
}

func (m *ttyMode) get() (mode *unix.Termios, err error) {
	err = m.control(func(fd int) (err error) {
		mode, err = unix.IoctlGetTermios(fd, ioctlGetTermios)
		return err
	})
	return mode, err
}

// put does not wait for output, and loses no input.
func (m *ttyMode) put(mode *unix.Termios) error {
	return m.control(func(fd int) error { return unix.IoctlSetTermios(fd, ioctlSetTermios, mode) })
}

func (m *ttyMode) set(raw bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if raw == (m.old != nil) {
		return nil
	}
	if !raw {
		old := m.old
		m.old = nil
		return m.put(old)
	}
	old, err := m.get()
	if err != nil {
		return err
	}
	if err := m.put(rawMode(*old)); err != nil {
		return err
	}
	m.old = old
	return nil
}

// pause gives the old mode back for a while; again ends that.
func (m *ttyMode) pause() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.old != nil {
		_ = m.put(m.old)
	}
}

func (m *ttyMode) again() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.old != nil {
		_ = m.put(rawMode(*m.old))
	}
}

// rawMode gives every byte as it was typed, and no echo (termios(3), cfmakeraw). It
// leaves the output alone: a "\n" of others must still begin a line.
func rawMode(m unix.Termios) *unix.Termios {
	m.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
	m.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	m.Cflag = m.Cflag&^(unix.CSIZE|unix.PARENB) | unix.CS8
	m.Cc[unix.VMIN], m.Cc[unix.VTIME] = 1, 0
	return &m
}

// size is 0, 0 where the terminal does not know.
func (m *ttyMode) size() (width, height int) {
	_ = m.control(func(fd int) error {
		ws, err := unix.IoctlGetWinsize(fd, unix.TIOCGWINSZ)
		if err == nil {
			width, height = int(ws.Col), int(ws.Row)
		}
		return err
	})
	return width, height
}

// foreground: it is this process's terminal, and works for its group.
func (m *ttyMode) foreground() (yes bool) {
	_ = m.control(func(fd int) error {
		group, err := unix.IoctlGetInt(fd, unix.TIOCGPGRP)
		yes = err == nil && group == unix.Getpgrp()
		return err
	})
	return yes
}
