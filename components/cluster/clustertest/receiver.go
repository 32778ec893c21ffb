package clustertest

import (
	"errors"
	"slices"

	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/wheeltest"
)

// receiver is a stream that another machine has dialled.
type receiver struct {
	t    *transport
	conn *wheeltest.Conn
	from []string
	in   []byte
	soon bool
	gone bool
	seq  int
}

// receive begins to read a stream.
func (t *transport) receive(conn *wheeltest.Conn, m *Machine) {
	t.accepted++
	r := &receiver{t: t, conn: conn, from: []string{m.name}, seq: t.accepted}
	t.streams[r] = struct{}{}
	conn.Notify(r.wake, nil)
	r.wake()
}

// open is the streams, oldest first.
func (t *transport) open() []*receiver {
	var list []*receiver
	for r := range t.streams {
		list = append(list, r)
	}
	slices.SortFunc(list, func(a, b *receiver) int { return a.seq - b.seq })
	return list
}

func (r *receiver) wake() {
	if !r.soon {
		r.soon = true
		r.t.later(func() { r.soon = false; r.move() })
	}
}

// move delivers one packet, or reads what may be one.
func (r *receiver) move() {
	if r.gone {
		return
	}
	p, rest, err := unframe(r.in)
	if err != nil {
		r.forget()
		r.t.refuse(r.conn, err)
		return
	}
	r.in = rest
	if p != nil {
		r.wake()
		r.t.carrier.Receive(p, r.from)
		return
	}
	buf := make([]byte, 16<<10)
	n, err := r.conn.TryRead(buf)
	r.in = append(r.in, buf[:n]...)
	switch {
	case err == nil:
		r.wake()
	case !errors.Is(err, wheel.ErrAgain): // the sender's end, or a reset
		r.close()
	}
}

func (r *receiver) forget() {
	r.gone = true
	delete(r.t.streams, r)
}

func (r *receiver) close() {
	r.forget()
	_ = r.conn.Close()
}
