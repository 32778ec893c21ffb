package httpd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"syscall"
	"time"
)

// open begins to listen. It blocks while a host name is looked up, and up to a
// second while it asks whether anybody serves a socket file that exists.
func (a address) open(n interface {
	Listen(ctx context.Context, network, address string) (net.Listener, error)
}) (net.Listener, error) {
	ln, err := n.Listen(context.Background(), a.network, a.target)
	if a.network == "unix" && errors.Is(err, syscall.EADDRINUSE) {
		if err = removeStale(a.target); err == nil {
			ln, err = n.Listen(context.Background(), a.network, a.target)
		}
	}
	if err == nil && a.mode != 0 {
		if err = os.Chmod(a.target, a.mode); err != nil {
			ln.Close()
		}
	}
	if err != nil {
		return nil, fmt.Errorf("httpd: cannot listen on %s: %w; free the address, or choose one of this machine that you may use", a.text, err)
	}
	return ln, nil
}

// removeStale removes a socket that a dead server left behind, and nothing else:
// only a refused connection proves that nobody listens.
func removeStale(path string) error {
	if found, err := os.Lstat(path); err != nil || found.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("%w: a file that is not a socket is in the way", syscall.EADDRINUSE)
	}
	conn, err := net.DialTimeout("unix", path, time.Second)
	if err == nil {
		conn.Close()
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("%w: another program may serve that socket", syscall.EADDRINUSE)
	}
	return os.Remove(path)
}
