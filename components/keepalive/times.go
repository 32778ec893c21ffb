package keepalive

import (
	"time"

	"github.com/usher-go/usher/kernel"
)

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
