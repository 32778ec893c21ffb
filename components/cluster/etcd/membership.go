package etcd

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/usher-go/usher/components/cluster"
)

// jitter is the longest wait before a shard is claimed that has just become free.
const jitter = 50 * time.Millisecond

// membership has two goroutines: loop, which owns the table and is the only one that
// tells the host something, and stayIn, which keeps a session with etcd.
type membership struct {
	cfg  Config
	keys keys
	self cluster.Member
	host cluster.Host

	inbox   *queue[func()] // for loop
	joined  chan struct{}  // closed by loop at the first registration
	refused chan error     // from stayIn: Join is to fail

	// loop's own
	table    *table
	session  *session // which table goes by; nil: there is none
	troubles troubles
	later    func() bool // stops the timer of tryLater; nil: none runs

	// stayIn's own, and leave's after it
	client *clientv3.Client
	lease  clientv3.LeaseID // not known to be gone
	holder holder
	epoch  uint64 // of this start; 0: not known yet
	cause  error  // of the last try's failure

	ctx     context.Context
	stop    context.CancelFunc
	running sync.WaitGroup
	leaving sync.Once
	result  error // of leaving
}

var _ cluster.Membership = (*membership)(nil)

func newMembership(cfg Config, self cluster.Member, h cluster.Host) *membership {
	m := &membership{
		cfg: cfg, keys: newKeys(cfg.Prefix), self: self, host: h,
		inbox: newQueue[func()](), joined: make(chan struct{}), refused: make(chan error, 1),
		table: newTable(self), troubles: troubles{}, client: cfg.Client, epoch: self.Epoch,
	}
	m.ctx, m.stop = context.WithCancel(context.Background())
	return m
}

func (m *membership) begin() {
	m.running.Go(m.loop)
	m.running.Go(m.stayIn)
}

func (m *membership) Claim(shard int) {
	m.inbox.put(func() { m.perform(m.table.claim(shard)) })
}

func (m *membership) Release(shard int) {
	m.inbox.put(func() { m.perform(m.table.release(shard)) })
}

// Receive has nothing to take: nodes meet in etcd only.
func (m *membership) Receive(string, []byte) {}

// loop does one thing after the other, and nothing of it blocks.
func (m *membership) loop() {
	defer func() {
		if m.later != nil {
			m.later()
		}
	}()
	for {
		select {
		case <-m.inbox.ready:
		case <-m.ctx.Done():
			return
		}
		for _, f := range m.inbox.take() {
			if m.ctx.Err() != nil {
				return
			}
			m.checkDeadline()
			f()
		}
	}
}

// during has loop do something, unless the session is over by then.
func (m *membership) during(s *session, f func()) {
	m.inbox.put(func() {
		if m.session == s {
			f()
		}
	})
}

// checkDeadline is for a process that was stopped for a while: what it does first
// must not be to act on what it owned before.
func (m *membership) checkDeadline() {
	if m.session != nil && !m.host.Now().Before(m.table.deadline) {
		m.lose(m.session, errDeadline)
	}
}

// lose ends a session.
func (m *membership) lose(s *session, cause error) {
	s.end(cause)
	if m.session != s {
		return
	}
	m.session = nil
	m.host.Failed(fmt.Errorf("etcd: node %q: %w: %w; it registers again", m.self.Name, ErrLeaseLost, cause))
	m.perform(m.table.closed())
}

func (m *membership) perform(actions []action) {
	for _, a := range actions {
		switch a := a.(type) {
		case tellMembers:
			m.host.Members(a)
		case tellOwner:
			m.host.Owner(cluster.Ownership(a))
		case report:
			m.host.Failed(a.err)
		case work:
			if m.session != nil {
				m.session.jobs.put(a...)
			}
		case tryLater:
			m.tryLater()
		case giveUp:
			if m.session != nil {
				m.lose(m.session, a.err)
			}
		}
	}
}

func (m *membership) tryLater() {
	if m.later != nil {
		return
	}
	m.later = m.host.AfterFunc(time.Duration(m.host.Chance(int64(jitter))), func() {
		m.inbox.put(func() {
			m.later = nil
			m.perform(m.table.due())
		})
	})
}

// stayIn registers the node, again and again if need be.
func (m *membership) stayIn() {
	wait := pause{chance: m.host.Chance}
	for m.ctx.Err() == nil {
		s, err := m.open(m.ctx)
		m.trouble(atRegistry, err)
		if m.cause == nil || m.ctx.Err() == nil {
			m.cause = err
		}
		if errors.Is(err, ErrNameTaken) {
			select {
			case m.refused <- err:
			default: // Join has returned
			}
		}
		switch {
		case errors.As(err, new(quiet)):
			sleep(m.ctx, m.cfg.TTL/10)
		case err != nil:
			wait.wait(m.ctx)
		default:
			wait.reset()
			s.run()
		}
	}
}

// Leave takes the node's keys out of etcd. When ctx ends before, or etcd does not
// answer for the TTL, they go with the lease. Later calls return what the first did.
func (m *membership) Leave(ctx context.Context) error {
	m.leaving.Do(func() { m.result = m.leave(ctx) })
	return m.result
}

func (m *membership) leave(ctx context.Context) error {
	m.stop()
	m.running.Wait()
	var err error
	if m.lease != 0 {
		ctx, cancel := context.WithTimeout(ctx, m.cfg.TTL) // the lease has ended by then
		defer cancel()
		if err = revoke(ctx, m.client, m.lease); err != nil {
			err = fmt.Errorf("etcd: node %q: its keys stay for up to %v: %w", m.self.Name, m.cfg.TTL, err)
		}
	}
	if m.client != nil && m.cfg.Client == nil {
		_ = m.client.Close() // says only that it is closed
	}
	return err
}

// revoke ends a lease and removes its keys.
func revoke(ctx context.Context, c *clientv3.Client, lease clientv3.LeaseID) error {
	_, err := c.Revoke(ctx, lease)
	if errors.Is(err, rpctypes.ErrLeaseNotFound) {
		return nil
	}
	return understand("revoking the lease", err)
}
