package prefork

import (
	"fmt"
	"io/fs"
	"net"
	"strconv"
	"strings"
	"unicode"
)

// address is one parsed entry of Config.Listen.
type address struct {
	text            string // as configured
	network, target string // for net.Listen; "systemd" and the socket's name
	mode            fs.FileMode
}

const wantAddress = `"tcp://host:port", where no host means loopback, "unix:///path", with "?mode=0660" after it to set permissions, or "systemd://name"`

// parseListen reads one entry of Config.Listen, which errors call field. Hosts
// are not looked up.
func parseListen(field, s string) (address, error) {
	bad := func() (address, error) {
		return address{}, &ConfigError{field, strconv.Quote(shorten(s)), wantAddress}
	}
	network, rest, _ := strings.Cut(s, "://")
	switch network {
	case "tcp":
		host, port, err := net.SplitHostPort(rest)
		if err != nil {
			return bad()
		}
		if _, ok := decimal(port, 65535); !ok || strings.ContainsAny(host, "@/?# ") || strings.Contains(host, "%") && !strings.Contains(host, ":") {
			return bad()
		}
		// All addresses only for those who write so: a server must not be
		// reachable from outside by omission.
		if host == "" {
			host = "127.0.0.1"
		}
		return address{text: s, network: "tcp", target: net.JoinHostPort(host, port)}, nil
	case "systemd":
		if len(rest) > 255 || strings.ContainsFunc(rest, func(r rune) bool { return r == ':' || !unicode.IsPrint(r) }) {
			return bad()
		}
		return address{text: s, network: "systemd", target: rest}, nil
	case "unix":
		path, query, asked := strings.Cut(rest, "?")
		if !strings.HasPrefix(path, "/") || path == "/" || strings.ContainsRune(path, 0) {
			return bad()
		}
		a := address{text: s, network: "unix", target: path}
		if asked {
			octal, ok := strings.CutPrefix(query, "mode=")
			mode, err := strconv.ParseUint(octal, 8, 9)
			if !ok || err != nil || mode == 0 {
				return bad()
			}
			a.mode = fs.FileMode(mode)
		}
		return a, nil
	}
	return bad()
}

// addresses reads Config.Listen.
func (c Config) addresses() ([]address, error) {
	if len(c.Listen) > maxListeners {
		return nil, &ConfigError{"Listen", fmt.Sprintf("of length %d", len(c.Listen)), fmt.Sprintf("at most %d addresses", maxListeners)}
	}
	var all []address
	for i, s := range c.Listen {
		a, err := parseListen(fmt.Sprintf("Listen[%d]", i), s)
		if err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	return all, nil
}
