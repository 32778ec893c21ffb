package cluster

import (
	"context"
	"crypto/tls"
	"errors"
	"maps"
	"net"
	"slices"
	"sync"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

const (
	remoteGuests  = 1024 // connections at a time
	remoteWaiting = 128  // of them in their handshake
)

// remoteDoor decides who may connect, as gRPC's server credentials: gRPC starts a
// goroutine for each connection, and comes here first with it.
//
// Handshakes are few at a time. One more makes the oldest give way: strangers who
// connect and say nothing do not keep nodes out, which are done in milliseconds.
type remoteDoor struct {
	credentials.TransportCredentials
	secure  bool
	refused func(peer string, err error)

	mu      sync.Mutex
	closed  bool
	guests  map[*remoteGuest]struct{}
	waiting []*remoteGuest // oldest first
}

var errRemoteFull = errors.New("too many connections")

func newRemoteDoor(server *tls.Config, refused func(string, error)) *remoteDoor {
	d := &remoteDoor{TransportCredentials: insecure.NewCredentials(), refused: refused, guests: make(map[*remoteGuest]struct{})}
	if server != nil {
		d.TransportCredentials, d.secure = credentials.NewTLS(server), true
	}
	return d
}

// remoteGuest is a connection, which gives its place up when it is closed.
type remoteGuest struct {
	net.Conn
	door *remoteDoor
}

func (g *remoteGuest) Close() error {
	g.door.mu.Lock()
	delete(g.door.guests, g)
	g.door.mu.Unlock()
	return g.Conn.Close()
}

// ServerHandshake lets a connection in, or closes it.
func (d *remoteDoor) ServerHandshake(c net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn, info, err := d.admit(c)
	if err != nil {
		_ = c.Close()
		d.refused(c.RemoteAddr().String(), err)
	}
	return conn, info, err
}

func (d *remoteDoor) admit(c net.Conn) (net.Conn, credentials.AuthInfo, error) {
	if !d.secure && !loopback(c.RemoteAddr().String()) {
		return nil, nil, errors.New("not on this machine, and Config.TLS is not set")
	}
	g := &remoteGuest{Conn: c, door: d}
	if !d.enter(g) {
		return nil, nil, errRemoteFull
	}
	conn, info, err := d.TransportCredentials.ServerHandshake(g)
	if !d.done(g) {
		err = errRemoteFull
	}
	if err != nil {
		_ = g.Close()
		return nil, nil, err
	}
	return conn, info, nil
}

func (d *remoteDoor) enter(g *remoteGuest) bool {
	d.mu.Lock()
	var oldest *remoteGuest
	if d.closed || len(d.guests) >= remoteGuests {
		d.mu.Unlock()
		return false
	}
	d.guests[g] = struct{}{}
	if len(d.waiting) == remoteWaiting {
		oldest = d.waiting[0]
		d.waiting = slices.Delete(d.waiting, 0, 1)
	}
	d.waiting = append(d.waiting, g)
	d.mu.Unlock()
	if oldest != nil {
		_ = oldest.Close()
	}
	return true
}

// done reports whether a guest has not been made to give way.
func (d *remoteDoor) done(g *remoteGuest) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	i := slices.Index(d.waiting, g)
	if i >= 0 {
		d.waiting = slices.Delete(d.waiting, i, i+1)
	}
	return i >= 0
}

// close sends everybody away. A gRPC server that stops waits for those who have not
// said enough yet to be let in.
func (d *remoteDoor) close() {
	d.mu.Lock()
	d.closed = true
	all := slices.Collect(maps.Keys(d.guests))
	d.mu.Unlock()
	for _, g := range all {
		_ = g.Close()
	}
}

// ClientHandshake is not for servers.
func (d *remoteDoor) ClientHandshake(context.Context, string, net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return nil, nil, errors.ErrUnsupported
}

// Clone returns the same door: there is one for all connections.
func (d *remoteDoor) Clone() credentials.TransportCredentials { return d }
