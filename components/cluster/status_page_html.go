package cluster

import (
	_ "embed"
	"fmt"
	"html/template"
	"net/http"
	"os"
	"strconv"
	"time"
)

//go:embed status_page.html
var statusHTML string

var statusTemplate = template.Must(template.New("status").Funcs(template.FuncMap{
	"clock":  func(t time.Time) string { return t.Format("15:04:05") },
	"rfc":    func(t time.Time) string { return t.Format(time.RFC3339) },
	"ago":    func(t, now time.Time) string { return lasted(now.Sub(t)) },
	"lasted": lasted,
	"trip":   trip,
	"size":   size,
	"number": grouped,
	"some":   some,
	"state":  func(s State) string { return stateClass[s] },
}).Parse(statusHTML))

// page is what the template needs beside the Status.
type page struct {
	Status
	Now                    time.Time
	PID                    int
	Up, Outstanding, Calls int  // in all
	Full                   bool // there may be more keys
	Refresh                int  // seconds; 0: none
}

func newPage(n *Node, r *http.Request) *page {
	p := &page{Status: n.Status(), Now: n.k.Now(), PID: os.Getpid()}
	for _, o := range p.Nodes {
		if o.State == Up {
			p.Up++
		}
		p.Outstanding += o.Outstanding
		p.Calls += o.Calls
	}
	p.Full = len(p.Keys) >= maxKeyStatus
	if s, err := strconv.Atoi(r.URL.Query().Get("refresh")); err == nil {
		p.Refresh = min(max(s, 0), 3600)
	}
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

func lasted(d time.Duration) string {
	switch d = max(d, 0); {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Truncate(100*time.Millisecond).Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d d", int(d.Hours())/24)
}

// trip is a round trip.
func trip(d time.Duration) string {
	switch {
	case d <= 0:
		return "–"
	case d < time.Millisecond:
		return fmt.Sprintf("%d µs", d.Microseconds())
	case d < time.Second:
		return fmt.Sprintf("%.1f ms", float64(d)/1e6)
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

func size(n int) string {
	switch f := float64(n); {
	case n < 1e3:
		return fmt.Sprintf("%d B", n)
	case n < 1e6:
		return fmt.Sprintf("%.1f kB", f/1e3)
	case n < 1e9:
		return fmt.Sprintf("%.1f MB", f/1e6)
	default:
		return fmt.Sprintf("%.1f GB", f/1e9)
	}
}

// grouped is an int or a uint64 with thin spaces between groups of three digits.
func grouped(n any) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "\u202f" + s[i:]
	}
	return s
}
