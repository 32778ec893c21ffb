package httpd

import (
	"fmt"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// Events of a server's session. Beside each stands the method that does the same
// from any goroutine and without the way through the session's queue.
const (
	// Done sends a Response, or ends its stream (H37–H47). Response.Done.
	Done kernel.Event[*Response] = "DONE"

	// Close ends the connection without an answer; a stream is sent first as far as
	// it is queued (H48). Response.Close.
	Close kernel.Event[*Response] = "CLOSE"

	// Stream sends the next piece of a marked Response (H50). Response.Send.
	Stream kernel.Event[*Response] = "STREAM"

	// GetHandlers posts the routes, a []Route, to a target; Address and event name
	// will do, too (H26). Server.Handlers.
	GetHandlers kernel.Event[Target] = "GETHANDLERS"

	// SetHandlers has other routes from the next request on. Called or posted, what
	// is wrong with them is the handler's error: ErrConfig (H19, H26).
	// Server.SetHandlers.
	SetHandlers kernel.Event[[]Route] = "SETHANDLERS"

	// SetCloseHandler has an event posted to its sender when a connection closes; a
	// *Connection or ConnectionID, event name and arguments will do, too (H76). It
	// holds nobody: Connection.OnClose does.
	SetCloseHandler kernel.Event[CloseHandler] = "SETCLOSEHANDLER"

	// GetForkHandlers posts them, a map[kernel.Address]string, to a target; Address
	// and event name will do, too. SetForkHandlers gives workers started from then on
	// others; elsewhere it is refused, and the ErrorHandler told (P24).
	// Server.ForkHandlers, Server.SetForkHandlers.
	GetForkHandlers kernel.Event[Target]                    = "GETFORKHANDLERS"
	SetForkHandlers kernel.Event[map[kernel.Address]string] = "SETFORKHANDLERS"

	// IsChild, called, returns whether this process is a worker (P23).
	// prefork.IsChild.
	IsChild kernel.Event[struct{}] = "ISCHILD"

	// StartListen and StopListen open and close the listeners (H85).
	// Server.StartListen, Server.StopListen.
	StartListen kernel.Event[struct{}] = "STARTLISTEN"
	StopListen  kernel.Event[struct{}] = "STOPLISTEN"

	// Shutdown ends the server: at once, or gracefully for any argument but nil
	// and false (H87, H88); a second one at once in any case. Server.Shutdown.
	Shutdown kernel.Event[bool] = "SHUTDOWN"
)

// What a server's session tells itself.
const (
	evServe kernel.Event[struct{}] = "httpd_serve"
)

// On handles the event of a Route with its types. Dir is Context.Arg(2).
func On[E ~string](event E, h func(*kernel.Context, *Request, *Response) error) session.State {
	return session.Handle(event, func(c *kernel.Context) error {
		req, ok1 := c.Arg(0).(*Request)
		resp, ok2 := c.Arg(1).(*Response)
		if !ok1 || !ok2 {
			return fmt.Errorf("%w: event %q wants *httpd.Request and *httpd.Response, got %T and %T; is it named in a Route only?",
				kernel.ErrArgument, c.Event(), c.Arg(0), c.Arg(1))
		}
		return h(c, req, resp)
	})
}
