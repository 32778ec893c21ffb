package main

import (
	"runtime"
	"time"
)

// latency is how long an event waits for its handler while others have the
// cores, or block.
var latency = &Group{
	Name:  "latency",
	About: "how long an event waits while others have the cores",
	Peers: []string{usher, usherSerial, protoactor, channel},
	Rows: []*Row{
		// Members that send themselves events keep every core busy. One more gets
		// events from outside: the time from sending to handling.
		{Name: "busy-post", Unit: "event", Figures: percentiles, Budgets: []Budget{
			{Peer: usher, Figure: P99, Limit: 1, Against: protoactor, Stretch: true},
			{Peer: usherSerial, Figure: P99, Limit: 1, Against: protoactor, Stretch: true},
		}},
		// The same, and it has set timers: the time from due to handled.
		{Name: "busy-timer", Unit: "timer", Figures: percentiles, Budgets: []Budget{
			{Peer: usher, Figure: P99, Limit: 1, Against: protoactor, Stretch: true},
			{Peer: usherSerial, Figure: P99, Limit: 1, Against: protoactor, Stretch: true},
		}},
		// Nobody is busy, but a moment ago so many handlers began to block that no
		// worker of a fixed set would be left. In serial mode they block all.
		{Name: "blocked-post", Unit: "event", Figures: percentiles, Budgets: notBlocked},
		{Name: "blocked-timer", Unit: "timer", Figures: percentiles, Budgets: notBlocked},
	},
}

var percentiles = []Figure{P50, P99, P999, Worst}

// notBlocked is what a person does not notice, and what a first version did.
var notBlocked = []Budget{
	{Peer: usher, Figure: Worst, Limit: 100_000},
	{Peer: usher, Figure: Worst, Limit: 17_000, Stretch: true},
}

// blockedMembers have a handler that blocks, in the rows "blocked-…".
const blockedMembers = 100

// busyMembers are several for each core, in the rows "busy-…".
func busyMembers() int { return 4 * runtime.GOMAXPROCS(0) }

// Probes come this often: seldom enough to be no load themselves, often enough
// that a short sample has thousands.
const (
	probeInterval = 20 * time.Microsecond
	firstTimer    = time.Millisecond // when the first is due
)

// probe is an event that knows when it should be handled.
type probe struct {
	due  time.Time
	wait time.Duration
}

// probes are handled by one member.
type probes struct {
	list []probe
	left int
	done chan struct{} // closed when all are handled
}

func newProbes(n int) *probes {
	return &probes{list: make([]probe, n), left: n, done: make(chan struct{})}
}

func (ps *probes) handled(p *probe) {
	p.wait = time.Since(p.due)
	ps.left--
	if ps.left == 0 {
		close(ps.done)
	}
}

// send sends each in its time, and at once what is late because this goroutine
// did not get a core: a probe is due when it is sent.
func (ps *probes) send(to func(*probe) error) error {
	begun := time.Now()
	for i := range ps.list {
		time.Sleep(time.Until(begun.Add(time.Duration(i) * probeInterval)))
		p := &ps.list[i]
		p.due = time.Now()
		if err := to(p); err != nil {
			return err
		}
	}
	return nil
}

// set sets a timer for each.
func (ps *probes) set(after func(time.Duration, *probe)) {
	begun := time.Now()
	for i := range ps.list {
		p := &ps.list[i]
		p.due = begun.Add(firstTimer + time.Duration(i)*probeInterval)
		after(time.Until(p.due), p)
	}
}

// measure runs f, which sends or sets them, and waits until all are handled.
func (ps *probes) measure(f func() error) (s Sample, err error) {
	s = measure(len(ps.list), func() {
		if err = f(); err == nil {
			<-ps.done
		}
	})
	for _, p := range ps.list {
		s.Waits = append(s.Waits, p.wait)
	}
	return s, err
}
