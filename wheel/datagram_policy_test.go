package wheel

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/usher-go/usher/wheel/filter"
)

func TestW52_PacketPolicy(t *testing.T) {
	for err, want := range map[error][2]packetVerdict{ // of a read, of a write
		syscall.ECONNREFUSED:               {packetLost, packetLost},
		syscall.EHOSTUNREACH:               {packetLost, packetLost},
		syscall.ENETDOWN:                   {packetLost, packetLost},
		syscall.EMSGSIZE:                   {packetLost, packetLost},
		syscall.ENOBUFS:                    {packetLost, packetLost},
		syscall.EPERM:                      {packetLost, packetLost},
		syscall.EACCES:                     {packetLost, packetLost},
		syscall.ENOENT:                     {packetEnds, unsendable},
		syscall.EINVAL:                     {packetEnds, unsendable},
		syscall.EPIPE:                      {packetEnds, unsendable},
		&net.AddrError{Err: "is nobody's"}: {packetEnds, unsendable},
		filter.ErrTooLong:                  {packetLost, packetLost},
		syscall.EBADF:                      {packetEnds, packetEnds},
		syscall.ENOTSOCK:                   {packetEnds, packetEnds},
		net.ErrClosed:                      {packetEnds, packetEnds},
		os.ErrDeadlineExceeded:             {packetEnds, packetEnds},
		context.Canceled:                   {packetEnds, packetEnds},
		errors.New("whatever"):             {packetEnds, packetEnds},
	} {
		for _, err := range []error{err, fmt.Errorf("wrapped: %w", err), &net.OpError{Op: "read", Err: err}} {
			for i, op := range []string{"read", "write"} {
				if got := packetPolicy(op, err); got != want[i] {
					t.Errorf("%s: %v: verdict %d, want %d", op, err, got, want[i])
				}
			}
		}
	}
}
