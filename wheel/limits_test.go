package wheel_test

import (
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// counted is a connection that counts what was read from it.
type counted struct {
	net.Conn
	from io.Reader
	n    atomic.Int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// However fast the connection is, no more than Credit is read ahead of the owner.
func TestG12_CreditBoundsUnreadInput(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		const credit, lines = 1000, 20_000
		near, _ := net.Pipe()
		conn := &counted{Conn: near, from: strings.NewReader(strings.Repeat("0123456\n", lines))}
		h := newHost(t, conn)
		h.cfg.Credit = credit
		delivered := int64(0)
		h.line = func(*kernel.Context, string) error {
			if ahead := conn.n.Load() - delivered; ahead > credit {
				t.Errorf("%d bytes read and not delivered; Credit is %d", ahead, credit)
			}
			delivered += 8
			return nil
		}
		run(t, k, h.session())
		if delivered != 8*lines {
			t.Errorf("%d bytes delivered, want %d", delivered, 8*lines)
		}
	})
}

// Many records of one read do not keep other events of the session waiting.
func TestOtherEventsComeBetweenRecords(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		conn, far := connect(t, "unix")
		h := newHost(t, conn)
		lines, seen := 0, 0
		h.line = func(c *kernel.Context, _ string) error {
			if lines++; lines == 1 {
				return carryOn.Yield(c, struct{}{})
			}
			return nil
		}
		h.more = []session.State{session.On(carryOn, func(*kernel.Context, struct{}) error {
			seen = lines
			return nil
		})}
		far.send(strings.Repeat("x\n", 1000))
		_ = far.Close()
		run(t, k, h.session())
		if seen == 0 || seen > 2*64 || lines != 1000 { // a turn may have been asked for already
			t.Errorf("the event came after %d of %d records; want at most two turns, 128, of 1000", seen, lines)
		}
	})
}
