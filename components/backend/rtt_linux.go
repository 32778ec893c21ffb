package backend

import (
	"math"
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// roundTrip is the least round trip that the system has measured on a TCP connection
// lately (tcp(7), TCP_INFO; tcp_min_rtt_wlen is five minutes): a server sends no
// pings, and the average has in it that acknowledgements are delayed. 0 for what is
// no TCP connection.
func roundTrip(conn net.Conn) (d time.Duration) {
	if above, ok := conn.(interface{ NetConn() net.Conn }); ok { // TLS
		conn = above.NetConn()
	}
	below, ok := conn.(syscall.Conn)
	if !ok {
		return 0
	}
	raw, err := below.SyscallConn()
	if err != nil {
		return 0
	}
	_ = raw.Control(func(fd uintptr) {
		if info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO); err == nil && info.Min_rtt != math.MaxUint32 { // nothing was measured yet
			d = time.Duration(info.Min_rtt) * time.Microsecond
		}
	})
	return d
}
