package cluster

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/usher-go/usher/kernel"
)

// drainLimit is how long sessions of a shard that is given up may take with what they
// have.
const drainLimit = 2 * time.Second

// placement runs sessions for keys, and finds those of other nodes. Locks are taken in
// this order: a lane's, then mu, then what Strangers and kernel have; or a lane's, then
// a peer's. No other node's, and nothing of the Directory's, is called with mu held.
type placement struct {
	n     *Node
	kinds map[string]*Kind
	names []string // of the kinds
	lanes lanes
	base  time.Time // tenures count from here

	mu      sync.Mutex
	table   *shardTable
	tenures []*tenure                 // of each shard; nil: not owned
	running map[kernel.Address]*keyed // by path
	count   []int                     // of each shard, how many run
	closed  bool                      // nothing is begun any more
	todo    []shardAction
	doing   bool // somebody sees to todo: in order, whoever has decided
}

func newPlacement(n *Node, cfg Config) (*placement, error) {
	if err := checkKinds(cfg.Kinds); err != nil {
		return nil, err
	}
	p := &placement{
		n: n, kinds: map[string]*Kind{}, base: n.k.Now(),
		table:   newShardTable(cfg.Name, len(cfg.Kinds) > 0, cfg.Shards, 2*cfg.Heartbeat),
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

// now is the kernel's time as tenures count it: no setting of the clock moves it.
func (p *placement) now() int64 { return int64(p.n.k.Now().Sub(p.base)) }

// offers are the kinds that this node runs sessions of; none when it leaves.
func (p *placement) offers() []string {
	if p.n.leaving.Load() {
		return nil
	}
	return p.names
}

// reach takes whether another node that runs keys can be reached.
func (p *placement) reach(node string, ok bool) {
	p.mu.Lock()
	changed := p.table.reach(node, ok, p.n.k.Now())
	p.mu.Unlock()
	if changed {
		p.tick()
		p.lanes.hurry()
	}
}

// tick sees to shards that are to be claimed or given up, and to sessions that idle or
// whose time is over.
func (p *placement) tick() {
	if !p.n.ready.Load() {
		return
	}
	now := p.n.k.Now()
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return
	}
	p.todo = append(p.todo, p.table.tick(now)...)
	idle := p.doze()
	over := p.late(func(s *keyed) bool { return !s.tenure.valid(p.now()) || p.leaves(s) })
	p.mu.Unlock()
	for _, l := range idle {
		l.Release()
	}
	p.stop(over)
	p.perform()
}

// doze is the leases of sessions that have idled long enough.
func (p *placement) doze() (list []*kernel.Lease) {
	for _, s := range p.running {
		if s.kind.Idle > 0 && s.takes && !s.dozes.Load() && p.now()-s.last.Load() >= int64(s.kind.Idle) {
			s.dozes.Store(true)
			list = append(list, s.lease)
		}
	}
	slices.SortFunc(list, func(a, b *kernel.Lease) int { return strings.Compare(string(a.Address()), string(b.Address())) })
	return list
}

// late is the sessions that are to end, each once, in order.
func (p *placement) late(ends func(*keyed) bool) (list []*keyed) {
	for _, s := range p.running {
		if s.takes && !s.ends && ends(s) {
			s.ends = true
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(a, b *keyed) int { return strings.Compare(string(a.path), string(b.path)) })
	return list
}

// stop has sessions end, after what they have queued, however much that is.
func (p *placement) stop(list []*keyed) {
	for _, s := range list {
		_ = p.n.k.Tell(s.id, evEnd) // who has ended needs it not
	}
}

// perform does what is to be done with shards, one after the other: the directory is
// told in the order in which it was decided.
func (p *placement) perform() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.doing {
		return
	}
	p.doing = true
	for len(p.todo) > 0 && !p.closed { // then all of it is the directory's
		a := p.todo[0]
		p.todo = p.todo[1:]
		p.mu.Unlock()
		p.do(a)
		p.mu.Lock()
	}
	p.doing, p.todo = false, nil
}

func (p *placement) do(a shardAction) {
	switch a.do {
	case deedClaim:
		p.n.membership.Claim(a.shard)
	case deedRelease:
		p.n.membership.Release(a.shard)
	case deedDrain:
		p.mu.Lock()
		t := p.tenures[a.shard]
		p.mu.Unlock()
		p.stopShard(a.shard)
		p.n.after(drainLimit, func() { p.giveUp(a.shard, t) })
		p.checkDrained(a.shard)
	}
}

// stopShard has a shard's sessions end that are of an earlier tenure, or all if the shard
// is being given up.
func (p *placement) stopShard(shard int) {
	p.mu.Lock()
	list := p.late(func(s *keyed) bool { return s.shard == shard && p.leaves(s) })
	p.mu.Unlock()
	p.stop(list)
}

// leaves reports whether a session is not to stay.
func (p *placement) leaves(s *keyed) bool {
	return s.tenure != p.tenures[s.shard] || p.table.list[s.shard].draining
}

// giveUp ends a drain that takes too long: what runs begins no further event.
func (p *placement) giveUp(shard int, t *tenure) {
	p.mu.Lock()
	stuck := p.table.list[shard].draining && p.tenures[shard] == t
	p.mu.Unlock()
	if stuck {
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
	if len(actions) > 0 {
		p.end(shard)
	}
	p.todo = append(p.todo, actions...)
	p.mu.Unlock()
	p.perform()
	p.lanes.hurryOne(shard)
}

// end ends a tenure.
func (p *placement) end(shard int) {
	if t := p.tenures[shard]; t != nil {
		t.end()
		p.tenures[shard] = nil
	}
}

// owner takes what the directory says of a shard.
func (p *placement) owner(o Ownership) {
	if o.Shard < 0 || o.Shard >= len(p.count) {
		p.n.k.Report("cluster", "shard", fmt.Errorf("the directory speaks of shard %d of %d; let Config.Shards be the same on all nodes", o.Shard, len(p.count)))
		return
	}
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return
	}
	taken, ended := p.table.owner(o)
	if ended {
		p.end(o.Shard)
	}
	drained := ended && p.table.list[o.Shard].draining
	if taken && o.Node == p.n.cfg.Name {
		t := p.tenures[o.Shard]
		if t == nil {
			t = newTenure(o.Epoch)
			p.tenures[o.Shard] = t
		}
		t.extend(int64(o.Deadline.Sub(p.base)))
	}
	p.mu.Unlock()
	if ended {
		p.stopShard(o.Shard)
	}
	if drained {
		p.release(o.Shard) // there is nothing left to wait for
	}
	if taken {
		p.lanes.hurryOne(o.Shard)
	}
}

// leave stops all sessions and gives their shards up, in favour of others.
func (p *placement) leave() {
	if !p.n.leaving.CompareAndSwap(false, true) {
		return
	}
	for _, other := range p.n.list() {
		other.tell(msgKinds, []string{})
	}
	p.mu.Lock()
	p.todo = append(p.todo, p.table.leave()...)
	p.mu.Unlock()
	p.perform()
}

// left reports whether no shard is owned any more, and nothing waits that another node
// might take.
func (p *placement) left() bool {
	p.mu.Lock()
	owned, to := len(p.table.owned()), len(p.table.nodes)
	p.mu.Unlock()
	return owned == 0 && (to == 0 || p.lanes.empty())
}

// close ends everything at once: from here on others may own what this node has owned.
func (p *placement) close() {
	p.mu.Lock()
	p.closed = true
	for i := range p.tenures {
		p.end(i)
	}
	over := p.late(func(*keyed) bool { return true })
	var waits []waiter
	for _, s := range p.running {
		waits = append(waits, s.waits...)
		s.waits = nil
	}
	p.mu.Unlock()
	p.stop(over)
	for _, w := range waits {
		w.lost(ErrLeft)
	}
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
		list = append(list, KeyStatus{Kind: s.key.Kind, Key: s.key.Key, Shard: s.shard, Epoch: s.key.Epoch, ID: s.id, Since: s.since})
	}
	slices.SortFunc(list, func(a, b KeyStatus) int {
		return strings.Compare(a.Kind+"/"+a.Key, b.Kind+"/"+b.Key)
	})
	return list
}

// maxKeyStatus bounds what Status lists.
const maxKeyStatus = 1000
