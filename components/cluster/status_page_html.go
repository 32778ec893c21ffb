package cluster

import (
	_ "embed"
	"html/template"
	"net/http"
	"os"
	"time"

	"github.com/usher-go/usher/components/internal/statuspage"
)

//go:embed status_page.html
var statusHTML string

var statusTemplate = statuspage.Page(statusHTML, template.FuncMap{
	"some":  some,
	"state": func(s State) string { return stateClass[s] },
})

// page is what the template needs beside the Status.
type page struct {
	Status
	statuspage.Frame
	Now                    time.Time
	PID                    int
	Up, Outstanding, Calls int  // in all
	Full                   bool // there may be more keys
}

func newPage(n *Node, r *http.Request) *page {
	p := &page{Status: n.Status(), Now: n.k.Now(), PID: os.Getpid(), Frame: statuspage.NewFrame(r)}
	for _, o := range p.Nodes {
		if o.State == Up {
			p.Up++
		}
		p.Outstanding += o.Outstanding
		p.Calls += o.Calls
	}
	p.Full = len(p.Keys) >= maxKeyStatus
	return p
}

// stateClass are CSS classes.
var stateClass = map[State]string{Connecting: "fair", Up: "good", Lost: "bad", Left: "gone"}

// maxNames is how many aliases or topics of a node the page shows: the JSON has all.
const maxNames = 12

// names is a list that may be cut.
type names struct {
	List []string
	More int
}

func some(list []string) names {
	n := min(len(list), maxNames)
	return names{list[:n], len(list) - n}
}
