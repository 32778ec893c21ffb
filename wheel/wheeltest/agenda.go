package wheeltest

import (
	"container/heap"
	"time"
)

// agenda is what will happen in a network, in order of time, and at one time in
// the order in which it was entered. One timer of the clock serves all of it,
// because two timers of the system may overtake each other.
type agenda struct {
	events  events
	entered uint64
	stop    func() bool // the timer's, nil when none is set
	set     time.Time   // when it rings
	working bool
}

type event struct {
	at  time.Time
	seq uint64
	do  func()
	pos int // in events, -1 outside
}

// at enters what is to be done at a time, under the network's lock.
func (n *Network) at(t time.Time, do func()) *event {
	a := &n.agenda
	a.entered++
	e := &event{at: t, seq: a.entered, do: do}
	heap.Push(&a.events, e)
	n.arm()
	return e
}

func (n *Network) after(d time.Duration, do func()) *event { return n.at(n.clock.Now().Add(d), do) }

// cancel takes an event back; nil is none.
func (n *Network) cancel(e *event) {
	if e != nil && e.pos >= 0 {
		heap.Remove(&n.agenda.events, e.pos)
		n.arm()
	}
}

// arm sets the timer to the next event, and to none that was cancelled: a pending
// timer would keep a simulated kernel alive.
func (n *Network) arm() {
	a := &n.agenda
	if a.working || a.stop != nil && len(a.events) > 0 && a.events[0].at.Equal(a.set) {
		return
	}
	if a.stop != nil {
		a.stop()
		a.stop = nil
	}
	if len(a.events) > 0 {
		a.set = a.events[0].at
		a.stop = n.clock.AfterFunc(a.set.Sub(n.clock.Now()), n.work)
	}
}

// work does what is due. What comes at one instant of virtual time need not be
// seen at once by those it is for: the seed decides.
func (n *Network) work() {
	n.lock()
	defer n.unlock()
	a := &n.agenda
	a.stop, a.working = nil, true
	for now := n.clock.Now(); len(a.events) > 0 && !a.events[0].at.After(now); {
		heap.Pop(&a.events).(*event).do()
		if n.virtual && n.chance(0.5) {
			break
		}
	}
	a.working = false
	n.arm()
}

type events []*event

var _ heap.Interface = (*events)(nil)

func (e events) Len() int { return len(e) }

func (e events) Less(i, j int) bool {
	if c := e[i].at.Compare(e[j].at); c != 0 {
		return c < 0
	}
	return e[i].seq < e[j].seq
}

func (e events) Swap(i, j int) {
	e[i], e[j] = e[j], e[i]
	e[i].pos, e[j].pos = i, j
}

func (e *events) Push(x any) {
	ev := x.(*event)
	ev.pos = len(*e)
	*e = append(*e, ev)
}

func (e *events) Pop() any {
	last := len(*e) - 1
	ev := (*e)[last]
	(*e)[last] = nil
	*e = (*e)[:last]
	ev.pos = -1
	return ev
}
