//go:build !amd64 && !arm64

package kernel

// self identifies the calling goroutine among those that live.
func self() uintptr { return uintptr(goroutineID()) }
