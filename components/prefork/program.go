//go:build unix

package prefork

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// software is what the workers of one generation are started from. All of them
// are the same program, whatever is put in its place on disk meanwhile.
type software struct {
	path string
	file *os.File // keeps it there; nil: nothing does
}

func (s *software) close() {
	if s.file != nil {
		_ = s.file.Close()
	}
}

// thisProgram is the program of this process. On Linux the link in /proc leads to it
// even after its file was replaced or removed.
func thisProgram() (*software, error) {
	if runtime.GOOS == "linux" {
		const self = "/proc/self/exe"
		if _, err := os.Stat(self); err == nil {
			return &software{path: self}, nil
		}
	}
	path, err := os.Executable()
	return &software{path: path}, err
}

// onDisk is the program that path leads to now. It is opened, and on Linux
// executed through the descriptor, so that workers started later are the same
// program. The path goes by way of this process's number: a new process has other
// descriptors. A script is executed by its path, which it may want to know.
func onDisk(path string) (*software, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%w; put the program there first", err)
	}
	info, err := f.Stat()
	if err == nil && (info.IsDir() || info.Mode()&0o111 == 0) {
		err = fmt.Errorf("%s is no program; put one there first", path)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	begin := make([]byte, 2)
	_, _ = f.Read(begin)
	if runtime.GOOS == "linux" && string(begin) != "#!" {
		fixed := fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), f.Fd())
		if _, err := os.Stat(fixed); err == nil {
			return &software{fixed, f}, nil
		}
	}
	_ = f.Close()
	return &software{path: path}, nil
}

// invoked is the path by which this program was started, for a reload: it may
// lead over a symbolic link that a new release moves, which os.Executable has
// already followed. Where the arguments tell something else, os.Executable knows.
func invoked() (string, error) {
	exe, err := os.Executable()
	if err != nil {
		return "", err
	}
	path, err := exec.LookPath(os.Args[0])
	if err != nil {
		return exe, nil
	}
	if path, err = filepath.Abs(path); err != nil {
		return exe, nil
	}
	a, err := os.Stat(path)
	if err != nil {
		return exe, nil
	}
	if b, err := os.Stat(exe); err != nil || !os.SameFile(a, b) {
		return exe, nil
	}
	return path, nil
}
