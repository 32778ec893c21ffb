//go:build unix

package prefork

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// pidFile is a master's. Its owner is who has locked it (flock(2)) and not whose
// number it holds: numbers are used again, and in a container the same program
// has the same one after every start. The lock ends with the process.
type pidFile struct {
	path     string // "": none
	takeOver bool   // from the master that owns it
	file     *os.File
}

// free returns ErrPIDFile if another master that lives owns the file.
func (p *pidFile) free() error {
	if p.path == "" || p.takeOver {
		return nil
	}
	f, err := os.Open(p.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w: %w; choose another path", ErrPIDFile, err)
	}
	defer f.Close()
	err = unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB)
	switch {
	case errors.Is(err, unix.EWOULDBLOCK):
		pid := make([]byte, 32)
		n, _ := f.Read(pid)
		return fmt.Errorf("%w: %s is that of process %q, which lives; stop it first", ErrPIDFile, p.path, bytes.TrimSpace(pid[:n]))
	case err != nil:
		return fmt.Errorf("%w: %s: %w; choose another path", ErrPIDFile, p.path, err)
	}
	return nil
}

// write puts the file there, whole and locked.
func (p *pidFile) write() error {
	if p.path == "" {
		return nil
	}
	if err := p.free(); err != nil { // somebody else may have been quicker
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(p.path), "."+filepath.Base(p.path)+"-")
	if err != nil {
		return fmt.Errorf("%w: %w; make the directory writable for this user", ErrPIDFile, err)
	}
	err = errors.Join(
		unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB),
		f.Chmod(0o644),
		func() error { _, err := fmt.Fprintln(f, os.Getpid()); return err }(),
	)
	if err == nil {
		err = os.Rename(f.Name(), p.path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		_ = f.Close()
		return fmt.Errorf("%w: %w; make the directory writable for this user", ErrPIDFile, err)
	}
	p.file = f
	return nil
}

// remove takes the file away, unless it is another one by now.
func (p *pidFile) remove() {
	if p.file == nil {
		return
	}
	ours, err := p.file.Stat()
	if now, lerr := os.Lstat(p.path); err == nil && lerr == nil && os.SameFile(ours, now) {
		_ = os.Remove(p.path)
	}
	_ = p.file.Close()
	p.file = nil
}
