package backend

import (
	"errors"
	"fmt"

	"github.com/usher-go/usher/wheel/filter"
)

// Message is what travels: a command or event name with its arguments, which
// keep their Go kinds on the wire (package filter lists them).
type Message struct {
	Name string
	Args []any

	// To names a service: the server passes the message on to every connection
	// registered under it, or, with Everyone, to all. Empty is the server itself.
	To string

	// From is the service name of whoever sent a message that was passed on.
	From string
}

// Everyone is the To that reaches every registered connection (B33).
const Everyone = "*"

// Reply answers a request: with Args, or with Err.
type Reply struct {
	Args []any
	Err  error
}

// Names of the wire's own commands and events (B29, B31).
const (
	cmdRegister = "register_service"
	cmdPing     = "ping"
	evPong      = "pong"
	evError     = "error"
	evReply     = "reply"
)

var (
	// ErrArgument is a Config or call with a field that cannot work.
	ErrArgument = errors.New("backend: bad argument")

	// ErrClosed: the connection was closed, or its kernel ended.
	ErrClosed = errors.New("backend: connection closed")

	// ErrLost: the connection broke after the request was sent and before its
	// answer came. Whether it was carried out is unknown.
	ErrLost = errors.New("backend: connection lost before the answer; the outcome is unknown")

	// ErrTimeout: no answer came within the request's time.
	ErrTimeout = errors.New("backend: no answer in time; raise Config.Timeout, or look at the server")

	// ErrFull: as many messages wait for the connection as Config.MaxQueued allows.
	ErrFull = errors.New("backend: too many messages wait for the connection; send fewer, or raise Config.MaxQueued")
)

// RemoteError is a request's failure as the server tells it.
type RemoteError struct{ Text string }

func (e *RemoteError) Error() string { return "backend: server: " + e.Text }

// asReply reads an answering frame.
func asReply(f filter.Frame) Reply {
	if f.Name != evError {
		return Reply{Args: f.Args}
	}
	text := "error without a text"
	if len(f.Args) > 0 {
		text = fmt.Sprint(f.Args[0])
	}
	return Reply{Err: &RemoteError{text}}
}
