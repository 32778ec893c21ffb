package cluster

import (
	"sync"
	"time"
)

// staticMember performs what a leaseTable decides.
type staticMember struct {
	host    Host
	list    []Member
	index   map[string]int
	cluster uint64
	base    time.Time // the table's zero

	mu         sync.Mutex
	table      *leaseTable
	now        time.Duration
	acts       []leaseAction
	failures   []error
	complaints map[string]bool // what the host has heard already

	// One goroutine at a time calls the host, without mu, so that what it hears is
	// in order, and so that it may call back.
	busy  bool
	armed time.Duration // when the timer is due, leaseForever without one
	stop  func() bool
	left  bool
	idle  chan struct{} // closed when it has left and nobody is busy
}

// do lets f change the table, then performs what it wants, unless another call that
// is under way does.
func (m *staticMember) do(f func(now time.Duration) []leaseAction) {
	m.mu.Lock()
	if m.left {
		m.mu.Unlock()
		return
	}
	m.now = max(m.now, m.host.Now().Sub(m.base))
	m.acts = append(m.acts, f(m.now)...)
	if !m.busy {
		m.busy = true
		for m.perform() {
		}
		m.busy = false
		if m.left {
			close(m.idle)
		}
	}
	m.mu.Unlock()
}

// perform does all that there is to do now, with mu released meanwhile, and says
// whether there was anything.
func (m *staticMember) perform() bool {
	acts, letters, failures := m.acts, m.table.letters(m.acts), m.failures
	m.acts, m.failures = nil, nil
	due, timed := m.table.next()
	if !timed || m.left {
		due = leaseForever
	}
	stop, rearm := m.stop, due != m.armed
	if len(acts) == 0 && len(failures) == 0 && !rearm {
		return false
	}
	now := m.now
	m.armed = due
	m.mu.Unlock()

	for _, l := range letters {
		// Not sent is as good as lost: it is asked for again.
		_ = m.host.Send(m.list[l.to].Name, l.encode(m.cluster))
	}
	for _, a := range acts {
		if a.to == leaseTell {
			m.host.Owner(m.ownership(a.tell))
		}
	}
	for _, err := range failures {
		m.host.Failed(err)
	}
	if rearm && stop != nil {
		stop()
	}
	if rearm && due != leaseForever {
		stop = m.host.AfterFunc(max(0, due-now), func() { m.wake(due) })
	}

	m.mu.Lock()
	m.stop = stop
	return true
}

// wake is the timer that was armed for due.
func (m *staticMember) wake(due time.Duration) {
	m.do(func(now time.Duration) []leaseAction {
		if m.armed == due {
			m.armed = leaseForever
		}
		return m.table.turn(now)
	})
}

func (m *staticMember) ownership(o leaseOwner) Ownership {
	out := Ownership{Shard: o.shard, Epoch: uint64(o.ballot)}
	if o.node != leaseNobody {
		out.Node = m.list[o.node].Name
	}
	if o.node == m.table.self {
		out.Deadline = m.base.Add(o.deadline)
	}
	return out
}

// complain reports an error once.
func (m *staticMember) complain(err error) {
	const enough = 100 // of what others cause
	if text := err.Error(); !m.complaints[text] && len(m.complaints) < enough {
		m.complaints[text] = true
		m.failures = append(m.failures, err)
	}
}
