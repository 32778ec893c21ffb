package statuspage

import (
	_ "embed"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/usher-go/usher/components/internal/words"
)

//go:embed frame.html
var frameHTML string

var frame = template.Must(template.New("frame").Funcs(template.FuncMap{
	"clock":  func(t time.Time) string { return t.Format("15:04:05") },
	"rfc":    func(t time.Time) string { return t.Format(time.RFC3339) },
	"ago":    words.Ago,
	"lasted": words.Lasted,
	"trip":   words.Trip,
	"size":   words.Size,
	"number": func(n any) string { return words.Grouped(n, "\u202f") },
}).Parse(frameHTML))

// Page is the frame that all pages share, with a page's own "title", "style", "heading"
// and "main" in it, and these functions beside the common ones. Its data has a Frame.
func Page(html string, funcs template.FuncMap) *template.Template {
	return template.Must(template.Must(frame.Clone()).Funcs(funcs).Parse(html))
}

// Frame is the frame's part of a page's data.
type Frame struct {
	Refresh     int          // seconds; 0: none
	Other, JSON template.URL // the page that refreshes itself, or stops; the same as JSON
}

// maxRefresh is in seconds.
const maxRefresh = 3600

// NewFrame is what the request asks for. Its links keep these parameters.
func NewFrame(r *http.Request, keep ...string) Frame {
	q := r.URL.Query()
	link := func(name, value string) template.URL {
		v := url.Values{name: {value}}
		for _, k := range keep {
			if t := q.Get(k); t != "" {
				v.Set(k, t)
			}
		}
		return template.URL("?" + v.Encode()) // encoded just now
	}
	f := Frame{Other: link("refresh", "2"), JSON: link("format", "json")}
	if n, err := strconv.Atoi(q.Get("refresh")); err == nil {
		f.Refresh = min(max(n, 0), maxRefresh)
	}
	if f.Refresh > 0 {
		f.Other = link("refresh", "0")
	}
	return f
}
