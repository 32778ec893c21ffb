package keepalive

import (
	"net"
	"net/netip"
	"strings"
)

// netipAddrs leaves out what is no address.
func netipAddrs(list []net.IPAddr) []netip.Addr {
	addrs := make([]netip.Addr, 0, len(list))
	for _, ip := range list {
		if a, ok := netip.AddrFromSlice(ip.IP); ok {
			addrs = append(addrs, a.WithZone(ip.Zone))
		}
	}
	return addrs
}

// eligible are the addresses, each once, of the family of bind, if that has one.
func eligible(addrs []netip.Addr, bind string) []netip.Addr {
	local := bindIP(bind)
	seen := make(map[netip.Addr]bool, len(addrs))
	var list []netip.Addr
	for _, a := range addrs {
		a = a.Unmap()
		if !seen[a] && (!local.IsValid() || local.Is4() == a.Is4()) {
			seen[a] = true
			list = append(list, a)
		}
	}
	return list
}

// interleave has the families take turns, that of the first address first, each in
// the order in which its addresses came (RFC 8305, 4).
func interleave(addrs []netip.Addr) []netip.Addr {
	var families [2][]netip.Addr // the first one's, the other
	for _, a := range addrs {
		f := 0
		if a.Is4() != addrs[0].Is4() {
			f = 1
		}
		families[f] = append(families[f], a)
	}
	list := make([]netip.Addr, 0, len(addrs))
	for i := range addrs {
		for _, f := range families {
			if i < len(f) {
				list = append(list, f[i])
			}
		}
	}
	return list
}

// bindIP is the address in Config.BindAddress; not valid when that is empty.
func bindIP(bind string) netip.Addr {
	if at, err := netip.ParseAddrPort(bind); err == nil {
		return at.Addr().Unmap()
	}
	addr, _ := netip.ParseAddr(strings.Trim(bind, "[]"))
	return addr.Unmap()
}

// ofFamily completes "no address" for a pool that uses one family only.
func ofFamily(bind string) string {
	if bind == "" {
		return ""
	}
	return " of the family of Config.BindAddress, " + bind
}
