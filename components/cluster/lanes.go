package cluster

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel/filter"
)

// A lane is this node's way to one shard. Events go to the shard's owner, as far as it is
// known. One that a node does not take because it does not own the shard was not handled,
// and is sent again, to whoever owns it then; those behind it wait, so that their order
// holds. For the same reason a node that has refused one takes no other of that stream:
// the next attempt is another stream.
type lanes struct {
	p     *placement
	mu    sync.Mutex
	lanes []lane
}

type lane struct {
	stream uint64
	node   string   // where what is under way goes
	sent   []*onWay // under way, in order
	waits  []*onWay // to be sent, in order
	next   uint64   // number of the next event
	armed  bool     // there will be a try
	delay  time.Duration
}

// onWay is an event for a key that waits for its fate.
type onWay struct {
	number uint64
	path   kernel.Address
	o      kernel.Outgoing
	until  time.Time
	err    error // why it was not taken the last time
}

const (
	firstTry = 5 * time.Millisecond
	lastTry  = 250 * time.Millisecond
)

func (l *lanes) init(p *placement, shards int) {
	l.p = p
	l.lanes = make([]lane, shards)
	for i := range l.lanes {
		l.lanes[i].stream, l.lanes[i].delay = 1, firstTry
	}
}

// busy reports whether something is under way to a shard, or waits.
func (l *lanes) busy(i int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.lanes[i].sent)+len(l.lanes[i].waits) > 0
}

// post takes an event for a key.
func (p *placement) post(o kernel.Outgoing) error {
	path, _ := split(o.To)
	if _, _, err := keyOf(path); err != nil {
		return err
	}
	args, err := pack(o.Args)
	if err == nil {
		err = filter.CheckArgs(args)
	}
	if err != nil {
		return encodingError(err)
	}
	l := &p.lanes
	i := shardOf(string(path), len(l.lanes))
	l.mu.Lock()
	defer l.mu.Unlock()
	n := &l.lanes[i]
	if len(n.sent)+len(n.waits) >= p.n.cfg.MaxOutstanding {
		return fmt.Errorf("%w: %d events wait for the owner of shard %d", kernel.ErrQueueFull, p.n.cfg.MaxOutstanding, i)
	}
	n.next++
	e := &onWay{number: n.next, path: path, o: o, until: p.n.k.Now().Add(p.n.cfg.CallTimeout)}
	n.waits = append(n.waits, e)
	if len(n.waits) == 1 {
		return l.try(i)
	}
	return nil
}

// try sends what waits, as far as it can be sent. Its error is that of a first event
// which never will be.
func (l *lanes) try(i int) error {
	n, p := &l.lanes[i], l.p
	target := p.target(i)
	for len(n.waits) > 0 {
		if len(n.sent) > 0 && n.node != target {
			return nil // until its fate is known
		}
		e := n.waits[0]
		if !p.n.k.Now().Before(e.until) {
			n.waits = n.waits[1:]
			p.n.lose(e.o, tooLong(e))
			continue
		}
		n.node = target
		err := l.send(i, target, e)
		switch {
		case err == nil:
			n.waits = n.waits[1:]
		case elsewhere(err):
			e.err = err
			l.arm(i)
			return nil
		default:
			n.waits = n.waits[1:]
			if len(n.waits) == 0 && len(n.sent) == 0 {
				return err
			}
			p.n.lose(e.o, err)
		}
	}
	return nil
}

func tooLong(e *onWay) error {
	if e.err == nil {
		e.err = errNotOwner
	}
	return fmt.Errorf("no node owned its key for too long: %w", e.err)
}

// target is the node for a shard; "" for none.
func (p *placement) target(i int) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.table.route(i)
}

var errNobody = fmt.Errorf("%w: no node that can be reached runs keys", kernel.ErrNoNode)

// send sends one event to a node. l.mu is held.
func (l *lanes) send(i int, target string, e *onWay) error {
	p := l.p
	switch target {
	case "":
		return errNobody
	case p.n.cfg.Name:
		return p.deliver(e.path, func(id kernel.Address) error {
			if id == "" {
				p.n.lose(e.o, kernel.ErrStopped)
				return nil
			}
			return p.n.own.post(Arrival{From: e.o.From, To: id, Event: e.o.Event, Args: e.o.Args}, e.o.Cause)
		})
	}
	other := p.n.peer(target)
	if other == nil {
		return errNobody
	}
	n := &l.lanes[i]
	err := other.post(fmt.Sprintf("%s@%s/%d", e.path, ownerNode, n.stream), 0, e.o, func(err error) { l.fate(i, e, err) })
	if err == nil {
		n.sent = append(n.sent, e)
	}
	return err
}

// fate is what became of an event that was sent.
func (l *lanes) fate(i int, e *onWay, err error) {
	l.mu.Lock()
	n := &l.lanes[i]
	for j, s := range n.sent {
		if s == e {
			n.sent = append(n.sent[:j:j], n.sent[j+1:]...)
			break
		}
	}
	lost := false
	switch {
	case err == nil:
		n.delay = firstTry
	case elsewhere(err):
		e.err = err
		j := 0
		for j < len(n.waits) && n.waits[j].number < e.number {
			j++
		}
		n.waits = append(n.waits[:j:j], append([]*onWay{e}, n.waits[j:]...)...)
	default:
		lost = true
	}
	if len(n.sent) == 0 && len(n.waits) > 0 {
		n.stream++
		l.arm(i)
	}
	l.mu.Unlock()
	if lost {
		l.p.n.lose(e.o, err)
	}
}

// arm has a lane tried again after a while.
func (l *lanes) arm(i int) {
	n := &l.lanes[i]
	if n.armed {
		return
	}
	n.armed = true
	d := n.delay
	n.delay = min(2*n.delay, lastTry)
	l.p.n.after(d, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		n.armed = false
		l.again(i)
	})
}

// again tries a lane whose first event may have stood for long.
func (l *lanes) again(i int) {
	n := &l.lanes[i]
	if len(n.waits) == 0 || len(n.sent) > 0 && n.node != l.p.target(i) {
		return
	}
	e := n.waits[0]
	if err := l.try(i); err != nil {
		l.p.n.lose(e.o, err)
	}
}

// hurry tries all lanes: something has changed.
func (l *lanes) hurry() {
	for i := range l.lanes {
		l.hurryOne(i)
	}
}

func (l *lanes) hurryOne(i int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.lanes[i].sent) == 0 {
		l.again(i)
	}
}

// call asks the session for a key, wherever that is.
func (p *placement) call(ctx context.Context, o kernel.Outgoing) (any, error) {
	path, _ := split(o.To)
	if _, _, err := keyOf(path); err != nil {
		return nil, err
	}
	i := shardOf(string(path), len(p.count))
	until := p.n.k.Now().Add(p.n.cfg.CallTimeout)
	for delay := firstTry; ; delay = min(2*delay, lastTry) {
		v, err := p.callOnce(ctx, i, path, o)
		if err == nil || !elsewhere(err) {
			return v, err
		}
		if !p.n.k.Now().Add(delay).Before(until) {
			return nil, fmt.Errorf("%w: %w", kernel.ErrTimeout, err)
		}
		if e := p.n.pause(ctx, delay); e != nil {
			return nil, errors.Join(e, err)
		}
	}
}

func (p *placement) callOnce(ctx context.Context, i int, path kernel.Address, o kernel.Outgoing) (any, error) {
	target := p.target(i)
	if target == p.n.cfg.Name {
		return p.callHere(ctx, path, o)
	}
	other := p.n.peer(target)
	if other == nil {
		return nil, errNobody
	}
	return other.call(ctx, fmt.Sprintf("%s@%s/0", path, ownerNode), o)
}

// callHere calls the session for a key on this node.
func (p *placement) callHere(ctx context.Context, path kernel.Address, o kernel.Outgoing) (any, error) {
	var id kernel.Address
	told := newPromise()
	err := p.deliver(path, func(a kernel.Address) error { id = a; told.keep(); return nil })
	if err != nil {
		return nil, err
	}
	if err := told.wait(ctx, p.n, p.n.cfg.CallTimeout, told.keep); err != nil {
		return nil, err
	}
	a := Arrival{Event: o.Event, Args: o.Args}
	return callAs(ctx, nil, p.n.k.Strangers().From(o.From), id, a, o.Cause)
}
