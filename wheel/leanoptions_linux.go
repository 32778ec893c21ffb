package wheel

import "golang.org/x/sys/unix"

// tcpOptions are those that package net sets when it makes a *net.TCPConn.
type tcpOptions [5]struct{ level, name, value int }

var acceptedOptions = tcpOptions{
	{unix.IPPROTO_TCP, unix.TCP_NODELAY, 1},
	{unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1},
	{unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, 15}, // seconds
	{unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, 15},
	{unix.IPPROTO_TCP, unix.TCP_KEEPCNT, 9},
}

// set ignores errors, as package net does: a peer that has gone is found at the first read.
func (o *tcpOptions) set(fd int) {
	for _, p := range o {
		_ = unix.SetsockoptInt(fd, p.level, p.name, p.value)
	}
}

func readOptions(fd int) tcpOptions {
	o := acceptedOptions
	for i := range o {
		if v, err := unix.GetsockoptInt(fd, o[i].level, o[i].name); err == nil {
			o[i].value = v
		}
	}
	return o
}
