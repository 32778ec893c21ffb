package keepalive

import (
	"time"

	"github.com/usher-go/usher/kernel"
)

// Load is what there is at one moment.
type Load struct {
	Waiting int // requests that the limits keep waiting
	Opening int // connections being opened, also those nobody waits for any more
	Lent    int // connections in use
	Idle    int // connections ready to be lent
}

// Stats is what a pool holds at one moment, and what it has seen since its start.
// It marshals to JSON that people can read. Times are by the kernel's clock.
type Stats struct {
	Load // of all keys

	Waits Histogram[time.Duration] // from asking to the answer, of all requests
	Opens Histogram[time.Duration] // from the start of an opening to its success, lookup and TLS included
	Loans Histogram[int64]         // how often a connection was lent in its life, of those that ended
	Ages  Histogram[time.Duration] // how old it got
}

// stats costs a step for each request and connection.
func (t *table) stats() Stats {
	var s Stats
	for _, r := range t.requests {
		if r.queue != nil {
			s.Waiting++
		}
	}
	for _, c := range t.conns {
		switch c.state {
		case opening:
			s.Opening++
		case lent:
			s.Lent++
		case idle:
			s.Idle++
		}
	}
	return s
}

// times is what the table cannot know, as it has no clock.
type times struct {
	wait, open, age Histogram[time.Duration]
	loans           Histogram[int64]
}

// answered notes a request that never waited without a look at the clock.
func (t *times) answered(c *kernel.Context, o *order) {
	var waited time.Duration
	if !o.asked.IsZero() {
		waited = c.Now().Sub(o.asked)
	}
	t.wait.observe(waited)
}

func (t *times) ended(c *kernel.Context, e *entry) {
	t.loans.observe(int64(e.lent))
	t.age.observe(c.Now().Sub(e.opened))
}

// snapshot is all there is to tell.
func (p *keeper) snapshot() Stats {
	s, t := p.table.stats(), &p.times
	s.Waits, s.Opens, s.Loans, s.Ages = t.wait, t.open, t.loans, t.age
	return s
}
