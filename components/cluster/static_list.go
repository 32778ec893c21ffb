package cluster

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
)

// members checks the list and puts it in order. self's address is the one that it has
// now: the list may say port 0 for it.
func (s Static) members(self Member) (list []Member, index int, err error) {
	bad := func(format string, args ...any) ([]Member, int, error) {
		return nil, 0, fmt.Errorf("cluster.Static: %w: "+format, append([]any{ErrConfig}, args...)...)
	}
	if len(s) == 0 {
		return []Member{self}, 0, nil
	}
	if len(s) > leaseNodes {
		return bad("%d nodes; want at most %d", len(s), leaseNodes)
	}
	at := map[string]string{}
	for i, name := range slices.Sorted(maps.Keys(s)) {
		address := s[name]
		if name == "" || strings.ContainsAny(name, "@*") {
			return bad("node %q; give it a name without @ and *", name)
		}
		m := Member{Name: name, Address: address}
		if name == self.Name {
			m, index = self, i
		}
		host, port, err := net.SplitHostPort(address)
		n, notNumber := strconv.ParseUint(port, 10, 16)
		switch {
		case err != nil || host == "" || notNumber != nil:
			return bad("node %s has address %q; want host:port", name, address)
		case n == 0 && name != self.Name:
			return bad("node %s has address %q; give it the port on which the node listens", name, address)
		case n != 0 && at[address] != "":
			return bad("nodes %s and %s have the same address %q; give each its own", at[address], name, address)
		}
		at[address] = name
		list = append(list, m)
	}
	if _, ok := s[self.Name]; !ok {
		return bad("this node's name %q is not in it; add it, or set Config.Name to one of %s",
			self.Name, strings.Join(slices.Sorted(maps.Keys(s)), ", "))
	}
	return list, index, nil
}

// leaseHash is the same for nodes that may share leases: they have the same names, in
// an order that gives each the same index, and the same lease time.
func leaseHash(list []Member, lease time.Duration) uint64 {
	h := fnv.New64a()
	for _, m := range list {
		h.Write([]byte(m.Name))
		h.Write([]byte{0})
	}
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(lease)))
	return h.Sum64()
}
