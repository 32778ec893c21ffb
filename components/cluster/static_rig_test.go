package cluster

import (
	"container/heap"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// staticRig is hosts in virtual time, whose messages take a millisecond.
type staticRig struct {
	t     testing.TB
	now   time.Time
	queue staticTimers
	seq   int
	hosts map[string]*staticHost
	sent  map[[2]string]int
	most  int // bytes of a message
}

// staticHost is one node as its directory sees it.
type staticHost struct {
	*staticRig
	name    string
	members []Member
	owners  map[int]Ownership
	log     []Ownership
	failed  []error
	in      Membership
	cut     bool
	gone    bool // its directory must not call any more
	heard   func(Ownership)
	chance  *rand.Rand
}

var _ Host = (*staticHost)(nil)

type staticTimer struct {
	due time.Time
	seq int
	f   func()
}

type staticTimers []*staticTimer

func (q staticTimers) Len() int { return len(q) }
func (q staticTimers) Less(i, j int) bool {
	return q[i].due.Before(q[j].due) || q[i].due.Equal(q[j].due) && q[i].seq < q[j].seq
}
func (q staticTimers) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *staticTimers) Push(e any)   { *q = append(*q, e.(*staticTimer)) }
func (q *staticTimers) Pop() any {
	e := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return e
}

func newStaticRig(t testing.TB) *staticRig {
	return &staticRig{t: t, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), hosts: map[string]*staticHost{}, sent: map[[2]string]int{}}
}

func (r *staticRig) join(name string, list Static) *staticHost {
	r.t.Helper()
	h := &staticHost{staticRig: r, name: name, owners: map[int]Ownership{}}
	h.chance = rand.New(rand.NewPCG(uint64(len(r.hosts)), 3))
	in, err := list.Join(r.t.Context(), Member{Name: name, Address: name + ":7000", Epoch: uint64(r.now.UnixNano())}, h)
	if err != nil {
		r.t.Fatal(err)
	}
	h.in, r.hosts[name] = in, h
	return h
}

func (r *staticRig) after(d time.Duration, f func()) (stop func() bool) {
	r.seq++
	e := &staticTimer{r.now.Add(d), r.seq, f}
	heap.Push(&r.queue, e)
	return func() bool {
		i := slices.Index(r.queue, e)
		if i < 0 {
			return false
		}
		heap.Remove(&r.queue, i)
		return true
	}
}

func (r *staticRig) run(d time.Duration) {
	end := r.now.Add(d)
	for len(r.queue) > 0 && !r.queue[0].due.After(end) {
		e := heap.Pop(&r.queue).(*staticTimer)
		r.now = e.due
		e.f()
	}
	r.now = end
}

// owned checks that each shard has one owner, whom all connected nodes know, and
// returns how many each has.
func (r *staticRig) owned(shards int) map[string]int {
	r.t.Helper()
	count := map[string]int{}
	for shard := range shards {
		var o Ownership
		for _, h := range r.hosts {
			if mine := h.owners[shard]; mine.Node == h.name && mine.Deadline.After(r.now) {
				if o.Node != "" {
					r.t.Fatalf("shard %d: %s and %s own it", shard, o.Node, mine.Node)
				}
				o = mine
			}
		}
		for name, h := range r.hosts {
			if known := h.owners[shard]; !h.gone && !h.cut && (known.Node != o.Node || known.Epoch != o.Epoch) {
				r.t.Fatalf("shard %d: %s knows %+v; it is %+v", shard, name, known, o)
			}
		}
		count[o.Node]++
	}
	return count
}

func (h *staticHost) check(what string) {
	if h.gone {
		h.t.Errorf("%s: %s after Leave", h.name, what)
	}
}

func (h *staticHost) Now() time.Time { h.check("Now"); return h.now }

func (h *staticHost) AfterFunc(d time.Duration, f func()) (stop func() bool) {
	h.check("AfterFunc")
	return h.after(d, f)
}

func (h *staticHost) Chance(n int64) int64 { return h.chance.Int64N(n) }

func (h *staticHost) Send(node string, message []byte) error {
	h.check("Send")
	to := h.hosts[node]
	if to == nil {
		return errors.New("nobody there")
	}
	h.sent[[2]string{h.name, node}]++
	h.most = max(h.most, len(message))
	h.after(time.Millisecond, func() {
		if !h.cut && !to.cut {
			to.in.Receive(h.name, message)
		}
	})
	return nil
}

func (h *staticHost) Members(list []Member) { h.check("Members"); h.members = list }

func (h *staticHost) Owner(o Ownership) {
	h.check("Owner")
	if before := h.owners[o.Shard]; o.Epoch < before.Epoch {
		h.t.Errorf("%s: %+v after %+v", h.name, o, before)
	}
	h.owners[o.Shard] = o
	h.log = append(h.log, o)
	if h.heard != nil {
		h.heard(o)
	}
}

func (h *staticHost) Failed(err error) { h.check("Failed"); h.failed = append(h.failed, err) }

func (h *staticHost) leave() {
	h.t.Helper()
	if err := h.in.Leave(h.t.Context()); err != nil {
		h.t.Error(err)
	}
	h.gone = true
	h.owners = nil
}
