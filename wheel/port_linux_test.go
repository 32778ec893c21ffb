package wheel_test

import (
	"errors"
	"net"
	"syscall"
	"testing"

	"github.com/usher-go/usher/kernel"
)

// deaf is a wheel.Descriptor that cannot be put under the poller once the wheel
// has looked at it and has read.
type deaf struct {
	net.Conn
	raw syscall.RawConn
}

func (d deaf) DescriptorConn() (syscall.RawConn, error) { return &deafRaw{RawConn: d.raw}, nil }

type deafRaw struct {
	syscall.RawConn
	calls int
}

func (d *deafRaw) Control(f func(fd uintptr)) error {
	if d.calls++; d.calls > 2 {
		return syscall.ENOSPC
	}
	return d.RawConn.Control(f)
}

// What was read is delivered; that nobody will say when there is more is the end.
func TestW17_WithoutAPollerTheInputFails(t *testing.T) {
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		conn, far := connect(t, "tcp")
		raw, err := conn.(*net.TCPConn).SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		h := newHost(t, deaf{conn, raw})
		far.send("x\n")
		run(t, k, h.session())
		h.want("line x", "read no space left on device", "closed no space left on device")
		if _, err := conn.Write([]byte("y")); !errors.Is(err, net.ErrClosed) {
			t.Errorf("write after the end: %v", err)
		}
	})
}
