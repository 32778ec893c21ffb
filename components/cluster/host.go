package cluster

import (
	"errors"
	"fmt"

	"github.com/usher-go/usher/kernel"
)

// waiter is an event or a call for a session that may have to be started first. One of
// its functions is called, once: post with placement.mu held, and if that has an
// error, or there is no session to post to, lost.
type waiter struct {
	call bool // it wakes a session that has idled, and may be repeated if that ends
	post func(id kernel.Address) error
	lost func(error)
}

// maxWaits is how many may wait for one session.
const maxWaits = 10_000

// deliver has the session for a path get an event. Where it has to be started for that,
// it is the caller's to see to it. An error says that nothing came of it.
func (p *placement) deliver(path kernel.Address, w waiter) (start *keyed, err error) {
	kind, key, err := keyOf(path)
	if err != nil {
		return nil, err
	}
	i := shardOf(string(path), len(p.count))
	p.mu.Lock()
	defer p.mu.Unlock()
	t, k, s := p.tenures[i], p.kinds[kind], p.running[path]
	switch {
	case p.closed || t == nil || !p.table.owns(i, p.n.k.Now()):
		return nil, errNotOwner
	case k == nil:
		return nil, fmt.Errorf("%w: node %s owns the key and offers no kind %q; let all nodes that offer kinds offer the same", kernel.ErrNoSession, p.n.cfg.Name, kind)
	case s == nil:
		s = p.add(path, k, Key{kind, key, t.epoch}, i, t)
		start = s
	case s.tenure != t:
		return nil, errNotOwner // one of an earlier tenure is still ending
	case s.takes && (w.call || !s.dozes.Load()):
		if err = w.post(s.id); errors.Is(err, kernel.ErrNoSession) {
			return nil, errNotOwner // it has just ended: the next try starts another
		}
		return nil, err
	case len(s.waits) >= maxWaits:
		return nil, fmt.Errorf("%w: %d events wait for %s to start", kernel.ErrQueueFull, maxWaits, path)
	}
	s.waits = append(s.waits, w)
	if s.dozes.Load() && !s.asked {
		s.asked = true
		_ = p.n.k.Post(s.id, evBegin) // it wakes, or ends
	}
	return start, nil
}

func (p *placement) add(path kernel.Address, k *Kind, key Key, shard int, t *tenure) *keyed {
	s := &keyed{p: p, kind: k, path: path, key: key, shard: shard, tenure: t, since: p.n.k.Now(), fresh: true}
	p.running[path] = s
	p.count[shard]++
	return s
}

// begin has a session started where it harms nobody.
func (p *placement) begin(s *keyed) {
	if s == nil {
		return
	}
	if err := p.n.inside(func(*kernel.Context) { p.start(s) }); err != nil {
		p.n.k.AfterFunc(0, func() { p.unstarted(s, err) }) // a lane may be locked
	}
}

// start spawns a session on this goroutine, unless somebody does so already.
func (p *placement) start(s *keyed) {
	p.mu.Lock()
	begun := s.begun
	s.begun = true
	p.mu.Unlock()
	if begun {
		return
	}
	err := errors.New("its _start did not return")
	defer func() {
		if err != nil {
			p.unstarted(s, err)
		}
	}()
	options := s.kind.Options
	if s.kind.Supervise != nil {
		options = append(options[:len(options):len(options)], kernel.Supervise(s.kind.Supervise, s.again))
	}
	_, err = p.n.k.Spawn(s, options...)
}

// unstarted takes a session away that is none.
func (p *placement) unstarted(s *keyed, err error) {
	waits, _ := p.remove(s, false)
	p.n.k.Report("cluster", "session of a key did not start", fmt.Errorf("%s: %w", s.path, err))
	why := errNotOwner // a call is made again: its time was over, or its storage says so
	if !errors.Is(err, ErrNotOwner) {
		why = fmt.Errorf("%w: %s did not start: %v", kernel.ErrStopped, s.path, err)
	}
	for _, w := range waits {
		w.lost(why)
	}
}

// starting notes the ID of a session whose _start begins.
func (p *placement) starting(s *keyed, id kernel.Address) {
	p.mu.Lock()
	s.id = id
	p.mu.Unlock()
}

// started posts what has waited for a session.
func (p *placement) started(s *keyed, l *kernel.Lease) {
	p.mu.Lock()
	if s.takes { // a restart, which leases outlive
		p.mu.Unlock()
		l.Release()
		return
	}
	s.lease, s.takes = l, true
	s.ends = p.leaves(s)
	over := s.ends
	p.flush(s)
	if over {
		p.stop([]*keyed{s})
	}
}

// awake goes on with a session that has idled.
func (p *placement) awake(s *keyed, l *kernel.Lease) {
	p.mu.Lock()
	s.lease, s.asked = l, false
	s.dozes.Store(false)
	s.more = s.ends && len(s.waits) > 0
	p.flush(s)
}

// more reports whether a session that is to end has got more events since it was told.
func (p *placement) more(s *keyed) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	more := s.more
	s.more = false
	return more
}

// flush posts what waits. It releases the lock.
func (p *placement) flush(s *keyed) {
	waits := s.waits
	s.waits = nil
	errs := make([]error, len(waits))
	for i, w := range waits {
		errs[i] = w.post(s.id)
	}
	p.mu.Unlock()
	for i, err := range errs {
		if err != nil {
			waits[i].lost(err)
		}
	}
}

// ending is called when a session is to end: what comes for it waits for the next one.
func (p *placement) ending(s *keyed) {
	p.mu.Lock()
	s.takes, s.ends = false, true
	p.mu.Unlock()
}

// ended is called when a session has had its _stop.
func (p *placement) ended(s *keyed) {
	if s.lease != nil {
		s.lease.Release()
	}
	waits, next := p.remove(s, true)
	if next != nil {
		p.begin(next)
	}
	for _, w := range waits {
		w.lost(errNotOwner)
	}
}

// remove takes a session away that has ended. What waits is for another one, where there
// may be one.
func (p *placement) remove(s *keyed, goOn bool) (waits []waiter, next *keyed) {
	p.mu.Lock()
	waits, s.waits = s.waits, nil
	if p.running[s.path] != s {
		p.mu.Unlock()
		return waits, nil
	}
	delete(p.running, s.path)
	p.count[s.shard]--
	if goOn && len(waits) > 0 && !p.closed && s.tenure == p.tenures[s.shard] && s.tenure.valid(p.now()) {
		next = p.add(s.path, s.kind, s.key, s.shard, s.tenure)
		next.waits, waits = waits, nil
	}
	draining := p.table.list[s.shard].draining
	p.mu.Unlock()
	if draining {
		p.checkDrained(s.shard)
	}
	return waits, next
}

// local is the ID of the session for a path, if it runs here and events need not queue
// for it. In simulated mode they all go by the lanes: what a session posts itself, and
// what its Stranger does, would be two senders whose order is the seed's.
func (p *placement) local(path kernel.Address) (kernel.Address, bool) {
	i := shardOf(string(path), len(p.count))
	if p.n.k.Mode() == kernel.Simulated || p.lanes.busy(i) {
		return "", false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.running[path]
	if s == nil || !s.takes || s.dozes.Load() || s.tenure != p.tenures[i] || !p.table.owns(i, p.n.k.Now()) {
		return "", false
	}
	return s.id, true
}
