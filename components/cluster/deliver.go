package cluster

import (
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel/filter"
)

// deliver takes one event of the other node. An error refuses it. recv is held.
func (p *peer) deliver(f filter.Frame) error {
	err := unpack(f.Args)
	switch {
	case err != nil && f.ReplyTo != 0:
		p.unreadable(f.ReplyTo, err)
		return nil
	case err != nil:
		return err
	case f.ReplyTo != 0:
		p.replied(f)
		return nil
	case f.To == "":
		return p.message(f)
	}
	p.received.Add(1)
	to, where := split(kernel.Address(f.To))
	a := Arrival{Node: p.name, From: p.sender(f.From), To: to, Event: f.Name, Call: f.ID != 0, Args: f.Args}
	forKey := strings.HasPrefix(where, ownerNode+"/")
	if err := p.n.admit(&a, forKey); err != nil {
		return err
	}
	switch {
	case forKey:
		stream, _ := strconv.ParseUint(where[len(ownerNode)+1:], 10, 64)
		return p.n.keys.arrive(p, a, f, stream)
	case f.ID != 0:
		return p.runCall(a, f)
	}
	err = p.strangers.post(a, f.Cause)
	if where == everyNode && errors.Is(err, kernel.ErrNoSession) {
		return nil // whoever has the alias
	}
	return err
}

// sender is a session of the other node as handlers here may use it. recv is held.
func (p *peer) sender(from string) kernel.Address {
	if s := &p.last; s.address == "" || s.from != from || s.epoch != p.inEpoch {
		*s = lastSender{from, p.inEpoch, abroad(kernel.Address(from), p.name, p.inEpoch)}
	}
	return p.last.address
}

// lastSender is whoever has sent the last event: often the next one, too.
type lastSender struct {
	from    string
	epoch   uint64
	address kernel.Address
}

// admit decides whether another node may do this, and puts in the address as it is here.
func (n *Node) admit(a *Arrival, forKey bool) error {
	if strings.HasPrefix(a.Event, "_") || a.Event == evEnd || a.Event == evFail {
		return fmt.Errorf("%w: event %.64q is the kernel's own", ErrRefused, a.Event)
	}
	to, ok := home(a.To, n.epoch)
	switch {
	case a.To == Alias:
		return fmt.Errorf("%w: session %q serves its own node only", ErrRefused, Alias)
	case !ok:
		return fmt.Errorf("%w: %s was a session of another start of node %s", kernel.ErrNoSession, a.To, n.cfg.Name)
	case n.cfg.Expose != nil && !forKey && !strings.HasPrefix(string(to), "#") && !slices.Contains(n.cfg.Expose, string(to)):
		return fmt.Errorf("%w: alias %.64q is not in Config.Expose", ErrRefused, string(to))
	}
	a.To = to
	return n.accept(*a)
}

// accept asks Config.Accept. What panics for one event would do so whenever it is sent
// again, and those behind it would wait for ever.
func (n *Node) accept(a Arrival) (err error) {
	if n.cfg.Accept == nil {
		return nil
	}
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("Config.Accept panicked: %v", v)
			n.k.Report("cluster", "Accept panicked", fmt.Errorf("event %q of node %s: %v\n%s", a.Event, a.Node, v, debug.Stack()))
		}
		if err != nil {
			err = fmt.Errorf("%w: %w", ErrRefused, err)
		}
	}()
	return n.cfg.Accept(a)
}

// maxStrangers is how many senders of a node are remembered at a time: more while events
// of them wait, up to maxWaitingStrangers.
const (
	maxStrangers        = 1 << 10
	maxWaitingStrangers = 16 << 10
)

// strangers are the other node's sessions that have sent something.
type strangers struct {
	all    *kernel.Strangers
	of     map[kernel.Address]*kernel.Stranger
	posted atomic.Uint64 // what was put into queues here
}

// waiting is how many of their events wait in queues.
func (s *strangers) waiting() int { return int(s.posted.Load() - s.all.Handled()) }

func (s *strangers) from(a kernel.Address) *kernel.Stranger {
	if one := s.of[a]; one != nil {
		return one
	}
	n := len(s.of)
	if s.of == nil || n >= maxWaitingStrangers || n >= maxStrangers && s.waiting() == 0 {
		s.of = make(map[kernel.Address]*kernel.Stranger)
	}
	one := s.all.From(a)
	s.of[a] = one
	return one
}

// post puts an event into its receiver's queue.
func (s *strangers) post(a Arrival, cause uint64) error {
	return s.postAs(s.from(a.From), a.To, a, cause)
}

func (s *strangers) postAs(from *kernel.Stranger, to kernel.Address, a Arrival, cause uint64) error {
	err := from.Post(to, cause, a.Event, a.Args...)
	if err == nil {
		s.posted.Add(1)
	}
	return err
}

// ownSenders are sessions of this node that post to an address which names several.
type ownSenders struct {
	mu sync.Mutex
	strangers
}

func (s *ownSenders) post(a Arrival, cause uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.strangers.post(a, cause)
}
