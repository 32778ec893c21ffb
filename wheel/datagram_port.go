package wheel

import "net"

// packetPort is to a Datagram what a port is to a ReadWrite, and has the same three
// kinds.
type packetPort interface {
	// tryRead is TryReadFrom of a PollablePacketConn. A packet that does not fit
	// into p fills it.
	tryRead(p []byte) (n int, from net.Addr, err error)

	// tryWrite sends a packet, or says ErrAgain. Its data is not kept.
	tryWrite(Packet) error

	// tell is a port's.
	tell(in, out *waiter)

	// written says whether a packet that tryWrite took is still on its way, and how
	// long it is; failed, what became of it. Only a port with goroutines has any.
	written() (busy bool, bytes int)
	failed() error

	// leave ends the use of the socket, which is closed next.
	leave()
}

func packetPortOf(x net.PacketConn, most int) packetPort {
	if p, ok := x.(PollablePacketConn); ok {
		return pollablePackets{p}
	}
	if p := packetDescriptorPort(x); p != nil {
		return p
	}
	return newPatientPackets(x, most)
}

var (
	_ packetPort = pollablePackets{}
	_ packetPort = (*patientPackets)(nil)
)

// pollablePackets is the port of a socket in memory. One that is connected is a
// Pollable, too.
type pollablePackets struct{ PollablePacketConn }

func (p pollablePackets) tryRead(b []byte) (int, net.Addr, error) { return p.TryReadFrom(b) }

func (p pollablePackets) tryWrite(b Packet) (err error) {
	if to, ok := p.PollablePacketConn.(Pollable); ok && b.Addr == nil {
		_, err = to.TryWrite(b.Data)
	} else {
		_, err = p.TryWriteTo(b.Data, b.Addr)
	}
	return err
}

func (pollablePackets) written() (bool, int) { return false, 0 }

func (pollablePackets) failed() error { return nil }

func (p pollablePackets) tell(in, out *waiter) { p.Notify(in.ready, out.ready) }

func (p pollablePackets) leave() { p.Notify(nil, nil) }
