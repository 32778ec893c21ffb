package backend

import (
	"crypto/tls"
	"net"
	"slices"
)

// Peer is a client at the door.
type Peer struct {
	Addr       net.Addr
	User       string               // whose secret it has proved to know, if there are Secrets
	TLS        *tls.ConnectionState // nil without
	Serializer Serializer
}

// Identity is who a client is, and how that is known.
type Identity struct {
	Name string `json:"name,omitempty"` // the user, or the certificate's common name, or what Auth said; "" if nobody asked
	Via  string `json:"via,omitempty"`  // "secret", "certificate", "auth"; "" if nobody asked
}

// Action is what a client wants to do, for ServerConfig.Allow.
type Action string

const (
	Register  Action = "register"  // take a service name
	SendTo    Action = "send"      // send to a service name
	Broadcast Action = "broadcast" // send to Everyone, which is the name
	SendRes   Action = "client"    // send to a session of the server's kernel (B32)
)

// Rights are names by what may be done with them; "*" is every name.
type Rights map[Action][]string

// Permissions makes a ServerConfig.Allow of a table by Identity.Name. Who is not
// in it has the rights of "*", if that is there, and else none.
func Permissions(table map[string]Rights) func(Identity, Action, string) bool {
	return func(who Identity, what Action, name string) bool {
		rights, known := table[who.Name]
		if !known {
			rights = table["*"]
		}
		return slices.Contains(rights[what], name) || slices.Contains(rights[what], "*")
	}
}

// identify says who a peer is as far as no hook is asked.
func identify(p Peer) Identity {
	switch {
	case p.User != "":
		return Identity{p.User, "secret"}
	case p.TLS != nil && len(p.TLS.VerifiedChains) > 0:
		return Identity{p.TLS.PeerCertificates[0].Subject.CommonName, "certificate"}
	}
	return Identity{}
}
