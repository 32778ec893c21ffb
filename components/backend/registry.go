package backend

import (
	"slices"
	"strings"

	"github.com/usher-go/usher/kernel"
)

// registry knows which connections have which service name. A connection has
// one name, a name may have many connections (B30).
type registry struct {
	names map[kernel.Address]string   // "" until registered
	conns map[string][]kernel.Address // in the order of registering
}

func newRegistry() *registry {
	return &registry{names: map[kernel.Address]string{}, conns: map[string][]kernel.Address{}}
}

func (r *registry) add(conn kernel.Address) { r.names[conn] = "" }

// register gives a connection its name, in lower case, in place of one it had.
func (r *registry) register(conn kernel.Address, name string) {
	old, known := r.names[conn]
	if !known {
		return // it ended while its message was on the way
	}
	r.unname(conn, old)
	r.names[conn] = name
	r.conns[name] = append(r.conns[name], conn)
}

// has reports whether a name is taken by somebody.
func (r *registry) has(name string) bool { return len(r.conns[name]) > 0 }

// remove forgets a connection, in both indexes.
func (r *registry) remove(conn kernel.Address) {
	r.unname(conn, r.names[conn])
	delete(r.names, conn)
}

func (r *registry) unname(conn kernel.Address, name string) {
	if name == "" {
		return
	}
	rest := slices.DeleteFunc(r.conns[name], func(a kernel.Address) bool { return a == conn })
	if len(rest) == 0 {
		delete(r.conns, name)
	} else {
		r.conns[name] = rest
	}
}

// route lists whom a message for a service name goes to (B33).
func (r *registry) route(to string) []kernel.Address {
	if to != Everyone {
		return r.conns[strings.ToLower(to)]
	}
	var all []kernel.Address
	for _, list := range r.conns {
		all = append(all, list...)
	}
	slices.Sort(all)
	return all
}

// services counts the connections of each name.
func (r *registry) services() map[string]int {
	out := make(map[string]int, len(r.conns))
	for name, list := range r.conns {
		out[name] = len(list)
	}
	return out
}
