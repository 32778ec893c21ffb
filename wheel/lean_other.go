//go:build !linux

package wheel

import "net"

// leanListener: elsewhere connections are ordinary ones.
func leanListener(l net.Listener) net.Listener { return l }
