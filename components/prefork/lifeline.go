//go:build unix

package prefork

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// lifeline is a worker's end of the control socket. Its end is seen by the
// session, too; but in a serial kernel a handler that never returns keeps the
// session from it, and a worker without a master would stay for ever (P86).
type lifeline struct {
	net.Conn
	once sync.Once
	cut  func() // called once when the other end is gone
}

func (l *lifeline) Read(p []byte) (int, error) {
	n, err := l.Conn.Read(p)
	if err != nil && !errors.Is(err, net.ErrClosed) {
		l.once.Do(l.cut)
	}
	return n, err
}

// backstop ends the process when the session has not.
func backstop() { time.AfterFunc(2*orphanGrace, func() { os.Exit(1) }) }
