package httpd

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/usher-go/usher/components/internal/statuspage"
)

//go:embed status.html
var statusHTML string

var statusTemplate = statuspage.Page(statusHTML, template.FuncMap{
	"for":      func(t, now time.Time) string { return span(now.Sub(t)) },
	"span":     span,
	"state":    stateClass,
	"duration": func(d time.Duration) string { return d.Round(10 * time.Microsecond).String() },
})

// page is what the template needs beside the Status.
type page struct {
	Status
	statuspage.Frame
	Idle, Busy, Rest int
	Cells            []cell
	Key              []cell
	Others           []part
}

// cell is one letter of the scoreboard.
type cell struct{ Letter, Text string }

// part is one of StatusConfig.Parts.
type part struct {
	Name    string
	Numbers []datum
	JSON    string
}

type datum struct{ Name, Value string }

// order is that of a worker's life.
const order = "_WSGX."

func newPage(st Status, r *http.Request) *page {
	p := &page{Status: st, Frame: statuspage.NewFrame(r, "token")}
	bySlot := map[int]string{}
	for _, w := range st.Workers {
		bySlot[w.Slot] = fmt.Sprintf("slot %d, pid %d: %s %s", w.Slot, w.PID, w.State, w.Request)
		switch w.Letter {
		case "_":
			p.Idle++
		case "W":
			p.Busy++
		default:
			p.Rest++
		}
	}
	for i, l := range st.Letters {
		p.Cells = append(p.Cells, cell{string(l), bySlot[i]})
	}
	for _, l := range order {
		p.Key = append(p.Key, cell{string(l), st.Legend[string(l)]})
	}
	for _, name := range slices.Sorted(maps.Keys(st.Parts)) {
		p.Others = append(p.Others, newPart(name, st.Parts[name]))
	}
	return p
}

// newPart shows the plain numbers at the top of a part, and all of it as JSON.
func newPart(name string, v any) part {
	text, top := readPart(v)
	p := part{Name: name, JSON: text}
	for _, key := range slices.Sorted(maps.Keys(top)) {
		switch v := top[key].(type) {
		case float64:
			p.Numbers = append(p.Numbers, datum{key, strconv.FormatFloat(v, 'f', -1, 64)})
		case string, bool:
			p.Numbers = append(p.Numbers, datum{key, fmt.Sprint(v)})
		}
	}
	return p
}

// readPart is a part as JSON, and what stands at its top if that has names.
func readPart(v any) (text string, top map[string]any) {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err.Error(), nil
	}
	_ = json.Unmarshal(b, &top)
	return string(b), top
}

// span is a duration for people.
func span(d time.Duration) string {
	switch d = max(d, 0); {
	case d < time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d d %d h", int(d.Hours())/24, int(d.Hours())%24)
}

// stateClass is a CSS class.
func stateClass(letter string) string {
	if c, ok := map[string]string{"_": "good", "W": "busy", "S": "fair", "G": "drain", "X": "bad", ".": "dead"}[letter]; ok {
		return c
	}
	return "bad"
}
