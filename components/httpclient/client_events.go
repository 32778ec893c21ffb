package httpclient

import "github.com/usher-go/usher/kernel"

// The client's session takes these from everybody, under POE's names.
const (
	// EvRequest is Client.Request as an event, posted or called; called, it
	// returns the RequestID. The answer goes to the session of Request.Hold, or to
	// the sender. One that has nobody to answer goes to kernel.Kernel.Report.
	EvRequest kernel.Event[Request] = "request"

	// EvCancel is Client.Cancel as an event, by RequestID or *http.Request. It
	// passes over requests that it does not know; called, it returns ErrNoRequest.
	EvCancel kernel.Event[any] = "cancel"

	// EvShutdown is Client.Shutdown as an event.
	EvShutdown kernel.Event[struct{}] = "shutdown"

	// EvPending, called, returns how many requests are pending, an int.
	EvPending kernel.Event[struct{}] = "pending_requests_count"

	// EvStats, called, returns Stats.
	EvStats kernel.Event[struct{}] = "stats"
)

// And these from itself.
const (
	evChunk    kernel.Event[piece[Response]] = "chunk"
	evDone     kernel.Event[piece[Response]] = "done"
	evProgress kernel.Event[piece[Progress]] = "progress"
	evContext  kernel.Event[*job]            = "context" // a request's own ended
	evTimeout  kernel.Event[*job]            = "timeout"
	evGone     string                        = "gone" // a requester stopped
)
