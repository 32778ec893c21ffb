package backend

import (
	_ "embed"
	"html/template"
	"net/http"
	"reflect"
	"strconv"
	"time"
)

//go:embed status.html
var statusHTML string

var statusTemplate = template.Must(template.New("status").Funcs(template.FuncMap{
	"clock":  func(t time.Time) string { return t.Format("15:04:05") },
	"rfc":    func(t time.Time) string { return t.Format(time.RFC3339) },
	"ago":    ago,
	"trip":   trip,
	"size":   func(n any) string { return size(reflect.ValueOf(n).Int()) },
	"number": func(n any) string { return grouped(reflect.ValueOf(n).Int(), "\u202f") },
	"state":  stateClass,
	"live":   func(l Liveness) string { return liveClass[l] },
	"policy": policy,
}).Parse(statusHTML))

// page is what the template needs beside the Status.
type page struct {
	Status
	Ready, Clients, Waiting, Asked int // in all
	Refresh                        int // seconds; 0: none
}

func newPage(s Status, r *http.Request) *page {
	p := &page{Status: s}
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
	if n, err := strconv.Atoi(r.URL.Query().Get("refresh")); err == nil {
		p.Refresh = min(max(n, 0), 3600)
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
