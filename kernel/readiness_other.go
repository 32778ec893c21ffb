//go:build !unix

package kernel

import (
	"errors"
	"syscall"
)

// readiness needs descriptors that can be polled.
type readiness struct{}

func newReadiness(syscall.Conn, SelectMode, func()) (*readiness, error) {
	return nil, errors.ErrUnsupported
}

func (*readiness) look()  {}
func (*readiness) close() {}
