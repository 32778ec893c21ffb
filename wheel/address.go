package wheel

import (
	"net"
	"strings"
)

// checkNetwork accepts the networks that have sockets.
func checkNetwork(field string, network *string) error {
	switch *network {
	case "":
		*network = "tcp"
	case "tcp", "tcp4", "tcp6", "unix", "udp", "udp4", "udp6", "unixgram":
	default:
		return misconfigured(field, "is %q; want tcp, tcp4, tcp6, unix, udp, udp4, udp6 or unixgram", *network)
	}
	return nil
}

func isDatagram(network string) bool {
	return network == "unixgram" || strings.HasPrefix(network, "udp")
}

// checkAddress finds what no name lookup would make an address of (W38). A path may
// be anything.
func checkAddress(field, network, address string) error {
	if strings.HasPrefix(network, "unix") {
		return nil
	}
	if _, _, err := net.SplitHostPort(address); err != nil {
		return misconfigured(field, "is %q (%v); want host:port, such as 127.0.0.1:8080", address, err)
	}
	return nil
}

// listenAddress puts the loopback address where the host is empty: who wants to
// be reached from elsewhere says so.
func listenAddress(field, network, address string) (string, error) {
	if err := checkAddress(field, network, address); err != nil || strings.HasPrefix(network, "unix") {
		return address, err
	}
	host, port, _ := net.SplitHostPort(address)
	if host != "" {
		return address, nil
	}
	host = "127.0.0.1"
	if strings.HasSuffix(network, "6") {
		host = "::1"
	}
	return net.JoinHostPort(host, port), nil
}
