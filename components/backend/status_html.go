package backend

import (
	_ "embed"
	"html/template"
	"net/http"

	"github.com/usher-go/usher/components/internal/statuspage"
)

//go:embed status.html
var statusHTML string

var statusTemplate = statuspage.Page(statusHTML, template.FuncMap{
	"state":  stateClass,
	"live":   func(l Liveness) string { return liveClass[l] },
	"policy": policy,
})

// page is what the template needs beside the Status.
type page struct {
	Status
	statuspage.Frame
	Ready, Clients, Waiting, Asked int // in all
}

func newPage(s Status, r *http.Request) *page {
	p := &page{Status: s, Frame: statuspage.NewFrame(r)}
	for _, c := range s.Connections {
		if c.State == Ready || c.State == Suspect {
			p.Ready++
		}
		p.Waiting += c.Waiting
		p.Asked += c.Asked
	}
	for _, s := range s.Servers {
		p.Clients += s.State.Connections
	}
	return p
}

// stateClass and liveClass are CSS classes.
func stateClass(s State) string {
	switch s {
	case Ready:
		return "good"
	case Suspect, Connecting, Authenticating:
		return "fair"
	case Draining:
		return "busy"
	}
	return "bad"
}

var liveClass = map[Liveness]string{
	LiveNew: "busy", LivePing: "good", LiveActive: "good", LiveUnknown: "fair", LiveInactive: "fair", LiveDisconnected: "bad",
}

// policy is the ping policy in words.
func policy(c ConnectionStatus) string {
	s := "never"
	switch {
	case c.PingTimeout == 0:
		s = "always"
	case c.PingTimeout > 0:
		s = "after " + c.PingTimeout.String()
	}
	if c.IdlePing > 0 {
		s += ", idle " + c.IdlePing.String()
	}
	return s
}
