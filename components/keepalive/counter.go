package keepalive

import (
	"sync"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// counter is where a goroutine takes and returns a connection without a turn of the
// pool's session, if that needs none: nothing is opened, closed, posted or timed by
// it, and nobody is waiting. To enter the kernel twice for each HTTP request would
// cost more than all the rest that the pool does for one.
//
// It guards the keeper, beside the session's turns, each of which has it from
// beginning to end. At the counter itself nobody waits for long: who meets a turn,
// or what needs one, goes the way of a Call, where contexts, Config.CallTimeout and
// the search for deadlocks bound the wait.
//
// While somebody has it the clock stands still: it would be read several times, and
// each is a twentieth of what a hit costs.
type counter struct {
	mu    sync.Mutex
	clock func() time.Time
	held  time.Time // zero: not read yet
}

// tries at the counter are for those who meet another one there, who is soon gone.
// All of them take less than a microsecond.
const tries = 100

func (k *counter) tryLock() bool {
	for range tries {
		if k.mu.TryLock() {
			return true
		}
	}
	return false
}

func (k *counter) unlock() {
	k.held = time.Time{}
	k.mu.Unlock()
}

func (k *counter) now() time.Time {
	if k.held.IsZero() {
		k.held = k.clock()
	}
	return k.held
}

// turns is the pool's session, which has the counter in each turn.
type turns struct {
	*session.Session
	*counter
}

var _ kernel.Receiver = turns{}

func (t turns) Receive(c *kernel.Context) error {
	t.mu.Lock()
	defer t.unlock()
	return t.Session.Receive(c)
}

func (p *keeper) isShut() bool {
	p.mu.Lock()
	defer p.unlock()
	return p.table.shut
}

// hit is Get's allocate at the counter; nil when it has to go on to ask.
func (p *keeper) hit(o *order) *Conn {
	if !p.tryLock() {
		return nil
	}
	defer p.unlock()
	l := p.lendAtHand(o)
	if l == nil {
		return nil
	}
	p.times.wait.observe(0)
	l.state.Store(taken)
	return l.handle()
}

// lendAtHand lends a sound idle connection, if that is all there is to do.
func (p *keeper) lendAtHand(o *order) *loan {
	if o.fresh || p.pool.cfg.LeakAfter > 0 {
		return nil
	}
	c := p.table.atHand(o.key)
	if c == nil {
		return nil
	}
	e := p.conns[c.id]
	if e.look() != clean { // to be closed
		return nil
	}
	p.table.handOut(c, o.id)
	return e.lend(p.pool, o, c.id)
}

// putBack is release at the counter, of a connection that becomes idle and is looked
// after already; false when there is more to do, and nothing was done.
func (p *keeper) putBack(l *loan) bool {
	if l.as != clean || !p.tryLock() {
		return false
	}
	defer p.unlock()
	e, c := l.open, p.table.conns[l.id]
	if e.loan != l || !p.table.mayRest(c) {
		return false
	}
	due := p.due(p.table.idleTime(c))
	if !p.ticks.cover(due) {
		return false
	}
	e.loan, e.due, e.timer = nil, due, p.table.rest(c)
	return true
}
