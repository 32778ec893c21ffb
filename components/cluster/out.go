package cluster

import (
	"slices"
	"time"

	"github.com/usher-go/usher/components/cluster/wire"
	"github.com/usher-go/usher/kernel"
)

// maxFlight is how many packets may be on their way before the first of them is
// acknowledged. What is posted meanwhile shares the next one.
const maxFlight = 8

// maxPacket is how many bytes of events share a packet; one event may be longer.
const maxPacket = 128 << 10

const (
	minRoom   = 256  // bytes that a packet begins to grow in
	keptWaits = 1024 // events whose places are kept for others when none waits
)

// outlink is the sending half of a link: what waits and what is on its way. It decides
// and does nothing; its peer sends, and has the lock.
type outlink struct {
	number uint64 // of the link; grows when one of the nodes had lost the other
	base   uint64 // the number before its first event
	acked  uint64 // all events up to this number were taken by the other node …
	sent   uint64 // … up to this one were put into packets …
	last   uint64 // … and this one was posted last
	missed uint64 // the event that the other node has missed last; see behind

	waits  []waiting // behind the first gone, events acked+1 … last
	gone   int
	flight []flight // events acked+1 … sent; the first may have been taken in part
	queue  []flight // events sent+1 … last; the last packet may still grow
	room   int      // what the next one in queue is given to grow in
	bytes  int      // of waits

	paused bool      // the other node asks for a pause
	moved  time.Time // when anything was sent into an empty flight, or acknowledged
}

// waiting is an event whose outcome is not known.
type waiting struct {
	o    kernel.Outgoing
	size int
	done func(error) // told once what became of it, when that matters
}

// flight is one packet on its way, or to be.
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

func (l *outlink) outstanding() int { return len(l.waits) - l.gone }

// growing is the packet that the next event may go in, nil if it needs another.
func (l *outlink) growing() *flight {
	if n := len(l.queue); n > 0 && len(l.queue[n-1].frames) < maxPacket {
		return &l.queue[n-1]
	}
	return nil
}

// buffer is what the next event's frame is to be appended to.
func (l *outlink) buffer() []byte {
	if f := l.growing(); f != nil {
		return f.frames
	}
	return make([]byte, 0, max(l.room, minRoom))
}

// push takes an event whose frame was appended to buffer.
func (l *outlink) push(w waiting, frames []byte) {
	l.last++
	f, before := l.growing(), 0
	if f != nil {
		before = len(f.frames)
	}
	switch {
	case f == nil:
		l.queue = append(l.queue, flight{l.last, 1, frames})
	case len(frames) > maxPacket: // not in this one
		l.queue = append(l.queue, flight{l.last, 1, append(make([]byte, 0, maxPacket), frames[before:]...)})
	default:
		f.count++
		f.frames = frames
	}
	w.size = len(frames) - before
	l.bytes += w.size
	if len(l.waits) == cap(l.waits) && l.gone > len(l.waits)/2 {
		l.waits, l.gone = slices.Delete(l.waits, 0, l.gone), 0 // rather than grow
	}
	l.waits = append(l.waits, w)
}

// ready reports whether something is to be sent now.
func (l *outlink) ready() bool {
	return l.sent < l.last && !l.paused && len(l.flight) < maxFlight
}

// cut makes the next packet of what was posted; false when nothing is to be sent now.
func (l *outlink) cut(now time.Time) (flight, bool) {
	if !l.ready() {
		return flight{}, false
	}
	f := l.queue[0]
	l.queue = slices.Delete(l.queue, 0, 1)
	l.sent += uint64(f.count)
	l.room = min(2*len(f.frames), maxPacket+maxPacket/8) // an event more than fits
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
		w := &l.waits[l.gone+i]
		if err := why[l.acked+1+uint64(i)]; err != nil || w.done != nil {
			outcomes = append(outcomes, outcome{*w, err})
		}
		l.bytes -= w.size
	}
	clear(l.waits[l.gone : l.gone+n])
	if l.gone += n; l.gone == len(l.waits) {
		l.waits, l.gone = l.waits[:0], 0
		if cap(l.waits) > keptWaits {
			l.waits = nil
		}
	}
	l.acked = upTo
	l.flight = slices.DeleteFunc(l.flight, func(f flight) bool { return f.first+uint64(f.count)-1 <= upTo })
	l.moved = now
	return outcomes
}

// stalled reports whether packets are on their way for longer than d.
func (l *outlink) stalled(now time.Time, d time.Duration) bool {
	return len(l.flight) > 0 && now.Sub(l.moved) >= d
}

// behind reports whether what is under way is to be sent again because the other node
// misses an event: each of the packets behind that one says so, and one answer is enough.
func (l *outlink) behind() bool {
	said := l.missed == l.acked+1
	l.missed = l.acked + 1
	return !said
}

// end gives up everything, and begins the next link. What was sent may have been
// taken: ErrUnknownOutcome; what was not has why. next is the next link's number.
func (l *outlink) end(why error, next uint64) []outcome {
	outcomes := make([]outcome, l.outstanding())
	for i, w := range l.waits[l.gone:] {
		outcomes[i] = outcome{w, why}
		if l.acked+1+uint64(i) <= l.sent {
			outcomes[i].err = ErrUnknownOutcome
		}
	}
	*l = outlink{number: next, base: l.last, acked: l.last, sent: l.last, last: l.last}
	return outcomes
}

// reopen begins the next link with all that was not acknowledged: the other node has
// said that it takes nothing more of this one. What is under way is to be sent again, also
// during a pause: the end of that would be told of this link, and not be listened to.
func (l *outlink) reopen(next uint64) { l.number, l.base, l.missed, l.paused = next, l.acked, 0, false }
