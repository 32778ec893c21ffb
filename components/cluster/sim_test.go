package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/components/cluster"
	"github.com/usher-go/usher/components/cluster/clustertest"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
)

// The property, for a cluster whose machines crash, pause, lose each other, one way or
// both, and whose clocks are wrong and run wrong:
//
//   - no event is handled twice;
//   - events of one session to one other, or to one key, are handled in their order,
//     but for those to a key of which "outcome unknown" was told: they may come late;
//   - every post that was accepted is handled, or its loss is reported to its sender's
//     observer, once, or, after it was taken, to the receiver's; what is reported as not
//     delivered was not handled. Excepted are crashes: of the sender's own machine, and
//     of one that had events in its queues, because a handler of it was waiting;
//   - of the owners of a key at most one acts: when an event was begun under one epoch,
//     none is begun any more under an earlier one, and each epoch has one node;
//   - within 10 s after the last fault every key answers every node again.
func TestG13_Simulated(t *testing.T) {
	kerneltest.Seeds(t, cluster.Simulations, func(t *testing.T, seed uint64) { newSim(t, seed).run() })
}

// The same, for long.
func TestSoakG13_Simulated(t *testing.T) {
	if os.Getenv("USHER_SOAK") != "1" {
		t.Skip("takes minutes; USHER_SOAK=1 runs it")
	}
	kerneltest.Seeds(t, 2000, func(t *testing.T, seed uint64) { newSim(t, seed).run() })
}

const (
	simKeys   = 12
	simFaults = 60 * time.Second // how long things go wrong
	simCalm   = 10 * time.Second
)

type sim struct {
	*rand.Rand
	t     *testing.T
	w     *clustertest.World
	nodes []*simNode

	posts  []*simPost
	last   map[string]int    // of each sender and receiver: the number handled last
	acts   map[string]uint64 // of each key, the highest epoch that acted …
	actor  map[string]string // … and who, by key and epoch
	story  []string
	calls  int     // that wait
	calmed bool    // no more: one that waits for a machine that waits would spoil the measure
	blind  []blind // queues that ended with their machine
}

type blind struct {
	node string
	to   time.Duration
}

type simNode struct {
	s       *sim
	m       *clustertest.Machine
	node    *cluster.Node
	life    int
	quiet   bool
	calling time.Duration // since when a handler waits in a call, if not 0
}

// simPost is one event: a post, or a call.
type simPost struct {
	from, to  string
	life      int
	sender    *simNode
	call      bool
	accepted  bool
	err       error // of a call
	handled   int
	lost      []string // reasons
	told      int      // how many of these to its sender's observer
	everybody bool
	at        time.Duration
}

func newSim(t *testing.T, seed uint64) *sim {
	s := &sim{
		Rand: rand.New(rand.NewPCG(seed, 77)), t: t, w: clustertest.New(t, seed),
		last: map[string]int{}, acts: map[string]uint64{}, actor: map[string]string{},
	}
	for _, name := range []string{"a", "b", "c"} {
		n := &simNode{s: s}
		n.m = s.w.Node(name, kerneltest.AllowDropped(), kerneltest.AllowReported(), kerneltest.AllowUnhandled(),
			kerneltest.Config(kernel.Config{Observer: &kernel.Observer{Dropped: n.dropped}}))
		s.nodes = append(s.nodes, n)
	}
	return s
}

func (n *simNode) dropped(r kernel.Record, why kernel.Reason) {
	if len(r.Args) == 0 {
		return
	}
	if id, ok := r.Args[0].(int); ok && (r.Event == "note" || r.Event == "ask") {
		p := n.s.posts[id]
		p.lost = append(p.lost, string(why))
		if p.sender == n {
			p.told++
		}
	}
}

// boot starts a node's program.
func (n *simNode) boot() {
	n.life++
	k := n.m.Kernel()
	dir := cluster.Static{}
	for _, o := range n.s.nodes {
		dir[o.m.Name()] = o.m.Address()
	}
	node, err := cluster.Join(k, cluster.Config{
		Name: n.m.Name(), Directory: dir, Transport: n.m.Transport(), Shards: 8, CallTimeout: 10 * time.Second,
		Kinds: []cluster.Kind{{Name: "acct", New: func(key cluster.Key) kernel.Receiver { return n.account(key) }}},
	})
	if err != nil {
		n.s.t.Fatal(err)
	}
	n.node = node
	life := n.life
	must := func(_ kernel.Address, err error) {
		if err != nil {
			n.s.t.Fatal(err)
		}
	}
	must(k.Spawn(simReceiver(n.sink), kernel.Alias("sink")))
	must(k.Spawn(simReceiver(func(c *kernel.Context) error { return n.drive(c, life) }), kernel.Alias("driver")))
}

type simReceiver func(*kernel.Context) error

func (f simReceiver) Receive(c *kernel.Context) error { return f(c) }

// sink handles what comes to an alias.
func (n *simNode) sink(c *kernel.Context) error {
	if e := c.Event(); e == "note" || e == "ask" {
		n.s.handle(c, "sink@"+n.m.Name())
	}
	return nil
}

// account handles what comes to a key.
func (n *simNode) account(key cluster.Key) kernel.Receiver {
	return simReceiver(func(c *kernel.Context) error {
		if e := c.Event(); e != "note" && e != "ask" {
			return nil
		}
		s, who := n.s, fmt.Sprint(n.m.Name(), " life ", n.life)
		if key.Epoch < s.acts[key.Key] {
			s.t.Errorf("%v: %s acts for key %s under epoch %d after %d", s.w.Elapsed(), who, key.Key, key.Epoch, s.acts[key.Key])
		}
		s.acts[key.Key] = key.Epoch
		of := fmt.Sprint(key.Key, " ", key.Epoch)
		if other := s.actor[of]; other != "" && other != who {
			s.t.Errorf("%v: %s and %s act for key %s under epoch %d", s.w.Elapsed(), other, who, key.Key, key.Epoch)
		}
		s.actor[of] = who
		s.handle(c, "key "+key.Key)
		return nil
	})
}

func (s *sim) handle(c *kernel.Context, at string) {
	id := c.Arg(0).(int)
	p := s.posts[id]
	p.handled++
	if p.handled > 1 && !p.everybody {
		s.t.Errorf("%v: %d from %s to %s was handled twice", s.w.Elapsed(), id, p.from, p.to)
	}
	if c.Event() == "ask" { // calls run ahead
		c.Return(id + 1)
		return
	}
	way := fmt.Sprint(p.from, " life ", p.life, " to ", at)
	last, some := s.last[way]
	if late := strings.HasPrefix(at, "key ") && p.unknown(); some && last >= id && !late {
		s.t.Errorf("%v: %s: %d was handled after %d", s.w.Elapsed(), way, id, last)
	}
	s.last[way] = max(last, id)
}

// drive posts and calls, at random times.
func (n *simNode) drive(c *kernel.Context, life int) error {
	s := n.s
	switch c.Event() {
	case "_start", "go":
		c.Delay("go", time.Duration(20+s.IntN(200))*time.Millisecond)
		if c.Event() == "_start" || n.quiet {
			return nil
		}
	default:
		return nil
	}
	to := kernel.Address("sink@" + s.nodes[s.IntN(len(s.nodes))].m.Name())
	p := &simPost{from: n.m.Name(), life: life, sender: n, call: s.calls == 0 && !s.calmed && s.IntN(8) == 0}
	switch s.IntN(5) {
	case 0, 1:
		to = cluster.Place("acct", s.IntN(simKeys))
	case 2:
		if p.call || s.IntN(3) > 0 {
			break
		}
		to, p.everybody = "sink@*", true
	}
	id := len(s.posts)
	p.to, p.at = string(to), s.w.Elapsed()
	s.posts = append(s.posts, p)
	if p.call {
		var v any
		s.calls++
		n.calling = s.w.Elapsed()
		v, p.err = c.Call(to, "ask", id)
		n.calling = 0
		s.calls--
		if p.err == nil && v != id+1 {
			s.t.Errorf("%v: the call %d to %s gave %v", s.w.Elapsed(), id, to, v)
		}
		return nil
	}
	p.accepted = c.Post(to, "note", id) == nil
	return nil
}

// run lets things go wrong, then right, and looks what came of it.
func (s *sim) run() {
	for _, n := range s.nodes {
		n.boot()
	}
	for at := 3 * time.Second; at < simFaults; at += time.Duration(200+s.IntN(6000)) * time.Millisecond {
		s.w.At(at, s.fault)
	}
	s.w.Run(simFaults)
	s.calm()
	s.w.Run(simCalm)
	s.answers()
	for _, n := range s.nodes {
		n.quiet = true
	}
	s.w.Run(15 * time.Second) // what waits gives up
	s.check()
	for _, n := range s.nodes {
		n.m.Kernel().Stop()
	}
	s.w.Run(5 * time.Second)
}

func (s *sim) some() *simNode { return s.nodes[s.IntN(len(s.nodes))] }

func (s *sim) fault() {
	n, o := s.some(), s.some()
	a, b := n.m.Name(), o.m.Name()
	what := s.IntN(9)
	s.story = append(s.story, fmt.Sprint(s.w.Elapsed(), ": ", [...]string{"cut", "cut", "one way", "pause", "restart", "reset", "drift", "heal", "heal"}[what], " ", a, " ", b))
	switch what {
	case 0, 1:
		if a != b {
			s.w.Cut(a, b)
		}
	case 2:
		if a != b {
			s.w.CutOneWay(a, b)
		}
	case 3:
		n.m.Pause()
		s.w.At(s.w.Elapsed()+time.Duration(s.IntN(12_000))*time.Millisecond, n.m.Resume)
	case 4:
		if n.calling > 0 {
			s.blind = append(s.blind, blind{a, s.w.Elapsed()})
		}
		n.m.Restart()
		n.boot()
	case 5:
		if a != b {
			s.w.Reset(a, b)
		}
	case 6:
		n.m.Drift(s.IntN(20_000) - 10_000)
	default:
		s.heal()
	}
}

func (s *sim) heal() {
	for _, n := range s.nodes {
		for _, o := range s.nodes {
			if n != o {
				s.w.Heal(n.m.Name(), o.m.Name())
			}
		}
	}
}

func (s *sim) calm() {
	s.calmed = true
	s.heal()
	for _, n := range s.nodes {
		n.m.Resume()
	}
}

// answers has every key answer every node.
func (s *sim) answers() {
	for _, n := range s.nodes {
		for key := range simKeys {
			id := len(s.posts)
			p := &simPost{from: n.m.Name(), to: fmt.Sprint("key ", key), life: n.life, sender: n, call: true}
			s.posts = append(s.posts, p)
			begun := s.w.Elapsed()
			v, err := n.m.Kernel().Call(context.Background(), cluster.Place("acct", key), "ask", id)
			if took := s.w.Elapsed() - begun; err != nil || v != id+1 || took > time.Second {
				s.t.Errorf("%v after the last fault key %d gives %s, in %v: %v, %v\n%v", simCalm, key, n.m.Name(), took, v, err, n.node.Status())
			}
			p.err = err
		}
	}
}

func (s *sim) excused(p *simPost) bool {
	return slices.ContainsFunc(s.blind, func(b blind) bool {
		return (strings.HasSuffix(p.to, "@"+b.node) || strings.HasSuffix(p.to, "@owner")) && p.at <= b.to
	})
}

// unknown reports whether its sender's observer was told that nobody knows.
func (p *simPost) unknown() bool {
	return slices.ContainsFunc(p.lost, func(why string) bool {
		return strings.Contains(why, cluster.ErrUnknownOutcome.Error())
	})
}

func (s *sim) check() {
	handled, lost := 0, 0
	for id, p := range s.posts {
		lost += len(p.lost)
		handled += p.handled
		switch {
		case p.everybody:
		case p.call && p.handled > 0 && p.err != nil:
			if errors.Is(p.err, kernel.ErrNoSession) || errors.Is(p.err, kernel.ErrNoNode) && !errors.Is(p.err, cluster.ErrUnknownOutcome) {
				s.t.Errorf("call %d from %s to %s was handled, and its caller hears: %v", id, p.from, p.to, p.err)
			}
		case p.call:
		case p.handled > 0 && len(p.lost) > 0 && !p.unknown():
			s.t.Errorf("%d from %s to %s was handled, and reported as lost: %q", id, p.from, p.to, p.lost)
		case p.handled > 0 && !p.accepted:
			s.t.Errorf("%d from %s to %s was not accepted, and handled", id, p.from, p.to)
		case p.accepted && p.handled == 0 && len(p.lost) == 0 && p.life == p.sender.life && !s.excused(p):
			s.t.Errorf("%d from %s to %s at %v was neither handled nor reported", id, p.from, p.to, p.at)
		case p.told > 1:
			s.t.Errorf("%d from %s to %s was reported %d times: %q", id, p.from, p.to, p.told, p.lost)
		}
	}
	if s.t.Failed() {
		s.t.Log(strings.Join(s.story, "\n"))
	}
	if handled == 0 {
		s.t.Error("nothing was handled")
	}
	s.t.Logf("%d events, %d handled, %d reported", len(s.posts), handled, lost)
}
