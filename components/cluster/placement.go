package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel/filter"
)

// drainLimit is how long sessions of a shard that is given up may take with what they
// have.
const drainLimit = 2 * time.Second

// maxWaits is how many events may wait for one session to be started.
const maxWaits = 10_000

// placement runs sessions for keys, and finds those of other nodes.
type placement struct {
	n     *Node
	kinds map[string]*Kind
	names []string // of the kinds
	lanes lanes

	mu      sync.Mutex
	table   *shardTable
	tenures []*tenure                 // of each shard; nil: not owned
	running map[kernel.Address]*keyed // by path
	count   []int                     // of each shard, how many run
}

func newPlacement(n *Node, cfg Config) (*placement, error) {
	if err := checkKinds(cfg.Kinds); err != nil {
		return nil, err
	}
	p := &placement{
		n: n, kinds: map[string]*Kind{},
		table:   newShardTable(cfg.Name, len(cfg.Kinds) > 0, cfg.Shards, 2*cfg.Heartbeat, n.k.Now()),
		tenures: make([]*tenure, cfg.Shards),
		running: map[kernel.Address]*keyed{},
		count:   make([]int, cfg.Shards),
	}
	for i := range cfg.Kinds {
		p.kinds[cfg.Kinds[i].Name] = &cfg.Kinds[i]
		p.names = append(p.names, cfg.Kinds[i].Name)
	}
	p.lanes.init(p, cfg.Shards)
	return p, nil
}

// reach takes whether another node that runs keys can be reached.
func (p *placement) reach(node string, ok bool) {
	p.mu.Lock()
	p.table.reach(node, ok, p.n.k.Now())
	p.mu.Unlock()
	p.tick()
	p.lanes.hurry()
}

// tick sees to shards that are to be claimed or given up, and to sessions that idle.
func (p *placement) tick() {
	now := p.n.k.Now()
	p.mu.Lock()
	actions := p.table.tick(now)
	idle := p.idlers(now)
	p.mu.Unlock()
	p.perform(actions)
	for _, l := range idle {
		l.Release()
	}
}

// idlers are the leases of sessions that have idled long enough.
func (p *placement) idlers(now time.Time) []*kernel.Lease {
	var list []*kernel.Lease
	for _, s := range p.running {
		if s.kind.Idle > 0 && !s.idle && s.started && now.UnixNano()-s.last.Load() >= int64(s.kind.Idle) {
			s.idle = true
			list = append(list, s.lease)
		}
	}
	return list
}

func (p *placement) perform(actions []shardAction) {
	for _, a := range actions {
		switch a.do {
		case deedClaim:
			p.n.membership.Claim(a.shard)
		case deedRelease:
			p.n.membership.Release(a.shard)
		case deedDrain:
			p.stop(a.shard, false)
			p.n.after(drainLimit, func() { p.giveUp(a.shard) })
			p.checkDrained(a.shard)
		}
	}
}

// stop ends a shard's sessions: after what they have queued, or, at once, with an end of
// their tenure.
func (p *placement) stop(shard int, atOnce bool) {
	p.mu.Lock()
	if t := p.tenures[shard]; atOnce && t != nil {
		t.deadline.Store(0)
		p.tenures[shard] = nil
	}
	var leases []*kernel.Lease
	for _, s := range p.running {
		if s.shard == shard && s.started {
			leases = append(leases, s.lease)
		}
	}
	p.mu.Unlock()
	slices.SortFunc(leases, func(a, b *kernel.Lease) int { return cmp.Compare(a.Address(), b.Address()) })
	for _, l := range leases {
		_ = l.Post(evEnd) // who has ended needs none
	}
}

// giveUp ends a drain that takes too long: what runs begins no further event.
func (p *placement) giveUp(shard int) {
	p.mu.Lock()
	stuck := p.table.list[shard].draining
	p.mu.Unlock()
	if stuck {
		p.stop(shard, true)
		p.release(shard)
	}
}

// checkDrained gives a shard up that nothing runs for any more.
func (p *placement) checkDrained(shard int) {
	p.mu.Lock()
	over := p.count[shard] == 0
	p.mu.Unlock()
	if over {
		p.release(shard)
	}
}

func (p *placement) release(shard int) {
	p.mu.Lock()
	actions := p.table.drained(shard)
	if t := p.tenures[shard]; t != nil && len(actions) > 0 {
		t.deadline.Store(0)
		p.tenures[shard] = nil
	}
	p.mu.Unlock()
	p.perform(actions)
}

// owner takes what the directory says of a shard.
func (p *placement) owner(o Ownership) {
	if o.Shard < 0 || o.Shard >= len(p.count) {
		p.n.k.Report("cluster", "shard", fmt.Errorf("the directory speaks of shard %d of %d; let Config.Shards be the same on all nodes", o.Shard, len(p.count)))
		return
	}
	p.mu.Lock()
	ended := p.table.owner(o)
	t := p.tenures[o.Shard]
	if o.Node == p.n.cfg.Name && p.table.list[o.Shard].Epoch == o.Epoch {
		if t == nil || t.epoch != o.Epoch {
			if t != nil {
				t.deadline.Store(0)
			}
			t = &tenure{epoch: o.Epoch}
			p.tenures[o.Shard] = t
		}
		t.deadline.Store(max(t.deadline.Load(), o.Deadline.UnixNano()))
	} else if ended && t != nil {
		t.deadline.Store(0)
		p.tenures[o.Shard] = nil
	}
	p.mu.Unlock()
	if ended {
		p.stop(o.Shard, false)
	}
	p.lanes.hurryOne(o.Shard)
}

// leave stops all sessions and gives their shards up.
func (p *placement) leave() {
	p.mu.Lock()
	actions := p.table.leave()
	p.mu.Unlock()
	p.perform(actions)
}

// left reports whether no shard is owned any more.
func (p *placement) left() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.table.owned()) == 0
}

// ended is called when a session has had its _stop.
func (p *placement) ended(s *keyed) {
	p.mu.Lock()
	if p.running[s.path] == s {
		delete(p.running, s.path)
		p.count[s.shard]--
	}
	lease, waits := s.lease, s.waits
	s.waits = nil
	draining := p.table.list[s.shard].draining
	p.mu.Unlock()
	if lease != nil {
		lease.Release()
	}
	for _, w := range waits {
		_ = w("") // nobody: an error, which is reported
	}
	if draining {
		p.checkDrained(s.shard)
	}
}

// deliver has then told the ID of the session for a path, at once or when it is started;
// "" when it ends before. Its error, or then's, says that nothing came of it.
func (p *placement) deliver(path kernel.Address, then func(kernel.Address) error) error {
	kind, key, err := keyOf(path)
	if err != nil {
		return err
	}
	i := shardOf(string(path), len(p.count))
	p.mu.Lock()
	defer p.mu.Unlock()
	t, k, s := p.tenures[i], p.kinds[kind], p.running[path]
	switch {
	case t == nil || !p.table.owns(i, p.n.k.Now()):
		return errNotOwner
	case k == nil:
		return fmt.Errorf("%w: node %s owns the key and offers no kind %q; let all nodes that offer kinds offer the same", kernel.ErrNoSession, p.n.cfg.Name, kind)
	case s == nil:
		s = &keyed{p: p, kind: k, path: path, key: Key{kind, key, t.epoch}, shard: i, tenure: t, since: p.n.k.Now()}
		s.waits = append(s.waits, then)
		p.running[path] = s
		p.count[i]++
		return p.n.inside(func(c *kernel.Context) { p.start(c, s) })
	case s.tenure != t:
		return errNotOwner // one of an earlier tenure is still ending
	case s.started:
		if err = then(s.lease.Address()); errors.Is(err, kernel.ErrNoSession) {
			return errNotOwner // it has just ended: the next try starts another
		}
		return err
	case len(s.waits) >= maxWaits:
		return fmt.Errorf("%w: %d events wait for %s to start", kernel.ErrQueueFull, maxWaits, path)
	}
	s.waits = append(s.waits, then)
	return nil
}

// start spawns a session, and delivers what waits for it.
func (p *placement) start(c *kernel.Context, s *keyed) {
	s.recv = s.kind.New(s.key)
	lease, err := p.spawn(c, s)
	p.mu.Lock()
	waits := s.waits
	s.waits = nil
	if err != nil {
		delete(p.running, s.path)
		p.count[s.shard]--
		p.mu.Unlock()
		p.n.k.Report("cluster", "session of a key did not start", fmt.Errorf("%s: %w", s.path, err))
		for _, w := range waits {
			_ = w("")
		}
		return
	}
	s.lease, s.started = lease, true
	for _, w := range waits {
		_ = w(lease.Address()) // whoever waits says what could not be delivered
	}
	over := s.tenure != p.tenures[s.shard] || p.table.list[s.shard].draining
	p.mu.Unlock()
	if over {
		_ = lease.Post(evEnd)
	}
}

func (p *placement) spawn(c *kernel.Context, s *keyed) (*kernel.Lease, error) {
	if c == nil {
		return p.n.k.SpawnHeld(s, s.kind.Options...)
	}
	id, err := c.Spawn(s, s.kind.Options...)
	if err != nil {
		return nil, err
	}
	return c.LeaseOn(id, string(s.path))
}

// status is the sessions that run here, by path; at most maxKeyStatus.
func (p *placement) status() []KeyStatus {
	p.mu.Lock()
	defer p.mu.Unlock()
	var list []KeyStatus
	for _, s := range p.running {
		if len(list) == maxKeyStatus {
			break
		}
		k := KeyStatus{Kind: s.key.Kind, Key: s.key.Key, Shard: s.shard, Epoch: s.key.Epoch, Since: s.since}
		if s.started {
			k.ID = s.lease.Address()
		}
		list = append(list, k)
	}
	slices.SortFunc(list, func(a, b KeyStatus) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Key, b.Key))
	})
	return list
}

// maxKeyStatus bounds what Status lists.
const maxKeyStatus = 1000

// local is the ID of the session for a path, if it runs here and nothing is under way to
// it that a post to the ID could overtake.
func (p *placement) local(path kernel.Address) (kernel.Address, bool) {
	i := shardOf(string(path), len(p.count))
	if p.lanes.busy(i) || p.n.own.waiting() > 0 {
		return "", false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.running[path]
	if s == nil || !s.started || s.tenure != p.tenures[i] || !p.table.owns(i, p.n.k.Now()) {
		return "", false
	}
	return s.lease.Address(), true
}

// arrive takes an event, or a call, of another node for a key. recv is held.
func (p *placement) arrive(from *peer, a Arrival, f filter.Frame, stream uint64) error {
	i := shardOf(string(a.To), len(p.count))
	if f.ID == 0 && stream <= from.streams[i] {
		return errNotOwner // it came behind one that was refused
	}
	sender := from.strangers.from(a.From)
	var err error
	if f.ID != 0 {
		err = p.deliver(a.To, func(id kernel.Address) error {
			return from.start(f.ID, func(ctx context.Context, c *kernel.Context) (any, error) {
				return callAs(ctx, c, sender, id, a, f.Cause)
			})
		})
	} else {
		err = p.deliver(a.To, func(id kernel.Address) error {
			if id == "" {
				p.n.lose(kernel.Outgoing{From: a.From, To: a.To + "@" + ownerNode, Event: a.Event, Args: a.Args, Cause: f.Cause}, kernel.ErrStopped)
				return nil
			}
			return from.strangers.postAs(sender, id, a, f.Cause)
		})
	}
	if err != nil && f.ID == 0 && elsewhere(err) {
		from.streams[i] = stream
	}
	return err
}

func callAs(ctx context.Context, c *kernel.Context, sender *kernel.Stranger, id kernel.Address, a Arrival, cause uint64) (any, error) {
	var v any
	err := error(errNotOwner)
	switch {
	case id == "":
	case c != nil:
		v, err = sender.CallIn(c, ctx, id, cause, a.Event, a.Args...)
	default:
		v, err = sender.Call(ctx, id, cause, a.Event, a.Args...)
	}
	var own *kernel.PostError
	if errors.As(err, &own) && own.To == id && errors.Is(err, kernel.ErrNoSession) {
		err = errNotOwner // it has just ended
	}
	return v, err
}
