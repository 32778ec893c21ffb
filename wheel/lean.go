package wheel

import "net"

// TCPConn returns the ordinary connection behind conn: conn itself when it is a
// *net.TCPConn, and for one of SocketFactoryConfig.Lean what it is made into now, if it
// was not before. Both are the same socket then, and closing conn closes it. It costs
// what Lean had saved and, while a wheel has conn, a second descriptor: the wheel goes
// on, also when the ordinary connection is closed. False for any other connection, for
// one that is closed or whose peer has broken it off, and when there are no descriptors
// left.
func TCPConn(conn net.Conn) (*net.TCPConn, bool) {
	switch c := conn.(type) {
	case *net.TCPConn:
		return c, true
	case interface {
		ordinary() (*net.TCPConn, error)
	}:
		tcp, err := c.ordinary()
		if err != nil || tcp.RemoteAddr() == nil { // an ordinary one never lacks it
			return nil, false
		}
		return tcp, true
	}
	return nil, false
}
