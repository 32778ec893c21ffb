package wheel

import "net"

// TCPConn returns the ordinary connection behind conn: conn itself when it is a
// *net.TCPConn, and for one of SocketFactoryConfig.Lean what it is made of now, if it
// was not before. The two are the same connection, which either closes, and whose
// wheel, if it has one, goes on; it costs what Lean had saved and, while a wheel has
// the connection, a second descriptor. False for any other connection, and for one
// that is closed.
func TCPConn(conn net.Conn) (*net.TCPConn, bool) {
	switch c := conn.(type) {
	case *net.TCPConn:
		return c, true
	case interface {
		ordinary() (*net.TCPConn, error)
	}:
		tcp, err := c.ordinary()
		return tcp, err == nil
	}
	return nil, false
}
