package keepalive

import "testing"

// What is done at the counter, for the model: a loan and a return without any action.
type (
	hit struct {
		req RequestID
		key Key
	}
	putBack struct{ conn connID }
)

func (hit) isMessage()     {}
func (putBack) isMessage() {}

func (w *world) hit(m hit) {
	c := w.table.atHand(m.key)
	delete(w.timers, c.timer)
	w.table.handOut(c, m.req)
	w.allocated++
	w.answers[m.req]++
	w.total.lent(Immediate)
	w.undelivered[m.req] = c.id
	delete(w.watched, c.id)
	w.lent[c.id] = true
}

func (w *world) putBack(m putBack) {
	w.happened(release{m.conn, clean})
	c := w.table.conns[m.conn]
	if timer := w.table.rest(c); timer != 0 {
		w.timers[timer] = w.table.idleTime(c)
	}
	delete(w.inHand, m.conn)
	w.watched[m.conn] = true
}

// isShortFor checks that msg, if it is one of the counter's, has led to the state to
// which the message leads that it stands for; and that this one's actions are no
// more than what is done at the counter.
func (m model) isShortFor(t *testing.T, short *world, path []message, msg message) {
	var long message
	switch msg := msg.(type) {
	case hit:
		long = allocate{req: msg.req, key: msg.key}
	case putBack:
		long = release{msg.conn, clean}
	default:
		return
	}
	w := m.replay(t, path)
	actions, err := w.send(long)
	if err != nil {
		t.Fatalf("%v\nafter %s", err, showPath(path))
	}
	for _, a := range actions {
		switch a := a.(type) {
		case watch, unwatch, startTimer, stopTimer:
			continue
		case answer:
			if a.from == Immediate {
				continue
			}
		}
		t.Fatalf("%s is not done at the counter: %s\nafter %s", show(long), show(a), showPath(path))
	}
	if got, want := state(short), state(w); got != want {
		t.Fatalf("%s leads to\n%s\nand %s to\n%s\nafter %s", show(msg), got, show(long), want, showPath(path))
	}
}
