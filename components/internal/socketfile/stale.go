// Package socketfile clears the way for servers on unix sockets.
package socketfile

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"syscall"
	"time"
)

// What RemoveStale leaves alone.
var (
	ErrNotSocket = errors.New("a file that is not a socket is in the way")
	ErrAnswered  = errors.New("another program serves that socket")
)

// RemoveStale removes a socket file that a dead server left behind (P72), and
// nothing else. Only a refused connection proves that nobody listens: a full
// queue, a missing permission and a timeout all may hide somebody.
func RemoveStale(path string) error {
	found, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if found.Mode().Type() != fs.ModeSocket {
		return ErrNotSocket
	}
	conn, err := net.DialTimeout("unix", path, time.Second)
	switch {
	case err == nil:
		conn.Close()
		return ErrAnswered
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case !errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("cannot tell whether anybody serves that socket: %w", err)
	}
	// Another server may have taken the path while this one asked.
	if now, err := os.Lstat(path); err == nil && !os.SameFile(found, now) {
		return ErrAnswered
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
