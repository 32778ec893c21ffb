package keepalive

import (
	"fmt"
	"slices"
)

// violations says, for a pool between two messages, which of its promises do
// not hold. It is asked after every message of every test.
func violations(w *world) []string {
	var wrong []string
	must := func(ok bool, format string, args ...any) {
		if !ok {
			wrong = append(wrong, fmt.Sprintf(format, args...))
		}
	}
	t := w.table

	over := w.overLimit()
	must(over == "", "limits hold: %s", over)

	for req, n := range w.answers {
		must(n <= 1, "request %d is answered at most once, not %d times", req, n)
		must(!w.pending[req], "request %d is pending no more once answered", req)
	}
	must(len(t.requests) == len(w.pending), "the table holds the pending requests and no others: %d, want %d", len(t.requests), len(w.pending))
	must(len(t.undelivered) == len(w.undelivered), "answers that can be withdrawn are known: %d, want %d", len(t.undelivered), len(w.undelivered))

	timers := 0
	for id, r := range t.requests {
		must(w.pending[id], "request %d in the table is pending", id)
		places := 0
		if r.waiting {
			places++
			must(slices.Contains(r.host.waiting, r), "request %d is in its queue", id)
		}
		if r.dial != nil {
			places++
			must(r.dial.owner == r, "request %d owns its connection", id)
		}
		must(places == 1, "request %d waits in one place, not in %d", id, places)
		if r.timer != 0 {
			timers++
		}
		if r.waiting && t.cfg.WaitTimeout > 0 {
			timers++
		}
	}

	busy := map[*host]int{}
	for id, c := range t.conns {
		must(c.id == id && w.dialing[id] == (c.state == opening) && w.lent[id] == (c.state == lent) && w.watched[id] == (c.state == idle),
			"connection %d is one of opening, lent and idle, and is what the table says", id)
		must(c.host == t.hosts[w.keys[id]], "connection %d is with its host", id)
		if c.state == idle {
			must(slices.Contains(t.idle, c) && slices.Contains(c.host.idle, c), "idle connection %d can be found", id)
			if c.timer != 0 {
				timers++
			}
		} else {
			busy[c.host]++
		}
		must(c.reply == 0 || t.undelivered[c.reply] == c, "connection %d and its answer agree", id)
	}
	must(len(t.conns) == len(w.dialing)+len(w.lent)+len(w.watched), "the table holds all connections: %d", len(t.conns))
	must(len(t.idle) == len(w.watched), "idle are the watched ones, and none is lent too")
	must(len(t.timers) == timers && len(w.timers) == timers, "timers run for what is pending or idle: %d and %d, want %d", len(t.timers), len(w.timers), timers)

	idleOf := map[*host][]*conn{}
	for _, c := range t.idle {
		idleOf[c.host] = append(idleOf[c.host], c)
	}
	waiting, queued, resting := 0, 0, 0
	for k, h := range t.hosts {
		must(h.key == k && h.busy == busy[h], "%v counts its busy connections: %d, want %d", k, h.busy, busy[h])
		must(slices.Equal(h.idle, idleOf[h]), "%v has its idle connections in the order of their return", k)
		must((h.busy+len(h.idle)+len(h.waiting) > 0) == (h.rest == nil), "%v rests when nothing is left of it", k)
		if h.rest != nil {
			resting++
		}
		wrong = append(wrong, circuitViolations(w, h)...)
		if len(h.waiting) == 0 {
			continue
		}
		waiting++
		queued += len(h.waiting)
		must(slices.Contains(t.turns, h), "%v has a turn", k)
		full := t.cfg.MaxPerHost != NoLimit && h.busy >= t.cfg.MaxPerHost
		must(full || !t.room() && len(t.idle) == 0, "no request of %v waits that could be served", k)
	}
	must(len(t.turns) == waiting, "each waiting host has one turn: %d, want %d", len(t.turns), waiting)

	must(t.waiting == queued && (t.cfg.MaxWaiting == NoLimit || queued <= t.cfg.MaxWaiting), "%d requests wait, not %d, MaxWaiting is %d", queued, t.waiting, t.cfg.MaxWaiting)
	must(t.resting.Len() == resting && resting <= rememberedKeys, "%d keys rest, want %d, and no more than %d", t.resting.Len(), resting, rememberedKeys)
	wrong = append(wrong, miscounted(w)...)

	if w.shut {
		must(len(t.requests)+len(t.idle)+len(t.timers) == 0, "after shutdown nothing is pending or idle")
		if len(w.lent)+len(w.dialing) == 0 {
			must(len(t.conns)+len(t.undelivered) == 0 && len(t.hosts) == resting, "after shutdown and the last release nothing is left but numbers")
		}
	}
	return wrong
}

// circuitViolations are those of the breaker of h.
func circuitViolations(w *world, h *host) (wrong []string) {
	must := func(ok bool, format string, args ...any) {
		if !ok {
			wrong = append(wrong, fmt.Sprintf("%v: ", h.key)+fmt.Sprintf(format, args...))
		}
	}
	probes := 0
	for c := range w.probing {
		if w.keys[c] == h.key {
			probes++
		}
	}
	b := h.breaker
	if b == nil || b.state == CircuitClosed {
		must(b == nil || b.probe == nil, "a closed circuit has no probe")
		must(b == nil || h.rest == nil || !b.blank(), "nothing is remembered of a key without failures")
		must(probes == 0, "a closed circuit has no probe")
		return wrong
	}
	must(w.table.cfg.Breaker.on(), "the breaker is off")
	must(len(b.window) == 0 && b.rows == [2]int{}, "only a closed circuit counts")
	if b.state == CircuitOpen {
		must(b.probe == nil && probes == 0, "an open circuit has no probe")
		must(len(h.waiting) == 0, "nobody waits for an open circuit")
		return wrong
	}
	must(probes <= 1, "%d probes are under way", probes)
	must(b.probe == nil || w.table.requests[b.probe.id] == b.probe, "the probe is pending")
	for _, r := range h.waiting {
		must(r == b.probe, "nobody but the probe waits while the circuit is half-open")
	}
	return wrong
}

// miscounted compares the statistics with the world's own books.
func miscounted(w *world) (wrong []string) {
	s := w.table.stats()
	want := w.total
	want.Tripped = s.Total.Tripped // the world sees no circuits
	if s.Total != want {
		wrong = append(wrong, fmt.Sprintf("counted %+v; want %+v", s.Total, want))
	}
	ended := want.Answered() + want.Refused.Total() + want.Cancelled
	if ended+len(w.pending) != w.allocated {
		wrong = append(wrong, fmt.Sprintf("%d requests have ended and %d are pending, of %d", ended, len(w.pending), w.allocated))
	}
	load := Load{Waiting: w.table.waiting, Opening: len(w.dialing), Lent: len(w.lent), Idle: len(w.watched)}
	if s.Load != load {
		wrong = append(wrong, fmt.Sprintf("holds %+v; want %+v", s.Load, load))
	}
	return wrong
}
