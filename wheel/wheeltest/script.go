package wheeltest

import (
	"io"
	"slices"
	"time"

	"github.com/usher-go/usher/kernel"
)

// Fault is one line of a script for Faulty. Places in a stream are counts of its own
// bytes, from 0; what was inserted does not count.
type Fault func(*faulty)

// ShortReads has no read give more than n bytes.
func ShortReads(n int) Fault { return func(f *faulty) { f.in.most = n } }

// ShortWrites has no more than n bytes written at once: a TryWrite takes no more, a
// Write takes several turns.
func ShortWrites(n int) Fault { return func(f *faulty) { f.out.most = n } }

// FailRead has reads fail once so many bytes were read. A syscall.Errno comes
// wrapped as from read(2), any other error as it is.
func FailRead(after int, err error) Fault {
	return func(f *faulty) { f.in.add(mark{at: after, err: err}) }
}

// FailWrite has writes fail once so many bytes were written.
func FailWrite(after int, err error) Fault {
	return func(f *faulty) { f.out.add(mark{at: after, err: err}) }
}

// EndRead has the input end, with io.EOF, after so many bytes.
func EndRead(after int) Fault { return FailRead(after, io.EOF) }

// ResetAfter has the connection reset once so many bytes were read: reads and writes
// fail with syscall.ECONNRESET, and the peer finds it reset, too, where conn can do
// that.
func ResetAfter(read int) Fault {
	return func(f *faulty) { f.in.add(mark{at: read, reset: true}) }
}

// Insert puts bytes into the input that the peer has not sent.
func Insert(at int, garbage string) Fault {
	return func(f *faulty) { f.in.add(mark{at: at, insert: []byte(garbage)}) }
}

// StallRead has nothing come any more after so many bytes: a Read waits for Close or
// a deadline.
func StallRead(after int) Fault {
	return func(f *faulty) { f.in.add(mark{at: after, stall: true}) }
}

// DelayReads has every read take so much longer, by the system's clock or ByClock's.
func DelayReads(d time.Duration) Fault { return func(f *faulty) { f.delay = d } }

// ByClock has delays go by a kernel's clock.
func ByClock(k *kernel.Kernel) Fault { return func(f *faulty) { f.clock = k } }

// lane is one direction of a script.
type lane struct {
	passed int // bytes of the connection's own
	most   int // in one call; 0 is any number
	marks  []mark
}

// mark is something that comes at a place in the stream.
type mark struct {
	at           int
	insert       []byte
	err          error
	stall, reset bool
}

func (l *lane) add(m mark) {
	l.marks = append(l.marks, m)
	slices.SortStableFunc(l.marks, func(a, b mark) int { return a.at - b.at })
}

// next says how many of so many bytes may pass now, or what comes before them.
func (l *lane) next(want int) (n int, m *mark) {
	if l.most > 0 {
		want = min(want, l.most)
	}
	if len(l.marks) == 0 {
		return want, nil
	}
	m = &l.marks[0]
	if m.at <= l.passed {
		return 0, m
	}
	return min(want, m.at-l.passed), nil
}

// take moves inserted bytes into p.
func (l *lane) take(p []byte) int {
	if l.most > 0 {
		p = p[:min(len(p), l.most)]
	}
	m := &l.marks[0]
	n := copy(p, m.insert)
	if m.insert = m.insert[n:]; len(m.insert) == 0 {
		l.marks = l.marks[1:]
	}
	return n
}
