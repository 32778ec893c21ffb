package cluster

import (
	"time"

	"github.com/usher-go/usher/components/cluster/wire"
)

const (
	ackAfter    = 2 * time.Millisecond // how long an acknowledgement waits for company
	ackEvents   = 64                   // so many events are acknowledged at once …
	ackPackets  = 2                    // … as is every second packet
	maxRefusals = 256                  // are told again until the other node has settled them
)

// inlink is the receiving half of a link: which events were taken. It decides and does
// nothing; its peer delivers.
type inlink struct {
	number  uint64          // of the other node's link; 0 before its first event
	taken   uint64          // all events up to this number …
	refused []*wire.Refusal // … but these were not delivered, and the other node may not know
	gap     bool            // an event is missing
	closed  bool            // the other node was lost: nothing more of this link is taken
}

// verdict is what is to be done with a packet's events.
type verdict uint8

const (
	verdictIgnore verdict = iota // of a link that is over
	verdictAgain                 // taken before: to be acknowledged once more
	verdictGap                   // what comes before is missing: to be sent again
	verdictClosed                // of a link that was given up here: to be told
	verdictTake
)

// look decides about count events from first on, of a link that begins behind base; skip
// of them were taken before.
func (l *inlink) look(number, base, first, count uint64) (v verdict, skip uint64) {
	switch {
	case number == 0 || number < l.number || first == 0 || count == 0:
		return verdictIgnore, 0
	case number > l.number:
		*l = inlink{number: number, taken: base}
	case l.closed:
		return verdictClosed, 0
	}
	switch last := first + count - 1; {
	case last <= l.taken:
		return verdictAgain, 0
	case first > l.taken+1:
		l.gap = true
		return verdictGap, 0
	}
	l.gap = false
	return verdictTake, l.taken + 1 - first
}

// take counts an event that was delivered, or refused with an error.
func (l *inlink) take(err error) {
	l.taken++
	if err != nil {
		code, text := encodeError(err)
		l.refused = append(l.refused, &wire.Refusal{Number: l.taken, Code: code, Text: text})
	}
}

// full reports whether so much was refused that the other node has to settle it before
// more can be taken.
func (l *inlink) full() bool { return len(l.refused) >= maxRefusals }

// settle forgets what the other node has heard of; true if there was any.
func (l *inlink) settle(number, upTo uint64) bool {
	if number != l.number {
		return false
	}
	n := 0
	for n < len(l.refused) && l.refused[n].GetNumber() <= upTo {
		n++
	}
	if l.refused = l.refused[n:]; len(l.refused) == 0 {
		l.refused = nil
	}
	return n > 0
}

// ack is what the other node is to be told.
type ack struct {
	link, taken uint64
	refused     []*wire.Refusal
	gap, closed bool
}

func (l *inlink) ack() ack {
	return ack{l.number, l.taken, l.refused[:len(l.refused):len(l.refused)], l.gap, l.closed}
}

// acks is what is owed to the other node.
type acks struct {
	ack
	pause bool // too many of its events wait here

	owed, packets uint64 // taken and not acknowledged, in so many packets
	again         bool   // it seems not to have heard the last one
	armed         bool   // a timer will see to it
}

// urgent reports whether an acknowledgement should not wait for company.
func (a *acks) urgent() bool {
	return a.owed >= ackEvents || a.packets >= ackPackets || a.gap || a.again || a.owed > 0 && len(a.refused) > 0
}

func (a *acks) due() bool { return a.owed > 0 || a.again }

// put writes it into a packet.
func (a *acks) put(p *wire.Packet) {
	p.AckLink, p.Ack, p.Refused, p.Gap, p.Pause, p.Closed = a.link, a.taken, a.refused, a.gap, a.pause, a.closed
	a.owed, a.packets, a.again, a.gap = 0, 0, false, false
}
