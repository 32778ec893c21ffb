//go:build !unix

package kernel

import (
	"errors"
	"fmt"
	"syscall"
)

func reusePort(_, _ string, _ syscall.RawConn) error {
	return fmt.Errorf("kernel: ports are not shared here: %w; listen without WithReusePort", errors.ErrUnsupported)
}
