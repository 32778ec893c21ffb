package cluster

import (
	"errors"
	"strconv"
	"strings"

	"github.com/usher-go/usher/kernel"
)

// Behind the '@' of an address may stand, besides a node's name:
const (
	everyNode = "*"     // every node that has the alias
	ownerNode = "owner" // the node that owns the key in front of it
)

var errName = errors.New("not a node's name")

func checkName(name string) error {
	if name == "" || len(name) > maxNameLength || name == ownerNode {
		return errName
	}
	for i := range len(name) {
		switch b := name[i]; {
		case b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z', b >= '0' && b <= '9', b == '.', b == '_', b == '-':
		default:
			return errName
		}
	}
	return nil
}

// split takes an address apart: "logger@node-2" is "logger" and "node-2".
func split(a kernel.Address) (local kernel.Address, node string) {
	i := strings.IndexByte(string(a), '@')
	if i < 0 {
		return a, ""
	}
	return a[:i], string(a[i+1:])
}

// A session's ID is good for one start of its node: to other nodes it is
// "#42/epoch@node".

// abroad is a local address as other nodes are to use it.
func abroad(a kernel.Address, node string, epoch uint64) kernel.Address {
	b := make([]byte, 0, len(a)+len(node)+16)
	b = append(b, a...)
	if strings.HasPrefix(string(a), "#") {
		b = strconv.AppendUint(append(b, '/'), epoch, 36)
	}
	return kernel.Address(append(append(b, '@'), node...))
}

// home is the address of a session here that abroad has made; false when it was one
// of an earlier start.
func home(a kernel.Address, epoch uint64) (kernel.Address, bool) {
	if !strings.HasPrefix(string(a), "#") {
		return a, true
	}
	id, since, _ := strings.Cut(string(a), "/")
	n, err := strconv.ParseUint(since, 36, 64)
	return kernel.Address(id), err == nil && n == epoch
}
