package httpd

import (
	"errors"
	"fmt"
)

var (
	// ErrConfig is matched when a configuration, or a list of routes, cannot work.
	// Nothing was started or changed.
	ErrConfig = errors.New("bad configuration")

	// ErrShutDown: the server has been shut down, or is about to be.
	ErrShutDown = errors.New("httpd: the server is shut down; make another one")

	// ErrWorker: only the master of a preforking server can do that.
	ErrWorker = errors.New("httpd: not in a worker process; let the master do it")

	// ErrNoConnection: no connection has that ID any more.
	ErrNoConnection = errors.New("httpd: no such connection; its client may have left")
)

// What the ErrorHandler is told, and kernel.Kernel.Report without one.
const (
	saysMalformed   = "malformed request"
	saysHandshake   = "TLS handshake failed"
	saysNetHTTP     = "net/http"
	saysNoHandler   = "no handler for a route"
	saysFailed      = "handler failed"
	saysAnswered    = "already answered"
	saysGone        = "client is gone"
	saysDropped     = "response dropped without an answer"
	saysExpired     = "no answer within Config.AnswerTimeout"
	saysBadCode     = "response code outside 200 to 999, sent as 500"
	saysWrite       = "answer not written"
	saysBody        = "request body refused"
	saysUnmarked    = "stream not marked"
	saysTooFast     = "stream faster than its client"
	saysUnfinished  = "request not finished at shutdown"
	saysListen      = "cannot listen"
	saysArgument    = "bad argument"
	saysUndelivered = "handler target not reached"
	saysAccessLog   = "access log not written"
	saysRefused     = "refused"
)

// misconfigured names a field, what is wrong with it, and what to do.
func misconfigured(field, format string, args ...any) error {
	return fmt.Errorf("httpd: %w: %s %s", ErrConfig, field, fmt.Sprintf(format, args...))
}
