package trace

import (
	"bufio"
	"cmp"
	"encoding/json"
	"io"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/usher-go/usher/kernel"
)

// chromeEvent is one entry of Chrome's trace event format. Times are in µs.
type chromeEvent struct {
	Name  string         `json:"name"`
	Phase string         `json:"ph"` // M metadata, X slice, i instant, s and f ends of a flow
	TS    float64        `json:"ts"`
	Dur   *float64       `json:"dur,omitempty"`
	PID   int            `json:"pid"`
	TID   uint64         `json:"tid"`
	ID    int            `json:"id,omitempty"`
	Bind  string         `json:"bp,omitempty"`
	Scope string         `json:"s,omitempty"`
	Cat   string         `json:"cat,omitempty"`
	Args  map[string]any `json:"args,omitempty"`
}

// span is where a handler is drawn, from the first record on.
type span struct{ from, to time.Duration }

// WriteChrome writes Chrome's trace event format, for chrome://tracing or
// ui.perfetto.dev: sessions are threads, handlers are slices, everything else is
// an instant, and arrows lead from cause to effect. In virtual time a handler
// takes no time: each is then drawn a microsecond long, one after the other.
func (s *Snapshot) WriteChrome(w io.Writer) error {
	out := bufio.NewWriter(w)
	out.WriteString(`{"displayTimeUnit":"ns","traceEvents":[`)
	first := true
	write := func(e chromeEvent) error {
		e.PID = 1
		text, err := json.Marshal(e)
		if err != nil {
			return err
		}
		if !first {
			out.WriteByte(',')
		}
		first = false
		out.WriteByte('\n')
		_, err = out.Write(text)
		return err
	}
	for _, e := range s.chromeEvents() {
		if err := write(e); err != nil {
			return err
		}
	}
	out.WriteString("\n]}\n")
	return out.Flush()
}

func (s *Snapshot) chromeEvents() []chromeEvent {
	spans, ids := s.layout(), s.threads()
	all := []chromeEvent{{Name: "process_name", Phase: "M", Args: map[string]any{"name": "usher"}}}
	for _, a := range slices.SortedFunc(maps.Keys(ids), func(a, b kernel.Address) int { return cmp.Compare(ids[a], ids[b]) }) {
		all = append(all, chromeEvent{Name: "thread_name", Phase: "M", TID: ids[a], Args: map[string]any{"name": s.Name(a)}})
	}
	for i := range s.Records {
		r := &s.Records[i]
		at := micros(spans[i].from)
		if r.Kind != Handled {
			all = append(all, chromeEvent{Name: s.line(r), Phase: "i", TS: at, TID: ids[r.To], Scope: "t", Cat: r.Kind.String()})
			continue
		}
		all = append(all, s.slice(r, spans[i], ids))
		if c, ok := s.bySeq[r.Cause]; ok {
			start := chromeEvent{Name: "cause", Cat: "cause", ID: i + 1, Phase: "s", TS: micros(spans[c].from), TID: ids[s.Records[c].To]}
			end := start
			end.Phase, end.Bind, end.TS, end.TID = "f", "e", at, ids[r.To]
			all = append(all, start, end)
		}
	}
	return all
}

func (s *Snapshot) slice(r *Record, at span, ids map[kernel.Address]uint64) chromeEvent {
	dur := micros(at.to - at.from)
	args := map[string]any{"event": r.Seq, "cause": r.Cause, "via": r.Via.String(), "from": s.Name(r.From)}
	if r.Err != nil {
		args["error"] = r.Err.Error()
	}
	if r.Running {
		args["running"] = true
	}
	return chromeEvent{Name: r.Name, Phase: "X", TS: micros(at.from), Dur: &dur, TID: ids[r.To], Cat: r.Via.String(), Args: args}
}

// threads numbers what the records are about: a session by its ID, the kernel 0.
func (s *Snapshot) threads() map[kernel.Address]uint64 {
	ids := make(map[kernel.Address]uint64)
	for _, r := range s.Records {
		n, _ := strconv.ParseUint(string(r.To[min(1, len(r.To)):]), 10, 64)
		ids[r.To] = n
	}
	return ids
}

// layout says when everything is drawn. Viewers want the slices of a thread to be
// one after the other or one inside the other; times that are good to a
// microsecond (see kernel.Journal) may overlap by that.
func (s *Snapshot) layout() []span {
	spans := make([]span, len(s.Records))
	if len(spans) == 0 {
		return spans
	}
	if s.virtual() {
		return s.oneByOne(spans)
	}
	open := make(map[kernel.Address][]time.Duration) // ends of the slices around
	for i := range s.Records {
		r := &s.Records[i]
		from := r.At.Sub(s.Records[0].At)
		to := from + r.Took
		if r.Kind == Handled {
			around := open[r.To]
			for len(around) > 0 && around[len(around)-1] <= from {
				around = around[:len(around)-1]
			}
			if n := len(around); n > 0 && to > around[n-1] {
				from, around = around[n-1], around[:n-1]
				to = max(to, from)
			}
			open[r.To] = append(around, to)
		}
		spans[i] = span{from, to}
	}
	return spans
}

// virtual reports whether no handler took any time.
func (s *Snapshot) virtual() bool {
	return !slices.ContainsFunc(s.Records, func(r Record) bool { return r.Took != 0 })
}

func (s *Snapshot) oneByOne(spans []span) []span {
	last := -time.Microsecond
	for i := range s.Records {
		at := max(s.Records[i].At.Sub(s.Records[0].At), last+time.Microsecond)
		spans[i], last = span{at, at + time.Microsecond}, at
	}
	return spans
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
