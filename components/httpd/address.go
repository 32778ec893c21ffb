package httpd

import (
	"io/fs"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// address is one entry of Config.Listen.
type address struct {
	text            string // as configured; empty for one of Config.Listeners
	network, target string // for net.Listen
	mode            fs.FileMode
}

const wantAddress = `want "tcp://host:port", where no host means loopback, or "unix:///path", with "?mode=0660" behind it for permissions`

// parseAddress reads an entry of Config.Listen. Hosts are not looked up.
func parseAddress(field, s string) (address, error) {
	bad := misconfigured(field, "is %q; %s", s, wantAddress)
	u, err := url.Parse(s)
	if err != nil || u.User != nil || u.Fragment != "" {
		return address{}, bad
	}
	a := address{text: s, network: u.Scheme}
	switch u.Scheme {
	case "tcp":
		port, err := strconv.ParseUint(u.Port(), 10, 16)
		if err != nil || u.Path != "" || u.RawQuery != "" {
			return address{}, bad
		}
		host := u.Hostname()
		if host == "" { // not every interface: nobody must be reachable by omission
			host = "127.0.0.1"
		}
		a.target = net.JoinHostPort(host, strconv.FormatUint(port, 10))
	case "unix":
		a.target = u.Path
		octal, asked := strings.CutPrefix(u.RawQuery, "mode=")
		mode, err := strconv.ParseUint(octal, 8, 9)
		if u.Host != "" || len(u.Path) < 2 || asked && (err != nil || mode == 0) || !asked && u.RawQuery != "" {
			return address{}, bad
		}
		a.mode = fs.FileMode(mode)
	default:
		return address{}, bad
	}
	return a, nil
}
