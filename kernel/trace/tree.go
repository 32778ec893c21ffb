package trace

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/usher-go/usher/kernel"
)

// deepest is how far the tree is indented; deeper lines say how deep they are.
const deepest = 30

// WriteTree writes what caused what: each handler, and below it what it brought
// about, in the order in which that began. In front stands the time since the
// first record, behind it how long the handler took, if that is known.
func (s *Snapshot) WriteTree(w io.Writer) error {
	out := bufio.NewWriter(w)
	if s.Forgotten > 0 {
		fmt.Fprintf(out, "(%d older records are forgotten)\n", s.Forgotten)
	}
	below := make(map[uint64][]int)
	for i := range s.Records {
		cause := s.parent(i)
		below[cause] = append(below[cause], i)
	}
	type line struct{ index, depth int }
	var todo []line
	push := func(list []int, depth int) {
		for i := len(list) - 1; i >= 0; i-- {
			todo = append(todo, line{list[i], depth})
		}
	}
	for push(below[0], 0); len(todo) > 0; {
		l := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		r := &s.Records[l.index]
		indent := strings.Repeat("  ", min(l.depth, deepest))
		if l.depth > deepest {
			indent += fmt.Sprintf("(%d deep) ", l.depth)
		}
		fmt.Fprintf(out, "%10s  %s%s%s\n", "+"+r.At.Sub(s.Records[0].At).String(), indent, s.line(r), s.end(r, l.depth == 0))
		if r.Kind == Handled {
			push(below[r.Seq], l.depth+1)
		}
	}
	return out.Flush()
}

// parent is the event below which a record stands, 0 for none that is recorded.
func (s *Snapshot) parent(i int) uint64 {
	r := &s.Records[i]
	if _, ok := s.bySeq[r.Cause]; !ok || r.Cause == r.Seq {
		return 0
	}
	return r.Cause
}

// line says what happened, and from where.
func (s *Snapshot) line(r *Record) string {
	name, to := r.Name, s.Name(r.To)
	var text string
	switch r.Kind {
	case Handled:
		text = fmt.Sprintf("%s → %s%s", name, to, s.via(r))
	case Unhandled:
		text = fmt.Sprintf("%s has no handler in %s", name, to)
	case Dropped:
		text = fmt.Sprintf("%s → %s%s: dropped, %s", name, to, s.via(r), r.Detail)
	case Refused:
		text = fmt.Sprintf("%s returns an error: %v", name, r.Err)
	case Timer:
		text = fmt.Sprintf("timer %s %s by %s", name, r.Detail, to)
	case Signal:
		if r.To == "" {
			to = "everyone"
		}
		text = fmt.Sprintf("signal %s → %s: %s", name, to, r.Detail)
	case Stops:
		text = fmt.Sprintf("%s stops: %s", to, r.Detail)
	case Restarts:
		text = fmt.Sprintf("%s is restarted", to)
	case Reported:
		text = fmt.Sprintf("%s reports: %s: %v", name, r.Detail, r.Err)
	}
	return oneLine(text)
}

func (s *Snapshot) via(r *Record) string {
	switch r.Via {
	case kernel.ViaTimer:
		return ", timer"
	case kernel.ViaWheel:
		return fmt.Sprintf(", wheel %d", r.Wheel)
	case kernel.ViaSignal:
		return ", signal"
	case kernel.ViaKernel:
		return ""
	case kernel.ViaActor:
		return ", from an actor"
	}
	how := ", posted by "
	if r.Via == kernel.ViaCall {
		how = ", called by "
	}
	switch r.From {
	case "":
		return how + "none of the sessions"
	case r.To:
		return how + "itself"
	}
	return how + s.Name(r.From)
}

// end says how a handler ended; root, that its cause is unknown.
func (s *Snapshot) end(r *Record, root bool) string {
	var b strings.Builder
	if r.Kind == Handled {
		switch {
		case r.Running:
			b.WriteString(", running")
		case r.Took > 0:
			fmt.Fprintf(&b, ", took %v", r.Took.Round(time.Microsecond/10))
		}
		if r.Err != nil {
			fmt.Fprintf(&b, ", failed: %s", oneLine(r.Err.Error()))
		}
	}
	if root && r.Cause != 0 {
		fmt.Fprintf(&b, " (because of event %d, forgotten)", r.Cause)
	}
	return b.String()
}
