package keepalive

import (
	"cmp"
	"slices"
	"time"
)

// leakDue is when the next connection will have been lent for Config.LeakAfter;
// zero when none will.
func (p *keeper) leakDue() (first time.Time) {
	after := p.pool.cfg.LeakAfter
	if after == 0 {
		return first
	}
	for _, e := range p.conns {
		if e.loan == nil || e.loan.since.IsZero() {
			continue
		}
		if at := e.loan.since.Add(after); first.IsZero() || at.Before(first) {
			first = at
		}
	}
	return first
}

// reportLeaks reports each connection once that has been lent for too long. It
// stays lent: its user may still work.
func (p *keeper) reportLeaks(now time.Time) {
	after := p.pool.cfg.LeakAfter
	if after == 0 {
		return
	}
	var late []*loan
	for _, e := range p.conns {
		if l := e.loan; l != nil && !l.since.IsZero() && now.Sub(l.since) >= after {
			late = append(late, l)
		}
	}
	slices.SortFunc(late, func(a, b *loan) int { return cmp.Compare(a.id, b.id) })
	for _, l := range late {
		l.since = time.Time{}
		p.pool.k.Report("keepalive", "connection lent for longer than Config.LeakAfter", l.story())
	}
}
