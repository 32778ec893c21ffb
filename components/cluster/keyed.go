package cluster

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/usher-go/usher/kernel"
)

// tenure is this node's ownership of one shard, from its beginning to its end. Sessions
// that run for it look at it before each event.
type tenure struct {
	epoch    uint64
	deadline atomic.Int64 // Unix ns; 0: it has ended
}

func (t *tenure) valid(now time.Time) bool { return now.UnixNano() < t.deadline.Load() }

// keyed is a session that runs for a key: the receiver that Kind.New has made, guarded.
type keyed struct {
	p      *placement
	kind   *Kind
	path   kernel.Address // "user/42"
	key    Key
	shard  int
	tenure *tenure
	recv   kernel.Receiver
	begun  bool // _start of the kernel's has been

	since time.Time
	last  atomic.Int64 // when an event was begun, Unix ns

	// Guarded by the placement's lock.
	lease   *kernel.Lease // nil until it is started
	started bool
	waits   []func(kernel.Address) error // events that came before it was started
	idle    bool                         // its lease was released
}

// Events of a keyed session that are not its own.
const (
	evEnd  = "usher.end"  // its shard is given up, or lost
	evFail = "usher.fail" // DIE
)

// Receive guards the receiver: no event is begun when the tenure is over.
func (s *keyed) Receive(c *kernel.Context) error {
	now := s.p.n.k.Now()
	switch event := c.Event(); {
	case event == "_stop":
		err := s.recv.Receive(c)
		s.p.ended(s)
		return err
	case event == "_start" && !s.begun: // the kernel's; the receiver gets its own as the first of the queue
		s.begun = true
		c.Sig("DIE", evFail)
		return c.Yield("_start")
	case event == evEnd:
		c.Stop()
	case event == evBegin:
	case !s.tenure.valid(now):
		return s.late(c)
	case event == evFail:
		s.failed(c)
	case event == "_start":
		s.last.Store(now.UnixNano())
		if err := s.recv.Receive(c); err != nil {
			s.end(c, "session of a key did not start", err)
		}
	default:
		s.last.Store(now.UnixNano())
		return s.recv.Receive(c)
	}
	return nil
}

// late is an event that must not be begun any more.
func (s *keyed) late(c *kernel.Context) error {
	c.Stop()
	err := fmt.Errorf("%w: node %s has lost %s (epoch %d)", ErrNotOwner, s.p.n.cfg.Name, s.path, s.key.Epoch)
	if c.Called() {
		return err
	}
	s.p.n.lose(kernel.Outgoing{From: c.Sender(), To: s.path + "@" + ownerNode, Event: c.Event(), Args: c.Args()}, err)
	return nil
}

// failed ends the session alone, unless it watches DIE itself.
func (s *keyed) failed(c *kernel.Context) {
	x, ok := c.Arg(1).(*kernel.Exception)
	if !ok || x.Session != c.Self() {
		return
	}
	c.SigHandled()
	s.end(c, "session of a key failed", x)
}

// end reports why the session ends, and ends it: the rest of the kernel goes on.
func (s *keyed) end(c *kernel.Context, cause string, err error) {
	s.p.n.k.Report("cluster", cause, fmt.Errorf("%s: %w", s.path, err))
	c.Stop()
}
