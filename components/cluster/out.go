package cluster

import (
	"time"

	"github.com/usher-go/usher/components/cluster/wire"
	"github.com/usher-go/usher/kernel"
)

// maxFlight is how many packets may be on their way before the first of them is
// acknowledged. What is posted meanwhile shares the next one.
const maxFlight = 8

// maxPacket is how many bytes of events share a packet; one event may be longer.
const maxPacket = 128 << 10

// outlink is the sending half of a link: what waits and what is on its way. It decides
// and does nothing; its peer sends, and has the lock.
type outlink struct {
	number uint64 // of the link; grows when one of the nodes had lost the other
	base   uint64 // the number before its first event
	acked  uint64 // all events up to this number were taken by the other node …
	sent   uint64 // … up to this one were put into packets …
	last   uint64 // … and this one was posted last

	waits  []waiting // events acked+1 … last
	frames []byte    // of sent+1 … last
	flight []flight  // events acked+1 … sent; the first may have been taken in part
	bytes  int       // of frames and flight

	paused bool      // the other node asks for a pause
	moved  time.Time // when anything was sent into an empty flight, or acknowledged
}

// waiting is an event whose outcome is not known.
type waiting struct {
	o    kernel.Outgoing
	size int
	done func(error) // told once what became of it, when that matters
}

// flight is one packet on its way.
type flight struct {
	first  uint64
	count  uint32
	frames []byte
}

// outcome is what became of an event: a nil error means that it was taken.
type outcome struct {
	waiting
	err error
}

func (l *outlink) outstanding() int { return len(l.waits) }

// push counts an event whose frame was appended to frames.
func (l *outlink) push(w waiting) {
	l.last++
	l.waits = append(l.waits, w)
	l.bytes += w.size
}

// cut makes the next packet of what was posted; false when nothing is to be sent now.
func (l *outlink) cut(now time.Time) (flight, bool) {
	if l.sent == l.last || l.paused || len(l.flight) >= maxFlight {
		return flight{}, false
	}
	f := flight{first: l.sent + 1}
	size := 0
	for l.sent < l.last {
		next := l.waits[l.sent-l.acked].size
		if f.count > 0 && size+next > maxPacket {
			break
		}
		size += next
		l.sent++
		f.count++
	}
	f.frames = l.frames[:size:size]
	if l.frames = l.frames[size:]; len(l.frames) == 0 {
		l.frames = nil // the packet has the array now
	}
	if len(l.flight) == 0 {
		l.moved = now
	}
	l.flight = append(l.flight, f)
	return f, true
}

// ack takes what the other node says that it has taken, and returns what became of
// those events. What it can only say of another link is none of ours.
func (l *outlink) ack(number, upTo uint64, refused []*wire.Refusal, node string, now time.Time) []outcome {
	if number != l.number || upTo <= l.acked || upTo > l.sent {
		return nil
	}
	n := int(upTo - l.acked)
	outcomes := make([]outcome, 0, len(refused))
	why := make(map[uint64]error, len(refused))
	for _, r := range refused {
		why[r.GetNumber()] = decodeError(node, r.GetCode(), r.GetText())
	}
	for i := range n {
		w := &l.waits[i]
		if err := why[l.acked+1+uint64(i)]; err != nil || w.done != nil {
			outcomes = append(outcomes, outcome{*w, err})
		}
		l.bytes -= w.size
	}
	clear(l.waits[:n])
	l.waits = l.waits[n:]
	l.acked = upTo
	for len(l.flight) > 0 && l.flight[0].first+uint64(l.flight[0].count)-1 <= upTo {
		l.flight[0] = flight{}
		l.flight = l.flight[1:]
	}
	l.moved = now
	return outcomes
}

// stalled reports whether packets are on their way for longer than d.
func (l *outlink) stalled(now time.Time, d time.Duration) bool {
	return len(l.flight) > 0 && now.Sub(l.moved) >= d
}

// end gives up everything, and begins the next link. What was sent may have been
// taken: ErrUnknownOutcome; what was not has why. next is the next link's number.
func (l *outlink) end(why error, next uint64) []outcome {
	outcomes := make([]outcome, len(l.waits))
	for i, w := range l.waits {
		outcomes[i] = outcome{w, why}
		if l.acked+1+uint64(i) <= l.sent {
			outcomes[i].err = ErrUnknownOutcome
		}
	}
	*l = outlink{number: next, base: l.last, acked: l.last, sent: l.last, last: l.last}
	return outcomes
}

// reopen begins the next link with all that was not acknowledged: the other node has
// said that it takes nothing more of this one. What is under way is to be sent again.
func (l *outlink) reopen(next uint64) { l.number, l.base = next, l.acked }
