package wheel

import (
	"errors"
	"net"
	"syscall"

	"github.com/usher-go/usher/wheel/filter"
)

// packetVerdict is what an error means for a socket of datagrams.
type packetVerdict uint8

const (
	packetEnds packetVerdict = iota // the socket is of no use any more
	packetLost                      // the packet is, or an earlier one
	unsendable                      // the packet is; of a read it would be the end
)

// packetErrors decides the system's errors one by one.
var packetErrors = map[syscall.Errno]packetVerdict{
	// udp(7): "All fatal errors will be passed to the user as an error return even
	// when the socket is not connected": what ICMP said of an earlier packet, which
	// the next call gets, whatever it is for.
	syscall.ECONNREFUSED: packetLost,
	syscall.ECONNRESET:   packetLost,
	syscall.EHOSTDOWN:    packetLost,
	syscall.EHOSTUNREACH: packetLost,
	syscall.ENETDOWN:     packetLost,
	syscall.ENETUNREACH:  packetLost,
	syscall.ENOPROTOOPT:  packetLost,
	syscall.EPROTO:       packetLost,
	syscall.ETIMEDOUT:    packetLost,
	syscall.EACCES:       packetLost, // also a broadcast without SO_BROADCAST
	syscall.EMSGSIZE:     packetLost, // too long for UDP, or for the path
	// Queues that are full, a system that is short of memory, a firewall: the next
	// packet may pass.
	syscall.ENOBUFS: packetLost,
	syscall.ENOMEM:  packetLost,
	syscall.EPERM:   packetLost,
	// An address that leads nowhere: port 0, another family, no such path.
	syscall.EINVAL:        unsendable,
	syscall.EAFNOSUPPORT:  unsendable,
	syscall.EADDRNOTAVAIL: unsendable,
	syscall.EDESTADDRREQ:  unsendable,
	syscall.EOPNOTSUPP:    unsendable,
	syscall.ENOENT:        unsendable,
	syscall.ENOTDIR:       unsendable,
	syscall.ELOOP:         unsendable,
	syscall.ENAMETOOLONG:  unsendable,
	syscall.EPROTOTYPE:    unsendable, // the path is a stream's
	syscall.EPIPE:         unsendable, // a unixgram peer that has shut its input
	syscall.ENOTCONN:      unsendable,
}

func packetPolicy(op string, err error) packetVerdict {
	var (
		errno   syscall.Errno
		address *net.AddrError
		verdict packetVerdict
	)
	switch {
	case errors.Is(err, filter.ErrTooLong):
		return packetLost
	case errors.As(err, &address):
		verdict = unsendable
	case errors.As(err, &errno):
		verdict = packetErrors[errno]
	}
	if verdict == unsendable && op == "read" {
		return packetEnds
	}
	return verdict
}
