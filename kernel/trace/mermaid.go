package trace

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"

	"github.com/usher-go/usher/kernel"
)

// What a chart can hold before nobody can read it any more.
const (
	maxMessages     = 200
	maxParticipants = 20
	maxLabel        = 60 // characters
)

// WriteMermaid writes a sequence diagram in Mermaid's language, which browsers,
// editors and code forges draw: an arrow with an open head is an event that was
// posted, one with a full head a call, one from a session to itself a timer, and
// a cross an event that was dropped. It shows the last 200 of them between the 20
// sessions that are busiest in these; a note says what was left out.
func (s *Snapshot) WriteMermaid(w io.Writer) error {
	out := bufio.NewWriter(w)
	c := s.chart()
	out.WriteString("sequenceDiagram\n")
	for _, p := range c.order {
		fmt.Fprintf(out, "    participant %s as %s\n", p.id, p.label)
	}
	if c.omitted > 0 {
		fmt.Fprintf(out, "    Note over %s: %d earlier events are left out\n", c.order[0].id, c.omitted)
	}
	for i := range c.records {
		r := &c.records[i]
		to := c.of[r.To].id
		switch r.Kind {
		case Handled:
			fmt.Fprintf(out, "    %s%s%s: %s\n", c.of[s.sender(r)].id, arrow(r), to, label(s.message(r)))
			if r.Err != nil {
				fmt.Fprintf(out, "    Note over %s: %s\n", to, label("failed: "+r.Err.Error()))
			}
		case Dropped:
			fmt.Fprintf(out, "    %s-x%s: %s\n", c.of[s.sender(r)].id, to, label(r.Name+" (dropped)"))
		case Stops:
			fmt.Fprintf(out, "    Note over %s: %s\n", to, label("stops: "+r.Detail))
		}
	}
	return out.Flush()
}

// outside is who sends what comes from no session.
const outside kernel.Address = ""

func (s *Snapshot) sender(r *Record) kernel.Address {
	if r.Via == kernel.ViaTimer || r.Via == kernel.ViaWheel {
		return r.To
	}
	return r.From
}

func (s *Snapshot) message(r *Record) string {
	switch r.Via {
	case kernel.ViaTimer:
		return r.Name + " (timer)"
	case kernel.ViaWheel:
		return fmt.Sprintf("%s (wheel %d)", r.Name, r.Wheel)
	case kernel.ViaSignal:
		return r.Name + " (signal)"
	}
	return r.Name
}

func arrow(r *Record) string {
	switch r.Via {
	case kernel.ViaCall, kernel.ViaKernel, kernel.ViaSignal:
		return "->>"
	}
	return "-)"
}

// chart is what a diagram shows.
type chart struct {
	records []Record
	omitted uint64
	of      map[kernel.Address]participant
	order   []participant
}

type participant struct{ id, label string }

func (s *Snapshot) chart() chart {
	c := chart{omitted: s.Forgotten, of: make(map[kernel.Address]participant)}
	for _, r := range s.Records {
		if r.Kind == Handled || r.Kind == Dropped || r.Kind == Stops {
			c.records = append(c.records, r)
		}
	}
	if over := len(c.records) - maxMessages; over > 0 {
		c.records = c.records[over:]
		c.omitted += uint64(over)
	}
	busy := make(map[kernel.Address]int)
	var seen []kernel.Address // in the order in which they appear
	for i := range c.records {
		for _, a := range []kernel.Address{s.sender(&c.records[i]), c.records[i].To} {
			if busy[a]++; busy[a] == 1 {
				seen = append(seen, a)
			}
		}
	}
	c.seat(s, seen, busy)
	return c
}

// seat gives each session a place, or one that it shares with all the less busy.
func (c *chart) seat(s *Snapshot, seen []kernel.Address, busy map[kernel.Address]int) {
	own := slices.SortedStableFunc(slices.Values(seen), func(a, b kernel.Address) int { return cmp.Compare(busy[b], busy[a]) })
	if len(own) > maxParticipants {
		own = own[:maxParticipants-1]
	}
	others := participant{"others", fmt.Sprintf("%d others", len(seen)-len(own))}
	for _, a := range seen {
		switch {
		case !slices.Contains(own, a):
			c.of[a] = others
		case a == outside:
			c.of[a] = participant{"kernel", "kernel"}
		default:
			c.of[a] = participant{"s" + strings.TrimPrefix(string(a), "#"), label(s.Name(a))}
		}
		if !slices.Contains(c.order, c.of[a]) {
			c.order = append(c.order, c.of[a])
		}
	}
	if len(c.order) == 0 {
		c.order = []participant{{"kernel", "kernel"}}
	}
}

// label is a text as Mermaid takes it: on one line, not too long, and what has a
// meaning in its grammar as an entity code.
func label(text string) string {
	var b strings.Builder
	n := 0
	for _, r := range text {
		if n++; n > maxLabel {
			b.WriteString("…")
			break
		}
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), strings.ContainsRune(" _-.,()/+*'!?=@…→", r):
			b.WriteRune(r)
		case unicode.IsGraphic(r):
			fmt.Fprintf(&b, "#%d;", r)
		default:
			b.WriteByte(' ')
		}
	}
	if strings.TrimSpace(b.String()) == "" {
		return "?"
	}
	return b.String()
}
