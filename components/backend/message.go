package backend

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/usher-go/usher/wheel/filter"
)

// Message is what travels: a command or event name with its arguments, which
// keep their Go kinds on the wire (package filter lists them).
type Message struct {
	Name string
	Args []any

	// To names a service: the server passes the message on to every other
	// connection registered under it, or, with Everyone, to all others that are
	// registered. Empty is the server itself.
	To string

	// From is the service name of whoever sent a message that was passed on, or
	// a request. Senders need not set it.
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

// maxName is the length of the longest service name, in bytes.
const maxName = 255

// serviceName lower-cases a name (B30); false for one that cannot travel or would
// mean everyone.
func serviceName(s string) (string, bool) {
	low := strings.ToLower(s) // makes what is not UTF-8 valid
	return low, s != "" && s != Everyone && len(low) <= maxName && utf8.ValidString(s)
}

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
