package keepalive

import (
	"fmt"
	"net"
	"strconv"
	"strings"
)

// Key names the peers whose connections are interchangeable: a connection is
// lent again only under the very key it was opened for. Keys are compared as
// written, without lookup or case folding, so "localhost" and "127.0.0.1" are
// two keys (A17).
type Key struct {
	// Scheme is free-form; "https" asks for TLS, any other only keeps
	// connections apart (A19).
	Scheme string

	// Addr is a host name, or an address literal without brackets, which is not
	// looked up (A46, A47), or a unix socket: an absolute path, or "@" and an
	// abstract name.
	Addr string

	// Port is 1 to 65535, and 0 for a unix socket.
	Port int

	// ForScheme, ForAddr and ForPort keep connections through one proxy apart
	// by their final target (A18). Each defaults to the field above.
	ForScheme string
	ForAddr   string
	ForPort   int

	// Use keeps users apart who do not leave a connection as they found it: one
	// that keeps a reader on it, say. Empty for those who do.
	Use string
}

// String gives the key as "scheme://addr:port", with " for …" behind it when
// the final target is another.
func (k Key) String() string {
	via := origin(k.Scheme, k.Addr, k.Port)
	if target := origin(k.ForScheme, k.ForAddr, k.ForPort); target != via && k.ForAddr != "" {
		return via + " for " + target
	}
	return via
}

// isPath reports whether Addr is a unix socket.
func (k Key) isPath() bool { return strings.HasPrefix(k.Addr, "/") || strings.HasPrefix(k.Addr, "@") }

func origin(scheme, addr string, port int) string {
	if port == 0 {
		return scheme + "://" + addr
	}
	return scheme + "://" + net.JoinHostPort(addr, strconv.Itoa(port))
}

// complete returns k with its For fields filled in. Its error is an
// ErrArgument that names the first missing or bad field, in the order scheme,
// addr, port (A21).
func (k Key) complete() (Key, error) {
	if k.Scheme == "" {
		return Key{}, fmt.Errorf(`%w: Scheme is empty; want "http", "https" or a name of your own`, ErrArgument)
	}
	if k.Addr == "" {
		return Key{}, fmt.Errorf("%w: Addr is empty; want a host name or an address", ErrArgument)
	}
	if k.isPath() {
		if k.Port != 0 {
			return Key{}, fmt.Errorf("%w: Port is %d; want 0 with the unix socket %s", ErrArgument, k.Port, k.Addr)
		}
	} else if k.Port < 1 || k.Port > 65535 {
		return Key{}, fmt.Errorf("%w: Port is %d; want 1 to 65535", ErrArgument, k.Port)
	}
	if k.ForPort < 0 || k.ForPort > 65535 {
		return Key{}, fmt.Errorf("%w: ForPort is %d; want 1 to 65535, or 0 for the same as Port", ErrArgument, k.ForPort)
	}
	if k.ForScheme == "" {
		k.ForScheme = k.Scheme
	}
	if k.ForAddr == "" {
		k.ForAddr = k.Addr
	}
	if k.ForPort == 0 {
		k.ForPort = k.Port
	}
	return k, nil
}
