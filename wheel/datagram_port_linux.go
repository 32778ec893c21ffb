package wheel

import (
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// packetDescriptor is the port of a socket for datagrams: a descriptor under the
// poller, tried with recvfrom(2) and sendto(2).
type packetDescriptor struct {
	descriptor
	raw  syscall.RawConn
	from sender
	to   recipient

	// One call, under the descriptor's lock.
	recv, send func(fd uintptr) bool
	b          []byte
	dest       unix.Sockaddr
	n          int
	err        error
}

var _ packetPort = (*packetDescriptor)(nil)

// packetDescriptorPort returns nil when x is to be used through its own methods.
func packetDescriptorPort(x net.PacketConn) packetPort {
	var raw syscall.RawConn
	if udp, ok := x.(*net.UDPConn); ok {
		raw, _ = udp.SyscallConn()
	} else {
		raw = rawConn(x)
	}
	if raw == nil {
		return nil
	}
	d := &packetDescriptor{descriptor: descriptor{handle: newAttempt(raw, true)}, raw: raw}
	ok := false
	_ = raw.Control(func(fd uintptr) {
		kind, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TYPE)
		d.to.family, _ = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_DOMAIN)
		_, waits := waitable(int(fd))
		ok = err == nil && kind == unix.SOCK_DGRAM && waits
	})
	if !ok {
		return nil
	}
	d.recv = func(fd uintptr) bool {
		d.n, d.err = d.from.receive(int(fd), d.b)
		return true
	}
	d.send = func(fd uintptr) bool {
		d.err = unix.Sendto(int(fd), d.b, unix.MSG_NOSIGNAL, d.dest)
		return true
	}
	return d
}

func (d *packetDescriptor) tryRead(p []byte) (int, net.Addr, error) {
	if err := d.call("recvfrom", d.raw.Read, d.recv, p); err != nil {
		return 0, nil, err
	}
	return d.n, d.from.address(), nil
}

func (d *packetDescriptor) tryWrite(p Packet) (err error) {
	if d.dest, err = d.to.sockaddr(p.Addr); err != nil {
		return err
	}
	return d.call("sendto", d.raw.Write, d.send, p.Data)
}

// call makes one system call, again if it was interrupted.
func (d *packetDescriptor) call(name string, locked func(func(uintptr) bool) error, f func(uintptr) bool, b []byte) error {
	d.b = b
	defer func() { d.b = nil }()
	for {
		if err := locked(f); err != nil {
			return err // closed
		}
		switch d.err {
		case nil:
			return nil
		case unix.EINTR:
		case unix.EAGAIN:
			if err := d.poll(); err != nil {
				return err
			}
			return ErrAgain
		default:
			return os.NewSyscallError(name, d.err)
		}
	}
}

func (*packetDescriptor) written() (bool, int) { return false, 0 }

func (*packetDescriptor) failed() error { return nil }

func (d *packetDescriptor) leave() { d.descriptor.leave(false) }
