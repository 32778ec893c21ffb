//go:build !linux

package wheel

import "net"

// packetDescriptorPort: elsewhere every socket has its goroutines.
func packetDescriptorPort(net.PacketConn) packetPort { return nil }
