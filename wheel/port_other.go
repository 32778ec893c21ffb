//go:build !linux

package wheel

// descriptorPort: elsewhere every connection has its goroutines.
func descriptorPort(any) port { return nil }
