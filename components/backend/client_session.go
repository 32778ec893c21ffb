package backend

import (
	"fmt"
	"strings"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel/filter"
)

// BackendResponse is the event that a session "res_NAME" of the server's kernel
// gets for a message with that Message.Client (B32). It carries the Message.
const BackendResponse kernel.Event[Message] = "backend_response"

// resPrefix keeps the sessions that peers can name apart from all others.
const resPrefix = "res_"

// toSession posts to a session of the server's kernel. A name with an @ would
// leave it.
func (p *client) toSession(c *kernel.Context, f filter.Frame) error {
	name := text(f.Args, 0)
	switch {
	case name == "" || len(name) > maxName || strings.Contains(name, "@"):
		return p.refuse(c, f, fmt.Sprintf("%.64q is no client's name", name), "")
	case !p.allowed(SendRes, name):
		return p.refuse(c, f, fmt.Sprintf("you may not send to client %.64q", name), codeDenied)
	}
	m := Message{Name: text(f.Args, 1), Args: list(f.Args, 2), Client: name, From: p.name}
	if err := BackendResponse.Post(c, kernel.Address(resPrefix+name), m); err != nil {
		p.report(c, "message dropped: no session takes it", err)
	}
	return nil
}
