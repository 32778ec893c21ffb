package wheel

import "github.com/usher-go/usher/kernel"

// The marks of W23–W26, built so that a producer never waits in vain: reaching
// HighMark owes one HighEvent and then one LowEvent, and only that LowEvent ends
// the high state, whatever Put does in between. Both come in turns of the wheel,
// LowEvent before a FlushedEvent of the same drain (W25).

// checkHigh enters the high state after the output has grown.
func (l *link) checkHigh() {
	if l.high || l.terms.high == 0 {
		return
	}
	if l.out.unsent() >= l.terms.high {
		l.high, l.owesHigh = true, true
		l.src.Wake()
	}
}

// tellMarks delivers what is owed. A handler may put more, so each step looks anew.
// False: the owner is to be told nothing more.
func (l *link) tellMarks(c *kernel.Context) bool {
	if l.owesHigh {
		l.owesHigh = false
		if !l.src.Deliver(c, string(l.terms.atHigh), struct{}{}) {
			return false
		}
	}
	if l.high && !l.owesHigh && l.drainedTo(l.terms.low) {
		l.high = false
		if !l.src.Deliver(c, string(l.terms.atLow), struct{}{}) {
			return false
		}
	}
	if l.owesFlushed && l.drainedTo(0) {
		l.owesFlushed = false
		return l.src.Deliver(c, string(l.terms.flushed), struct{}{})
	}
	return true
}

// drainedTo: so much at most is unsent, because it was sent.
func (l *link) drainedTo(n int) bool {
	return l.out.err == nil && l.out.unsent() <= n
}
