package wheel

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// openFlags: a FIFO or a terminal must neither hold up the open nor become ours.
const openFlags = syscall.O_NONBLOCK | syscall.O_NOCTTY

// openToFollow opens what is to be followed first; nil when the name names nothing.
func openToFollow(name string, handle *os.File) (*os.File, fs.FileMode, error) {
	file := handle
	if file == nil {
		var err error
		if file, err = openNamed(name); err != nil {
			if misfortune(err) == notThere {
				return nil, 0, nil
			}
			return nil, 0, &Error{Op: "open", Err: err}
		}
	}
	info, err := file.Stat()
	if err == nil && info.IsDir() {
		err = misconfigured("FollowTailConfig.Filename", "is %q, a directory; name a file in it", file.Name())
	} else if err != nil {
		err = &Error{Op: "stat", Err: err}
	}
	if err != nil {
		if handle == nil {
			_ = file.Close()
		}
		return nil, 0, err
	}
	return file, info.Mode(), nil
}

// openNamed opens a FIFO for writing, too: then it does not end when its last writer
// goes (W88).
func openNamed(name string) (*os.File, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.Mode()&fs.ModeNamedPipe != 0 {
		return os.OpenFile(name, os.O_RDWR|openFlags, 0)
	}
	return os.OpenFile(name, os.O_RDONLY|openFlags, 0)
}

func identify(file *os.File) (id followID, size int64, err error) {
	info, err := file.Stat()
	if err != nil {
		return id, 0, err
	}
	return idOf(info), info.Size(), nil
}

func idOf(info fs.FileInfo) followID {
	st := info.Sys().(*syscall.Stat_t)
	return followID{dev: uint64(st.Dev), ino: st.Ino}
}

// namedPlace is a name in the system's files.
type namedPlace struct {
	name   string
	report func(cause string, err error)
}

var _ place = (*namedPlace)(nil)

func (p *namedPlace) id() (followID, bool, error) {
	info, err := os.Stat(p.name)
	if err != nil {
		return followID{}, false, p.excuse("stat", err)
	}
	return idOf(info), true, nil
}

func (p *namedPlace) open() (*followed, bool, error) {
	file, err := os.OpenFile(p.name, os.O_RDONLY|openFlags, 0)
	if err != nil {
		return nil, false, p.excuse("open", err)
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s has become something else than a regular file (%v); make another wheel for it", p.name, info.Mode().Type())
	}
	if err != nil {
		_ = file.Close()
		return nil, false, &Error{Op: "open", Err: err}
	}
	return &followed{file: glances{file}, id: idOf(info)}, true, nil
}

// excuse returns nil for errors that may pass.
func (p *namedPlace) excuse(op string, err error) error {
	switch misfortune(err) {
	case notThere:
		return nil
	case mayPass:
		p.report("a followed file cannot be opened now; it is tried again", err)
		return nil
	}
	return &Error{Op: op, Err: err}
}

// misfortunes of stat(2) and open(2), by what becomes of them.
type fate uint8

const (
	final    fate = iota
	notThere      // wait for the file
	mayPass       // likewise, but somebody should know
)

func misfortune(err error) fate {
	var no syscall.Errno
	if !errors.As(err, &no) {
		return final
	}
	switch no {
	case syscall.ENOENT, syscall.ENOTDIR: // it, or a directory above it, may be made later
		return notThere
	case syscall.EACCES, syscall.EPERM, // made first, given its owner and mode then
		syscall.ELOOP,                                  // a link that is about to be changed
		syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, // others may give some back
		syscall.EINTR, syscall.ESTALE: // NFS: the name was looked up in a cache
		return mayPass
	}
	return final
}
