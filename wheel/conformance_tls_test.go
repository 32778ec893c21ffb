package wheel_test

import (
	"crypto/tls"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
	"github.com/usher-go/usher/wheel/wheeltest"
)

// TLS over the system's sockets: a wheel at one end meets a blocking peer at the
// other, which says three lines, hears all, and closes.
func TestReadWriteConforms_TLS(t *testing.T) {
	server, trust := certified()
	client := trust.Clone()
	client.ServerName = "example.com"
	asServer := func(c net.Conn) net.Conn { return tls.Server(c, server) }
	asClient := func(c net.Conn) net.Conn { return tls.Client(c, client) }
	for name, end := range map[string]struct{ wheel, peer func(net.Conn) net.Conn }{
		"server": {asServer, asClient},
		"client": {asClient, asServer},
	} {
		t.Run(name, func(t *testing.T) {
			wheeltest.Run(t, wheeltest.Case{Real: true,
				Make: func(c *kernel.Context, _ *wheeltest.World) (wheeltest.Wheel, error) {
					near, far := connect(t, "tcp")
					go func() {
						conn := end.peer(far.Conn)
						_, _ = io.WriteString(conn, "one\ntwo\nthree\n")
						_ = conn.(*tls.Conn).CloseWrite()
						_, _ = io.Copy(io.Discard, conn)
						_ = far.Close()
					}()
					rw, err := wheel.NewReadWrite(c, end.wheel(near), lineConfig{
						Filter: filter.Line(), InputEvent: gotLine, FlushedEvent: flushed, ErrorEvent: failed, CloseEvent: wheeltest.Closed,
						HighMark: 1000, LowMark: 500, HighEvent: full, LowEvent: drained,
					})
					if err == nil {
						err = rw.Put("hello", strings.Repeat("x", 300_000))
					}
					return rw, err
				},
			})
		})
	}
}
