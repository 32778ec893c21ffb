//go:build unix

package prefork

import (
	"errors"
	"net"
	"os"
	"syscall"

	"github.com/usher-go/usher/components/internal/socketfile"
)

// Address is an entry of Config.Listen, for servers that also do without workers: what
// may be written there, stale socket files and remedies are the same.
type Address struct{ a address }

// ParseAddress reads one; an error is a *ConfigError that names field. Hosts are not
// looked up.
func ParseAddress(field, s string) (Address, error) {
	a, err := parseListen(field, s)
	return Address{a}, err
}

// Chosen is the address with the port that the system chose, for the next time.
func (a Address) Chosen(at net.Addr) Address {
	if a.a.network == "tcp" {
		a.a.target = at.String()
	}
	return a
}

// Listen opens it by a function like net.Listen. It may block for a look-up, and up to
// a second while it asks whether anybody serves an existing socket file. The error is a
// *ListenError.
func (a Address) Listen(listen func(network, address string) (net.Listener, error)) (net.Listener, error) {
	ln, err := a.a.anyListener(listen)
	if err != nil {
		return nil, a.a.failed(err)
	}
	return ln, nil
}

func (a address) anyListener(listen func(network, address string) (net.Listener, error)) (net.Listener, error) {
	if a.network != "systemd" {
		return a.listen(listen)
	}
	e, err := a.adopt()
	if err != nil {
		return nil, err
	}
	defer e.close()
	f, err := e.share()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return net.FileListener(f)
}

// listen begins to listen, where a dead server's socket may be in the way, and sets
// the mode.
func (a address) listen(listen func(network, address string) (net.Listener, error)) (net.Listener, error) {
	ln, err := listen(a.network, a.target)
	if a.network == "unix" && errors.Is(err, syscall.EADDRINUSE) {
		if err = socketfile.RemoveStale(a.target); err == nil {
			ln, err = listen(a.network, a.target)
		}
	}
	if err == nil && a.mode != 0 {
		if err = os.Chmod(a.target, a.mode); err != nil {
			ln.Close()
		}
	}
	if err != nil {
		return nil, err
	}
	return ln, nil
}
