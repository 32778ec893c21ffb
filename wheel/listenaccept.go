package wheel

import (
	"net"

	"github.com/usher-go/usher/kernel"
)

// ListenAcceptConfig configures a ListenAccept. Handle and AcceptEvent are
// required (W56).
type ListenAcceptConfig struct {
	// Handle is accepted from, and belongs to the wheel.
	Handle net.Listener

	// AcceptEvent carries one connection, which belongs to the handler and knows
	// both its addresses.
	AcceptEvent kernel.Event[net.Conn]

	// ErrorEvent carries an error of accept, its Op. One that only cost a
	// connection is passed over, as would-block is in POE; of those that keep
	// coming the first is reported (W49). Without it they go to
	// kernel.Kernel.Report.
	ErrorEvent kernel.Event[*Error]

	// CloseEvent is the wheel's last event: after Drain with nil, after an error
	// that ends the listener with the *Error. It does not follow the owner's Close.
	CloseEvent kernel.Event[error]

	// Ahead is SocketFactoryConfig.Ahead. Default 64.
	Ahead int
}

// ListenAccept is a SocketFactory whose listener was made elsewhere: in POE the
// two are different wheels, here they are one.
type ListenAccept = SocketFactory

// NewListenAccept makes a wheel that accepts from a listener. It is short for
// NewSocketFactory with a Listener, under the names that ListenAccept has in POE;
// what POE's lacks (pausing, draining) is there. An error matches ErrConfig, and
// then the listener stays the caller's.
func NewListenAccept(c *kernel.Context, cfg ListenAcceptConfig) (*ListenAccept, error) {
	switch {
	case cfg.Handle == nil:
		return nil, misconfigured("ListenAcceptConfig.Handle", "is nil; set a listener, or use NewSocketFactory with an address")
	case cfg.AcceptEvent == "":
		return nil, misconfigured("ListenAcceptConfig.AcceptEvent", "is empty; set it, because it brings the connections")
	case cfg.Ahead < NoneAhead:
		return nil, misconfigured("ListenAcceptConfig.Ahead", "is %d; want NoneAhead, 0 for %d, or more", cfg.Ahead, defaultAhead)
	}
	return NewSocketFactory(c, SocketFactoryConfig{
		Listener:     cfg.Handle,
		Ahead:        cfg.Ahead,
		SuccessEvent: cfg.AcceptEvent,
		FailureEvent: cfg.ErrorEvent,
		CloseEvent:   cfg.CloseEvent,
	})
}
