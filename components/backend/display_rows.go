package backend

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/usher-go/usher/components/internal/words"
)

// row is what a Display shows of a service.
type row struct {
	ConnStatus     // of all its living connections, or of the last one that has gone
	n          int // connections
	now        time.Time
}

// noName stands for clients that have not registered.
const noName = "(no name)"

// rowsOf has a row for each name, in their order, and the nameless at the end.
func rowsOf(list []ConnStatus, now time.Time) (rows []row) {
	at := map[string]int{}
	for _, s := range list {
		i, known := at[s.Name]
		switch {
		case !known:
			at[s.Name] = len(rows)
			rows = append(rows, row{s, 1, now})
		case s.Liveness == LiveDisconnected && (rows[i].Liveness != LiveDisconnected || rows[i].Last.After(s.Last)):
			// the living count, else the last of those that have gone
		case rows[i].Liveness == LiveDisconnected:
			rows[i] = row{s, 1, now}
		default:
			rows[i].add(s)
		}
	}
	slices.SortFunc(rows, func(a, b row) int {
		if nameless := a.Name == ""; nameless != (b.Name == "") {
			if nameless {
				return 1
			}
			return -1
		}
		return cmp.Compare(a.Name, b.Name)
	})
	return rows
}

// add is for another connection of the same name: who spoke last is heard.
func (r *row) add(s ConnStatus) {
	r.n++
	if s.Last.After(r.Last) {
		r.Last, r.Liveness = s.Last, s.Liveness
	}
	r.Received += s.Received
	r.Sent += s.Sent
	r.Asked += s.Asked
	r.Queued += s.Queued
	r.Tx += s.Tx
	r.RoundTrip = max(r.RoundTrip, s.RoundTrip)
}

func (r row) service() string {
	name := r.Name
	if name == "" {
		name = noName
	}
	if r.n > 1 {
		return fmt.Sprintf("%s ×%d", name, r.n)
	}
	return name
}

// style is the colour of its state, which pales while one that has gone fades.
func (r row) style() string {
	age := r.now.Sub(r.Last)
	switch r.Liveness {
	case LiveNew:
		return "36" // cyan
	case LivePing, LiveActive:
		return "32" // green
	case LiveUnknown, LiveInactive:
		return "33" // yellow
	}
	switch {
	case age < fading/3:
		return "1;31" // red
	case age < 2*fading/3:
		return "31"
	}
	return "2;31"
}

// column is one of a Display's, the most important first.
type column struct {
	title string
	width int // cells; the first one's is found
	of    func(row) string
}

var columns = []column{
	{"SERVICE", 0, row.service},
	{"STATE", 14, func(r row) string { return "● " + string(r.Liveness) }},
	{"SEEN", -7, func(r row) string { return words.Ago(r.Last, r.now) }},
	{"ROUND TRIP", -10, func(r row) string { return words.Trip(r.RoundTrip) }},
	{"RECEIVED", -9, func(r row) string { return words.Grouped(r.Received, ",") }},
	{"SENT", -9, func(r row) string { return words.Grouped(r.Sent, ",") }},
	{"ASKED", -6, func(r row) string { return words.Grouped(r.Asked, ",") }},
	{"QUEUED", -8, func(r row) string { return words.Size(r.Queued) }},
	{"TX", -3, func(r row) string { return words.Grouped(r.Tx, ",") }},
}
