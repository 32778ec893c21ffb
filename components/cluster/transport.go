package cluster

import (
	"context"

	"github.com/usher-go/usher/components/cluster/wire"
)

// Transport carries packets between nodes. It promises little, and the node makes
// the rest of it: packets to one address arrive at most once, in the order in which
// they were sent as long as neither Carrier.Broken nor Drop is called, and what is lost is lost
// without a word. The one that Join makes by default is Proto.Actor's remote;
// clustertest has one in simulated time.
type Transport interface {
	// Start begins to receive for the node. It may block until ctx ends. The address
	// is what other nodes are to dial, in host:port form.
	Start(ctx context.Context, c Carrier) (address string, err error)

	// Send hands a packet over, which belongs to the transport from then on. It
	// connects when there is no connection, never blocks, and may be called from any
	// goroutine. Without a connection it may throw packets away. The size of what is
	// handed over and not sent yet is the node's to bound. It calls no method of the
	// Carrier before it returns.
	Send(address string, p *wire.Packet)

	// Drop closes what there is to an address; the next Send connects anew.
	Drop(address string)

	// Close ends receiving and sending. No method of the Carrier runs, or is called,
	// after it has returned.
	Close() error
}

// puller is a Transport that comes for packets when it can send them, so that what is
// posted until then goes together.
type puller interface {
	// Pull has next called on another goroutine, without locks, until it returns nil:
	// like Send of each packet. It may be forgotten with what is lost, and by Drop.
	Pull(address string, next func() *wire.Packet)
}

// waker is a Transport that lets an address rest when it could not be reached, and can be
// told that its node is back.
type waker interface {
	// Wake ends the rest: the next Send connects. It calls no method of the Carrier.
	Wake(address string)
}

// Carrier is the node as its Transport sees it. Methods are for any goroutine and do
// not block; those for one address come one after the other.
type Carrier interface {
	// Receive takes a packet that has come in. from is who the peer has proved to be:
	// the names in its certificate, or nil where the transport does not know.
	Receive(p *wire.Packet, from []string)

	// Connected says that packets can reach an address now.
	Connected(address string)

	// Broken says that packets to an address were lost, or that it cannot be reached.
	Broken(address string, err error)

	// Refused says that a peer has sent what it must not, or is not let in; the
	// transport has closed its connection.
	Refused(peer string, err error)
}

// Driver is a Transport in simulated time. A Call to another node waits in Drive,
// which lets everything else happen until done reports true; an error ends the call.
type Driver interface {
	Transport
	Drive(done func() bool) error
}
