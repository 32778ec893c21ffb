package kernel

import (
	"context"
	"net"
)

// Network is the seam to the operating system's network, for wheels and
// components. The zero Config uses the system's.
type Network interface {
	Dial(ctx context.Context, network, address string) (net.Conn, error)
	Listen(ctx context.Context, network, address string) (net.Listener, error)
	ListenPacket(ctx context.Context, network, address string) (net.PacketConn, error)
	Lookup(ctx context.Context, host string) ([]net.IPAddr, error)
}

type systemNetwork struct{}

func (systemNetwork) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, network, address)
}

func (systemNetwork) Listen(ctx context.Context, network, address string) (net.Listener, error) {
	return new(net.ListenConfig).Listen(ctx, network, address)
}

func (systemNetwork) ListenPacket(ctx context.Context, network, address string) (net.PacketConn, error) {
	return new(net.ListenConfig).ListenPacket(ctx, network, address)
}

func (systemNetwork) Lookup(ctx context.Context, host string) ([]net.IPAddr, error) {
	return net.DefaultResolver.LookupIPAddr(ctx, host)
}

// Network returns what wheels open sockets with.
func (k *Kernel) Network() Network { return k.cfg.Network }
