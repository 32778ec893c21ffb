package cluster

import (
	"container/heap"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"
)

// leaseWorld is nodes with clocks of their own, a network that loses, doubles, delays
// and reorders, and a checker that sees all of it in true time.
type leaseWorld struct {
	leaseFlaws
	rnd    *rand.Rand
	now    time.Duration
	queue  leaseQueue
	seq    int
	nodes  []*leaseNode
	cut    map[[2]int]bool // from, to
	loss   float64
	lag    map[[2]int]time.Duration // more than for others, from, to
	slow   time.Duration            // what a message takes at most
	owners map[int]leaseOwner
	gained map[leaseBallot]bool // of all shards
	gains  int
	takes  int // gains of a shard that another node had
	skew   time.Duration
	steady bool // no crashes
	err    error
}

// leaseFlaws are mistakes that the checker must find.
type leaseFlaws struct {
	noWait   bool // an acceptor that has started grants at once
	noMargin bool // owners count the whole lease time
	late     bool // owners count from when an answer came
	minority bool // half of the acceptors are enough
	steal    bool // acceptors grant to a higher ballot what another has
	amnesia  bool // counters begin at nothing, and are not learned
}

type leaseNode struct {
	w       *leaseWorld
	index   int
	table   *leaseTable
	born    time.Duration // in true time
	rate    float64
	up      bool
	paused  bool
	missed  []leaseMail // while paused
	armed   int
	claims  map[int]bool
	holds   map[int]leaseHold
	told    map[int]leaseOwner
	started uint64
}

// leaseHold is what a node judges by its own clock, in true time.
type leaseHold struct {
	ballot leaseBallot
	until  time.Duration
}

type leaseEvent struct {
	at  time.Duration
	seq int
	do  func()
}

type leaseQueue []leaseEvent

func (q leaseQueue) Len() int { return len(q) }
func (q leaseQueue) Less(i, j int) bool {
	return q[i].at < q[j].at || q[i].at == q[j].at && q[i].seq < q[j].seq
}
func (q leaseQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *leaseQueue) Push(e any)   { *q = append(*q, e.(leaseEvent)) }
func (q *leaseQueue) Pop() any {
	e := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return e
}

const leaseTestHash = 7

func newLeaseWorld(seed uint64, nodes int, skew time.Duration, flaws leaseFlaws) *leaseWorld {
	w := &leaseWorld{
		leaseFlaws: flaws, rnd: rand.New(rand.NewPCG(seed, 11)), now: time.Hour, skew: skew,
		cut: map[[2]int]bool{}, lag: map[[2]int]time.Duration{}, slow: 5 * time.Millisecond,
		owners: map[int]leaseOwner{}, gained: map[leaseBallot]bool{},
	}
	for i := range nodes {
		w.nodes = append(w.nodes, &leaseNode{w: w, index: i})
	}
	return w
}

func (w *leaseWorld) failf(format string, args ...any) {
	if w.err == nil {
		w.err = fmt.Errorf("at %v: "+format, append([]any{w.now}, args...)...)
	}
}

// upTo is a random time below d.
func (w *leaseWorld) upTo(d time.Duration) time.Duration {
	return time.Duration(w.rnd.Int64N(int64(d)))
}

func (w *leaseWorld) at(t time.Duration, do func()) {
	w.seq++
	heap.Push(&w.queue, leaseEvent{t, w.seq, do})
}

// run goes on for d.
func (w *leaseWorld) run(d time.Duration) {
	end := w.now + d
	for len(w.queue) > 0 && w.queue[0].at <= end && w.err == nil {
		e := heap.Pop(&w.queue).(leaseEvent)
		w.now = e.at
		e.do()
	}
	w.now = end
}

func (n *leaseNode) boot() {
	w := n.w
	terms := newLeaseTerms(n.index, len(w.nodes), leaseTime)
	n.started++
	terms.start = n.started
	terms.chance = w.rnd.Int64N
	n.rate = 1 + []float64{-0.01, 0.01, 0, w.rnd.Float64()*0.02 - 0.01}[w.rnd.IntN(4)]
	skew := w.upTo(2*w.skew+1) - w.skew
	terms.clock = func() int64 { return (w.now + skew).Milliseconds() }
	if w.noWait {
		terms.wait = 0
	}
	if w.noMargin {
		terms.hold = terms.lease
	}
	if w.minority {
		terms.quorum = (len(w.nodes) + 1) / 2
	}
	if w.amnesia {
		terms.clock = func() int64 { return 0 }
	}
	n.table, n.born, n.up, n.paused = newLeaseTable(terms), w.now, true, false
	n.claims, n.holds, n.told, n.missed = map[int]bool{}, map[int]leaseHold{}, map[int]leaseOwner{}, nil
	n.arm()
}

func (n *leaseNode) crash() {
	n.up = false
	n.holds = nil
}

func (n *leaseNode) resume() {
	n.paused = false
	missed := n.missed
	n.missed = nil
	if n.w.rnd.IntN(2) == 0 { // timers or messages, whichever is first
		n.turn()
	}
	for _, m := range missed {
		n.receive(m)
	}
	n.turn()
}

// local is the node's clock.
func (n *leaseNode) local() time.Duration {
	return time.Duration(float64(n.w.now-n.born) * n.rate)
}

func (n *leaseNode) truly(local time.Duration) time.Duration {
	return n.born + time.Duration(float64(local)/n.rate)
}

func (n *leaseNode) arm() {
	n.armed++
	this := n.armed
	if due, ok := n.table.next(); ok {
		late := time.Duration(0)
		if n.w.rnd.IntN(4) == 0 {
			late = n.w.upTo(20 * time.Millisecond)
		}
		n.w.at(max(n.w.now, n.truly(due)+1)+late, func() {
			if n.up && !n.paused && n.armed == this {
				n.turn()
			}
		})
	}
}

func (n *leaseNode) turn() { n.perform(n.table.turn(n.local())) }

func (n *leaseNode) claim(shard int) {
	n.claims[shard] = true
	n.table.claim(n.local(), shard)
	n.arm()
}

func (n *leaseNode) release(shard int) {
	delete(n.claims, shard)
	delete(n.holds, shard)
	n.perform(n.table.release(n.local(), shard))
}

func (n *leaseNode) receive(m leaseMail) {
	w := n.w
	if !n.up {
		return
	}
	if n.paused {
		n.missed = append(n.missed, m)
		return
	}
	if w.steal {
		for _, e := range m.entries {
			if s := n.table.acceptor.seats[e.shard]; s != nil && e.ballot > s.ballot {
				s.until = 0
			}
		}
	}
	if w.amnesia {
		m.floor = 0
	}
	if w.late {
		for i := range m.entries {
			if b := n.table.proposer.bids[m.entries[i].shard]; m.entries[i].kind == leaseGranted && b != nil && b.answers != nil {
				b.sent, m.entries[i].stamp = n.local(), n.local()
				b.answers[n.index].granted = n.local() // its own answer as well
			}
		}
	}
	n.perform(n.table.apply(n.local(), m))
}

func (n *leaseNode) perform(acts []leaseAction) {
	w := n.w
	for _, a := range acts {
		if a.to == leaseTell {
			n.hear(a.tell)
		}
	}
	for _, l := range n.table.letters(acts) {
		w.send(n.index, l)
	}
	n.arm()
}

func (w *leaseWorld) send(from int, l leaseLetter) {
	m, err := decodeLease(l.encode(leaseTestHash), leaseTestHash, from)
	if err != nil {
		w.failf("own message: %v", err)
	}
	copies := 1
	if w.rnd.Float64() < w.loss {
		copies = w.rnd.IntN(3)
	}
	for range copies {
		delay := time.Millisecond + w.upTo(w.slow) + w.lag[[2]int{from, l.to}]
		if w.loss > 0 && w.rnd.IntN(20) == 0 {
			delay += w.upTo(4 * time.Second)
		}
		to := w.nodes[l.to]
		w.at(w.now+delay, func() {
			if !w.cut[[2]int{from, l.to}] {
				to.receive(m)
			}
		})
	}
}

// hear checks what a node's host is told. At no instant do two nodes hold a shard, by
// the judgement of their own clocks; of successive owners the later one's epoch is
// higher; and nobody is called an owner who was none.
func (n *leaseNode) hear(o leaseOwner) {
	w := n.w
	if before := n.told[o.shard]; o.ballot < before.ballot {
		w.failf("node %d is told of epoch %x of shard %d after %x", n.index, o.ballot, o.shard, before.ballot)
	}
	n.told[o.shard] = o
	if o.node != n.index {
		delete(n.holds, o.shard)
		if o.node >= 0 && !w.gained[o.ballot] {
			w.failf("node %d is told that node %d owns shard %d; it never did", n.index, o.node, o.shard)
		}
		return
	}
	if !n.claims[o.shard] {
		w.failf("node %d owns shard %d, which it does not claim", n.index, o.shard)
	}
	hold := leaseHold{o.ballot, n.truly(o.deadline)}
	if hold.until <= w.now {
		w.failf("node %d is told of a deadline that has passed", n.index)
	}
	for _, other := range w.nodes {
		if h, yes := other.holds[o.shard]; yes && other != n && h.until > w.now {
			w.failf("nodes %d and %d both hold shard %d, epochs %x and %x, the first for %v more",
				other.index, n.index, o.shard, h.ballot, o.ballot, h.until-w.now)
		}
	}
	if h, yes := n.holds[o.shard]; yes && h.ballot == o.ballot && h.until < w.now-time.Microsecond {
		w.failf("node %d is told of a later deadline of epoch %x after it was over", n.index, o.ballot)
	}
	n.holds[o.shard] = hold
	last, known := w.owners[o.shard]
	if !known || last.ballot != o.ballot {
		if o.ballot < last.ballot {
			w.failf("shard %d: epoch %x of node %d after %x of node %d", o.shard, o.ballot, n.index, last.ballot, last.node)
		}
		w.gains++
		if known && last.node != o.node {
			w.takes++
		}
		w.gained[o.ballot] = true
	}
	w.owners[o.shard] = o
}

// calm ends all faults.
func (w *leaseWorld) calm() {
	w.cut, w.loss, w.slow = map[[2]int]bool{}, 0, 5*time.Millisecond
	for _, n := range w.nodes {
		switch {
		case !n.up:
			n.boot()
		case n.paused:
			n.resume()
		}
	}
}

// holders are the nodes that hold a shard now.
func (w *leaseWorld) holders(shard int) (list []*leaseNode) {
	for _, n := range w.nodes {
		if h, yes := n.holds[shard]; yes && h.until > w.now {
			list = append(list, n)
		}
	}
	return list
}

// settled says what is missing, a while after calm: every shard that is claimed has an
// owner that claims it, and every node knows which.
func (w *leaseWorld) settled() error {
	for shard := range w.shards() {
		held := w.holders(shard)
		if len(held) != 1 {
			return fmt.Errorf("shard %d has %d owners", shard, len(held))
		}
		for _, n := range w.nodes {
			if o := n.told[shard]; n.up && !n.paused && (o.node != held[0].index || o.ballot != held[0].holds[shard].ballot) {
				return fmt.Errorf("node %d believes that node %d owns shard %d; it is node %d", n.index, o.node, shard, held[0].index)
			}
		}
	}
	return nil
}

// shards are those that somebody claims who is there.
func (w *leaseWorld) shards() map[int]bool {
	all := map[int]bool{}
	for _, n := range w.nodes {
		if n.up {
			maps.Copy(all, n.claims)
		}
	}
	return all
}

// epochs are the ballots of those who hold the shards.
func (w *leaseWorld) epochs() (list []leaseBallot) {
	for _, shard := range slices.Sorted(maps.Keys(w.shards())) {
		for _, n := range w.holders(shard) {
			list = append(list, n.holds[shard].ballot)
		}
	}
	return list
}
