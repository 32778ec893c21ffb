package kernel

import (
	"context"
	"net"
	"strings"
)

// Network is the seam to the operating system's network, for wheels and
// components. The zero Config uses the system's.
type Network interface {
	Dial(ctx context.Context, network, address string) (net.Conn, error)
	Listen(ctx context.Context, network, address string) (net.Listener, error)
	ListenPacket(ctx context.Context, network, address string) (net.PacketConn, error)
	Lookup(ctx context.Context, host string) ([]net.IPAddr, error)
}

// AsyncNetwork is a Network that can be asked without waiting, so that no
// goroutine is needed that a virtual clock would not see. Wheels prefer it. done is
// called once, from any goroutine, but not before the method has returned, and must
// not block; after cancel it is not called, and a connection that was made is closed.
type AsyncNetwork interface {
	Network
	DialAsync(ctx context.Context, network, address string, done func(net.Conn, error)) (cancel func())
	LookupAsync(ctx context.Context, host string, done func([]net.IPAddr, error)) (cancel func())
}

// ClockedNetwork is a Network that keeps time: New gives it the kernel, for AfterFunc
// and Now, before anything else is asked of it.
type ClockedNetwork interface {
	Network
	Attach(*Kernel)
}

type systemNetwork struct{}

func (systemNetwork) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	d := new(net.Dialer)
	if local := LocalAddress(ctx); local != "" {
		from, err := resolveLocal(network, local)
		if err != nil {
			return nil, &net.OpError{Op: "bind", Net: network, Err: err}
		}
		d.LocalAddr = from
	}
	return d.DialContext(ctx, network, address)
}

func (systemNetwork) Listen(ctx context.Context, network, address string) (net.Listener, error) {
	return listenConfig(ctx).Listen(ctx, network, address)
}

func (systemNetwork) ListenPacket(ctx context.Context, network, address string) (net.PacketConn, error) {
	return listenConfig(ctx).ListenPacket(ctx, network, address)
}

func (systemNetwork) Lookup(ctx context.Context, host string) ([]net.IPAddr, error) {
	return net.DefaultResolver.LookupIPAddr(ctx, host)
}

// Network returns what wheels open sockets with.
func (k *Kernel) Network() Network { return k.cfg.Network }

type reusePortKey struct{}

// WithReusePort asks a Network's Listen and ListenPacket to share the port with
// other sockets that ask for the same (SO_REUSEPORT): the system spreads what
// arrives over them.
func WithReusePort(ctx context.Context) context.Context {
	return context.WithValue(ctx, reusePortKey{}, true)
}

// ReusePort reports what WithReusePort asked for, for those who write a Network.
func ReusePort(ctx context.Context) bool {
	on, _ := ctx.Value(reusePortKey{}).(bool)
	return on
}

func listenConfig(ctx context.Context) *net.ListenConfig {
	if ReusePort(ctx) {
		return &net.ListenConfig{Control: reusePort}
	}
	return new(net.ListenConfig)
}

type localAddressKey struct{}

// WithLocalAddress asks a Network's Dial to connect from a local address: "host",
// "host:port", or for unix sockets a path. Empty asks for nothing.
func WithLocalAddress(ctx context.Context, address string) context.Context {
	if address == "" {
		return ctx
	}
	return context.WithValue(ctx, localAddressKey{}, address)
}

// LocalAddress returns what WithLocalAddress asked for, for those who write a Network.
func LocalAddress(ctx context.Context) string {
	a, _ := ctx.Value(localAddressKey{}).(string)
	return a
}

// resolveLocal reads a local address for a dial over network.
func resolveLocal(network, address string) (net.Addr, error) {
	if strings.HasPrefix(network, "unix") {
		return net.ResolveUnixAddr(network, address)
	}
	if _, _, err := net.SplitHostPort(address); err != nil {
		address = net.JoinHostPort(strings.Trim(address, "[]"), "0")
	}
	if strings.HasPrefix(network, "udp") {
		return net.ResolveUDPAddr(network, address)
	}
	return net.ResolveTCPAddr(network, address)
}
