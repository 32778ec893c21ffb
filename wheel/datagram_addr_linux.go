package wheel

import (
	"bytes"
	"encoding/binary"
	"net"
	"net/netip"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sender receives packets, and knows who sent the last one: his address is made
// once while he stays the same.
type sender struct {
	raw, last []byte // struct sockaddr, see ip(7), ipv6(7), unix(7)
	size      uint32
	addr      net.Addr
}

// receive is recvfrom(2), which package unix has with an allocation for each call.
func (s *sender) receive(fd int, p []byte) (int, error) {
	if s.raw == nil {
		s.raw = make([]byte, unix.SizeofSockaddrAny)
	}
	s.size = uint32(len(s.raw))
	n, _, errno := unix.Syscall6(unix.SYS_RECVFROM, uintptr(fd),
		uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), 0,
		uintptr(unsafe.Pointer(unsafe.SliceData(s.raw))), uintptr(unsafe.Pointer(&s.size)))
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

// address is that of the last packet's sender; nil when he has none.
func (s *sender) address() net.Addr {
	raw := s.raw[:min(int(s.size), len(s.raw))]
	if !bytes.Equal(raw, s.last) {
		s.last = append(s.last[:0], raw...)
		s.addr = readSockaddr(raw)
	}
	return s.addr
}

func readSockaddr(raw []byte) net.Addr {
	if len(raw) < 2 {
		return nil
	}
	switch family := binary.NativeEndian.Uint16(raw); {
	case family == unix.AF_INET && len(raw) >= unix.SizeofSockaddrInet4:
		ip := netip.AddrFrom4([4]byte(raw[4:]))
		return net.UDPAddrFromAddrPort(netip.AddrPortFrom(ip, binary.BigEndian.Uint16(raw[2:])))
	case family == unix.AF_INET6 && len(raw) >= unix.SizeofSockaddrInet6:
		ip := netip.AddrFrom16([16]byte(raw[8:])).Unmap()
		if scope := binary.NativeEndian.Uint32(raw[24:]); scope != 0 {
			ip = ip.WithZone(zoneName(int(scope)))
		}
		return net.UDPAddrFromAddrPort(netip.AddrPortFrom(ip, binary.BigEndian.Uint16(raw[2:])))
	case family == unix.AF_UNIX && len(raw) > 2:
		name := raw[2:]
		if name[0] == 0 { // an abstract name, which may have zeros in it
			return &net.UnixAddr{Name: "@" + string(name[1:]), Net: "unixgram"}
		}
		name, _, _ = bytes.Cut(name, []byte{0})
		return &net.UnixAddr{Name: string(name), Net: "unixgram"}
	}
	return nil
}

// recipient knows where the last packet went.
type recipient struct {
	family int // of the socket
	at     netip.AddrPort
	path   string
	sa     unix.Sockaddr
}

func (r *recipient) sockaddr(to net.Addr) (unix.Sockaddr, error) {
	switch to := to.(type) {
	case nil: // the peer that the socket is connected to
		return nil, nil
	case *net.UDPAddr:
		at := to.AddrPort()
		if r.sa != nil && at == r.at {
			return r.sa, nil
		}
		if sa := inetSockaddr(r.family, at); sa != nil {
			r.at, r.sa = at, sa
			return sa, nil
		}
	case *net.UnixAddr:
		if r.family != unix.AF_UNIX || to == nil {
			break
		}
		if r.sa == nil || to.Name != r.path {
			r.path, r.sa = to.Name, &unix.SockaddrUnix{Name: to.Name}
		}
		return r.sa, nil
	}
	return nil, &net.AddrError{Err: "is no address for this socket", Addr: to.String()}
}

// inetSockaddr returns nil for an address that a socket of the family cannot reach.
func inetSockaddr(family int, at netip.AddrPort) unix.Sockaddr {
	switch ip := at.Addr(); {
	case family == unix.AF_INET && ip.Unmap().Is4():
		return &unix.SockaddrInet4{Port: int(at.Port()), Addr: ip.Unmap().As4()}
	case family == unix.AF_INET6 && ip.IsValid():
		return &unix.SockaddrInet6{Port: int(at.Port()), ZoneId: zoneID(ip.Zone()), Addr: ip.As16()}
	}
	return nil
}

func zoneName(id int) string {
	if i, err := net.InterfaceByIndex(id); err == nil {
		return i.Name
	}
	return strconv.Itoa(id)
}

func zoneID(name string) uint32 {
	if name == "" {
		return 0
	}
	if i, err := net.InterfaceByName(name); err == nil {
		return uint32(i.Index)
	}
	id, _ := strconv.ParseUint(name, 10, 32)
	return uint32(id)
}
