package backend

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/usher-go/usher/wheel/filter"
)

// Message is what travels: a command or event name with its arguments, which
// keep their Go kinds on the wire (package filter lists them; JSON and Storable
// have fewer).
type Message struct {
	Name string
	Args []any

	// To names a service: the server passes the message on to every other
	// connection registered under it, or, with Everyone, to all others that are
	// registered. Empty is the server itself. The names pong, error, reply and
	// drain are the server's own, and are not passed on.
	To string

	// Client names a session of the server's kernel, which has the alias "res_"
	// and that name: it gets the event BackendResponse with the Message (B32).
	// To is empty then, Name may be.
	Client string

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
	cmdClient   = "client" // its client's name, the message's, its arguments
	cmdBegin    = "tx_begin"
	cmdTxSend   = "tx_send"
	cmdCommit   = "tx_commit"
	cmdRollback = "tx_rollback"
	cmdOutcome  = "tx_outcome"
	evPong      = "pong"
	evError     = "error"
	evReply     = "reply"
	evDrain     = "drain" // the server's: it wants to close
)

// reserved names mean something to the receiver when they come from the server
// itself, and so are passed on for nobody.
func reserved(name string) bool {
	switch name {
	case evPong, evError, evReply, evDrain:
		return true
	}
	return false
}

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
	e := &RemoteError{Text: "error without a text"}
	if len(f.Args) > 0 {
		e.Text = fmt.Sprint(f.Args[0])
	}
	e.Code = text(f.Args, 1)
	return Reply{Err: e}
}

// text is a string among arguments that came over the wire, empty without.
func text(args []any, i int) string {
	if i >= len(args) {
		return ""
	}
	s, _ := args[i].(string)
	return s
}

// number is an integer among them; JSON has made a float64 of it, Storable an
// int64.
func number(args []any, i int) int {
	if i >= len(args) {
		return 0
	}
	switch n := args[i].(type) {
	case int:
		return n
	case int64:
		return int(n)
	case float64:
		if n >= -1<<31 && n <= 1<<31 {
			return int(n)
		}
	}
	return 0
}

// list is a list among them.
func list(args []any, i int) []any {
	if i >= len(args) {
		return nil
	}
	l, _ := args[i].([]any)
	return l
}
