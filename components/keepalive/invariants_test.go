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
		if r.queue != nil {
			places++
			must(slices.Contains(r.queue.waiting, r), "request %d is in its queue", id)
		}
		if r.dial != nil {
			places++
			must(r.dial.owner == r, "request %d owns its connection", id)
		}
		must(places == 1, "request %d waits in one place, not in %d", id, places)
		if r.timer != 0 {
			timers++
		}
		if r.queue != nil && t.cfg.WaitTimeout > 0 {
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
	waiting := 0
	for k, h := range t.hosts {
		must(h.key == k && h.busy == busy[h], "%v counts its busy connections: %d, want %d", k, h.busy, busy[h])
		must(slices.Equal(h.idle, idleOf[h]), "%v has its idle connections in the order of their return", k)
		must(h.busy+len(h.idle)+len(h.waiting) > 0, "%v is held for a reason", k)
		if len(h.waiting) == 0 {
			continue
		}
		waiting++
		must(slices.Contains(t.turns, h), "%v has a turn", k)
		full := t.cfg.MaxPerHost != NoLimit && h.busy >= t.cfg.MaxPerHost
		must(full || !t.room() && len(t.idle) == 0, "no request of %v waits that could be served", k)
	}
	must(len(t.turns) == waiting, "each waiting host has one turn: %d, want %d", len(t.turns), waiting)

	if w.shut {
		must(len(t.requests)+len(t.idle)+len(t.timers) == 0, "after shutdown nothing is pending or idle")
		if len(w.lent)+len(w.dialing) == 0 {
			must(len(t.conns)+len(t.hosts)+len(t.undelivered) == 0, "after shutdown and the last release nothing is left")
		}
	}
	return wrong
}
