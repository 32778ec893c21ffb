package keepalive

import (
	"cmp"
	"slices"

	"github.com/usher-go/usher/kernel"
)

// ward closes what the current session still has of the pool when it stops or gets a
// fresh receiver (A82). A source does that also when the pool has ended before it, and
// hears of nobody's end any more; then it ends with the session's last loan.
func (p *keeper) ward(c *kernel.Context) {
	who := c.Self()
	var src *kernel.Source
	src = c.NewSource("keepalive loans", func(*kernel.Context) {
		if p.relieved(who) {
			src.Close()
		}
	}, func() { p.left(who) })
	p.mu.Lock()
	defer p.unlock()
	p.wards[who] = src
	if p.over {
		src.Wake()
	}
}

// relieved reports whether a session has nothing of the pool, and can get nothing more.
func (p *keeper) relieved(who kernel.Address) bool {
	p.mu.Lock()
	defer p.unlock()
	for _, e := range p.conns {
		if l := e.loan; l != nil && l.order.who == who && l.state.Load() != returned {
			return false
		}
	}
	return p.over
}

// relieve has the ward of a session look whether it is needed.
func (p *keeper) relieve(who kernel.Address) {
	p.mu.Lock()
	defer p.unlock()
	if src := p.wards[who]; src != nil {
		src.Wake()
	}
}

// left is the end of a session, or of its receiver. What is on its way to it is for
// gone, or for the fresh receiver, unless the pool has ended.
func (p *keeper) left(who kernel.Address) {
	var left []*loan
	p.mu.Lock()
	delete(p.wards, who)
	over := p.over
	for _, e := range p.conns {
		if l := e.loan; l != nil && l.order.who == who && (l.state.CompareAndSwap(taken, returned) || over && l.void()) {
			left = append(left, l)
		}
	}
	p.unlock()
	slices.SortFunc(left, func(a, b *loan) int { return cmp.Compare(a.id, b.id) })
	for _, l := range left {
		l.open.close()
		if !over {
			l.post()
		}
	}
}
