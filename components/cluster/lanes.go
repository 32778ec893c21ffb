package cluster

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel/filter"
)

// lanes are this node's ways to the shards.
type lanes struct {
	p     *placement
	list  []lane
	bytes atomic.Int64 // of what is not under way
	full  atomic.Bool  // somebody got ErrQueueFull and is to hear when that is over
}

// A lane is this node's way to one shard. Events go to the shard's owner, as far as it is
// known. One that a node does not take because it does not own the shard was not handled,
// and is sent again, to whoever owns it then; those behind it wait, so that their order
// holds. For the same reason a node that has refused one takes no other of that stream:
// the next attempt is another stream, once the fate of all that was sent is known. To a
// node that has not taken any yet one event goes ahead, so that what waits does not travel
// in vain.
type lane struct {
	p     *placement
	shard int

	mu      sync.Mutex
	stream  uint64
	node    string   // where what is under way goes
	sent    int      // under way
	took    string   // the node that has taken the last one; "" when it was refused
	refused []*onWay // of what was under way
	waits   []*onWay // to be sent, in order
	next    uint64   // number of the next event
	armed   bool     // there will be a try
	delay   time.Duration
	closed  bool
}

// onWay is an event for a key that waits for its fate.
type onWay struct {
	number uint64
	path   kernel.Address
	o      kernel.Outgoing
	size   int // on the wire
	until  time.Time
	err    error // why it was not taken the last time
}

const (
	firstTry = 5 * time.Millisecond
	lastTry  = 250 * time.Millisecond
)

func (l *lanes) init(p *placement, shards int) {
	l.p = p
	l.list = make([]lane, shards)
	for i := range l.list {
		n := &l.list[i]
		n.p, n.shard, n.stream, n.delay = p, i, 1, firstTry
	}
}

// busy reports whether something is under way to a shard, or waits.
func (l *lanes) busy(i int) bool { return l.list[i].outstanding() > 0 }

// empty reports whether nothing is under way to any.
func (l *lanes) empty() bool {
	for i := range l.list {
		if l.busy(i) {
			return false
		}
	}
	return true
}

// hurry tries all lanes: something has changed.
func (l *lanes) hurry() {
	for i := range l.list {
		l.hurryOne(i)
	}
}

func (l *lanes) hurryOne(i int) {
	n := &l.list[i]
	n.mu.Lock()
	defer n.mu.Unlock()
	n.delay = firstTry
	n.try(nil)
}

// drained reports, once, that there is room again after ErrQueueFull.
func (l *lanes) drained() bool {
	cfg := &l.p.n.cfg
	if !l.full.Load() || l.bytes.Load() > int64(cfg.MaxOutstandingBytes/2) {
		return false
	}
	for i := range l.list {
		if l.list[i].outstanding() > cfg.MaxOutstanding/2 {
			return false
		}
	}
	return l.full.Swap(false)
}

// close gives up what waits: the node has left.
func (l *lanes) close() {
	for i := range l.list {
		n := &l.list[i]
		n.mu.Lock()
		n.closed = true
		n.try(nil)
		n.mu.Unlock()
	}
}

// longestStream is the most that send puts behind an address.
const longestStream = "/18446744073709551615"

// post takes an event for a key.
func (p *placement) post(o kernel.Outgoing) error {
	path, _ := split(o.To)
	if _, _, err := keyOf(path); err != nil {
		return err
	}
	args, err := pack(o.Args)
	if err != nil {
		return err
	}
	f := filter.Frame{Name: o.Event, Args: args, Cause: o.Cause, To: string(o.To) + longestStream, From: string(o.From)}
	b, err := p.n.writer.Append(nil, f)
	if err != nil {
		return encodingError(err)
	}
	return p.lanes.list[shardOf(string(path), len(p.lanes.list))].post(path, o, len(b))
}

func (n *lane) post(path kernel.Address, o kernel.Outgoing, size int) error {
	cfg, all := &n.p.n.cfg, &n.p.lanes
	n.mu.Lock()
	defer n.mu.Unlock()
	switch bytes := all.bytes.Load(); {
	case n.closed:
		return ErrLeft
	case n.count() >= cfg.MaxOutstanding:
		all.full.Store(true)
		return fmt.Errorf("%w: %d events wait for the owner of shard %d (Config.MaxOutstanding)", kernel.ErrQueueFull, cfg.MaxOutstanding, n.shard)
	case len(n.waits) > 0 && bytes >= int64(cfg.MaxOutstandingBytes):
		all.full.Store(true)
		return fmt.Errorf("%w: %d bytes of events wait for owners of their keys (Config.MaxOutstandingBytes)", kernel.ErrQueueFull, bytes)
	}
	n.next++
	e := &onWay{number: n.next, path: path, o: o, size: size, until: n.p.n.k.Now().Add(cfg.CallTimeout)}
	n.waits = append(n.waits, e)
	all.bytes.Add(int64(size))
	if len(n.waits) == 1 {
		return n.try(e)
	}
	return nil
}

func (n *lane) count() int { return n.sent + len(n.refused) + len(n.waits) }

func (n *lane) outstanding() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.count()
}

// try sends what waits, as far as it can be sent. Its error is that of an event which is
// just being posted, and will never be sent; others are reported. mu is held.
func (n *lane) try(fresh *onWay) error {
	target := n.p.target(n.shard)
	for len(n.waits) > 0 {
		e := n.waits[0]
		switch err := n.send(e, target); {
		case err == nil:
			if target == n.p.n.cfg.Name {
				n.delay = firstTry // elsewhere it is known when the event was taken
			}
			n.shift()
		case err == errWait:
			return nil // until the fate of what is under way is known
		case elsewhere(err) || e != fresh && errors.Is(err, errFull):
			e.err = err
			n.arm()
			return nil
		default:
			n.shift()
			if e == fresh {
				return err
			}
			n.p.n.lose(e.o, err)
		}
	}
	return nil
}

// shift takes the first event that waits away.
func (n *lane) shift() {
	n.p.lanes.bytes.Add(-int64(n.waits[0].size))
	n.waits[0] = nil
	if n.waits = n.waits[1:]; len(n.waits) == 0 {
		n.waits = nil
	}
}

var (
	errWait   = errors.New("its turn has not come")
	errFull   = errors.New("the link is full")
	errNobody = fmt.Errorf("%w: no node that can be reached runs keys", kernel.ErrNoNode)
)

// send sends one event to a node.
func (n *lane) send(e *onWay, target string) error {
	p := n.p
	switch {
	case n.closed:
		return ErrLeft
	case n.sent > 0 && (n.node != target || n.took != target):
		return errWait
	case !p.n.k.Now().Before(e.until):
		return tooLong(e)
	case target == "":
		return errNobody
	case target == p.n.cfg.Name:
		return n.sendHere(e)
	}
	other := p.n.peer(target)
	if other == nil {
		return errNobody
	}
	n.node = target
	err := other.post(fmt.Sprintf("%s@%s/%d", e.path, ownerNode, n.stream), 0, e.o, func(err error) { n.fate(e, err) })
	switch {
	case err == nil:
		n.sent++
	case errors.Is(err, kernel.ErrQueueFull):
		return fmt.Errorf("%w: %w", errFull, err)
	}
	return err
}

func (n *lane) sendHere(e *onWay) error {
	p := n.p
	start, err := p.deliver(e.path, waiter{
		post: func(id kernel.Address) error {
			return p.n.own.post(Arrival{From: e.o.From, To: id, Event: e.o.Event, Args: e.o.Args}, e.o.Cause)
		},
		lost: func(err error) { p.n.lose(e.o, err) },
	})
	p.begin(start)
	return err
}

func tooLong(e *onWay) error {
	if e.err == nil {
		e.err = errNotOwner
	}
	return fmt.Errorf("no node took it for too long: %v", e.err)
}

// target is the node for a shard; "" for none.
func (p *placement) target(i int) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.table.route(i)
}

// fate is what became of an event that was sent.
func (n *lane) fate(e *onWay, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.sent--
	switch {
	case err == nil:
		if n.delay = firstTry; len(n.refused) == 0 {
			n.took = n.node
		}
	case elsewhere(err):
		e.err, n.took = err, ""
		n.refused = append(n.refused, e)
		n.p.lanes.bytes.Add(int64(e.size))
	default:
		n.p.n.lose(e.o, err)
	}
	if n.sent > 0 {
		return
	}
	if len(n.refused) > 0 { // all of these are older than what waits
		slices.SortFunc(n.refused, func(a, b *onWay) int { return cmp.Compare(a.number, b.number) })
		n.waits = append(n.refused, n.waits...)
		n.refused = nil
		n.stream++
		n.arm()
	} else if len(n.waits) > 0 && !n.armed {
		n.try(nil)
	}
}

// arm has a lane tried again after a while.
func (n *lane) arm() {
	if n.armed {
		return
	}
	if n.closed {
		n.try(nil)
		return
	}
	n.armed = true
	d := n.delay
	n.delay = min(2*n.delay, lastTry)
	n.p.n.after(d, func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.armed = false
		n.try(nil)
	})
}
