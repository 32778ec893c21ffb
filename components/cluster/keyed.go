package cluster

import (
	"fmt"
	"math"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"github.com/usher-go/usher/kernel"
)

// tenure is this node's ownership of one shard, from its beginning to its end. Sessions
// that run for it look at it before each event.
type tenure struct {
	epoch    uint64
	deadline atomic.Int64 // as placement.now counts
}

func newTenure(epoch uint64) *tenure {
	t := &tenure{epoch: epoch}
	t.end()
	return t
}

func (t *tenure) valid(now int64) bool { return now < t.deadline.Load() }
func (t *tenure) extend(to int64)      { t.deadline.Store(max(t.deadline.Load(), to)) } // with placement.mu
func (t *tenure) end()                 { t.deadline.Store(math.MinInt64) }

// keyed is a session that runs for a key: the receiver that Kind.New has made, guarded.
type keyed struct {
	p      *placement
	kind   *Kind
	path   kernel.Address // "user/42"
	key    Key
	shard  int
	tenure *tenure
	since  time.Time
	last   atomic.Int64 // when an event was begun or ended, as placement.now counts
	dozes  atomic.Bool  // it has idled, its lease was released; set with placement.mu

	// Its own, as a session.
	recv  kernel.Receiver
	fresh bool // the kernel's _start is to come
	up    bool // the receiver has had its own

	// Guarded by placement.mu.
	begun bool           // somebody spawns it
	id    kernel.Address // empty until then
	lease *kernel.Lease
	takes bool     // events are posted to it
	ends  bool     // it was asked to end …
	more  bool     // … and got events behind that
	asked bool     // it was asked to wake
	waits []waiter // what has come while it does not take
}

// Events of a keyed session that are not its own.
const (
	evEnd  = "usher.end"  // its shard is given up, or lost
	evFail = "usher.fail" // DIE
)

// Receive guards the receiver: no event is begun when the tenure is over.
func (s *keyed) Receive(c *kernel.Context) error {
	switch event := c.Event(); {
	case event == "_stop":
		return s.stopped(c)
	case event == evFail:
		s.died(c)
	case event == evEnd:
		if !s.p.more(s) || c.Yield(evEnd) != nil {
			s.stop(c)
		}
	case event == "_start" && s.fresh:
		s.fresh = false
		return s.start(c)
	case !s.tenure.valid(s.p.now()):
		return s.late(c)
	case s.dozes.Load():
		s.p.awake(s, c.Lease(string(s.path)))
		fallthrough
	default:
		if event == evBegin {
			return nil
		}
		s.last.Store(s.p.now())
		err := s.attend(c)
		s.last.Store(s.p.now())
		return err
	}
	return nil
}

// attend has the receiver handle an event. One that fails ends its session at once: DIE
// would find it gone, if what stands in its queue ends it before, and end the kernel.
func (s *keyed) attend(c *kernel.Context) error {
	if s.kind.Supervise != nil {
		return s.recv.Receive(c)
	}
	err, failed := s.try(c)
	if !failed && (err == nil || c.Called()) {
		return err
	}
	s.fail(c, err)
	if c.Called() {
		return err
	}
	return nil
}

// try has the receiver handle an event, and reports whether it panicked.
func (s *keyed) try(c *kernel.Context) (err error, panicked bool) {
	defer func() {
		if v := recover(); v != nil {
			x := &kernel.Exception{Session: c.Self(), Event: c.Event(), Source: c.Sender(), Seq: c.Seq(), Stack: debug.Stack()}
			if x.Err, _ = v.(error); x.Err == nil {
				x.Err = fmt.Errorf("%v", v)
			}
			err, panicked = x, true
		}
	}()
	return s.recv.Receive(c), false
}

// fail reports why the session ends, and ends it: the rest of the kernel goes on.
func (s *keyed) fail(c *kernel.Context, err error) {
	s.p.n.k.Report("cluster", "session of a key failed", fmt.Errorf("%s, handling %q: %w", s.path, c.Event(), err))
	s.stop(c)
}

// start makes the receiver, and has its _start run. What waits follows.
func (s *keyed) start(c *kernel.Context) error {
	if !s.tenure.valid(s.p.now()) {
		return s.over()
	}
	s.p.starting(s, c.Self())
	c.Sig("DIE", evFail)
	if s.recv = s.kind.New(s.key); s.recv == nil {
		return fmt.Errorf("%w: Kind %q: New returned nil", kernel.ErrArgument, s.kind.Name)
	}
	if err := s.recv.Receive(c); err != nil {
		return err
	}
	s.up = true
	s.last.Store(s.p.now())
	s.p.started(s, c.Lease(string(s.path)))
	return nil
}

// again is for a restart by Kind.Supervise.
func (s *keyed) again() kernel.Receiver {
	s.fresh, s.up = true, false
	return s
}

// stop ends the session. What comes from now on is for the next one.
func (s *keyed) stop(c *kernel.Context) {
	s.p.ending(s)
	c.Stop()
}

func (s *keyed) stopped(c *kernel.Context) error {
	s.p.ending(s)
	defer s.p.ended(s)
	if s.up {
		if err, _ := s.try(c); err != nil {
			s.fail(c, err)
		}
	}
	return nil
}

func (s *keyed) over() error {
	return fmt.Errorf("%w: node %s has lost %s (epoch %d)", ErrNotOwner, s.p.n.cfg.Name, s.path, s.key.Epoch)
}

// late is an event that must not be begun any more.
func (s *keyed) late(c *kernel.Context) error {
	s.stop(c)
	switch {
	case c.Called():
		return s.over()
	case c.Event() != evBegin && !strings.HasPrefix(c.Event(), "_"):
		s.p.n.lose(kernel.Outgoing{From: c.Sender(), To: s.path + "@" + ownerNode, Event: c.Event(), Args: c.Args()}, s.over())
	}
	return nil
}

// died is a failure that attend has not seen: runtime.Goexit, or one that its supervisor
// has left to DIE.
func (s *keyed) died(c *kernel.Context) {
	if x, ok := c.Arg(1).(*kernel.Exception); ok && x.Session == c.Self() {
		c.SigHandled()
		s.fail(c, x)
	}
}
