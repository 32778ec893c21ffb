package cluster

import (
	"context"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/usher-go/usher/kernel"
)

// realm is a Directory for nodes of one process, which calls its hosts at once, from
// inside Claim and Release. It gives a shard to the first that claims it, for as long as
// that renews; a test can give it to another one.
type realm struct {
	mu     sync.Mutex
	hosts  map[string]*seat
	claims map[int][]string
	owners map[int]Ownership
	mute   map[string]bool // renews nothing
	lease  time.Duration
}

type seat struct {
	r    *realm
	self Member
	h    Host
	end  bool
}

func newRealm() *realm {
	return &realm{hosts: map[string]*seat{}, claims: map[int][]string{}, owners: map[int]Ownership{}, mute: map[string]bool{}, lease: 3 * time.Second}
}

func (r *realm) Join(_ context.Context, self Member, h Host) (Membership, error) {
	s := &seat{r: r, self: self, h: h}
	r.mu.Lock()
	r.hosts[self.Name] = s
	news := slices.Collect(maps.Values(r.owners))
	r.mu.Unlock()
	r.members()
	for _, o := range news {
		h.Owner(o)
	}
	h.AfterFunc(r.lease/3, s.renew)
	return s, nil
}

func (r *realm) members() {
	r.mu.Lock()
	var list []Member
	for _, s := range r.hosts {
		list = append(list, s.self)
	}
	hosts := slices.Collect(maps.Values(r.hosts))
	r.mu.Unlock()
	for _, s := range hosts {
		s.h.Members(list)
	}
}

// give has a shard owned by a node, or by nobody; the one that loses it hears first.
func (r *realm) give(shard int, node string) {
	r.mu.Lock()
	old := r.owners[shard]
	o := Ownership{Shard: shard, Node: node, Epoch: old.Epoch}
	if node != "" {
		o.Epoch++
		o.Deadline = r.hosts[node].h.Now().Add(r.lease)
	}
	r.owners[shard] = o
	first, hosts := r.hosts[old.Node], slices.Collect(maps.Values(r.hosts))
	r.mu.Unlock()
	if first != nil {
		first.h.Owner(o)
	}
	for _, s := range hosts {
		if s != first {
			s.h.Owner(o)
		}
	}
}

// vacant gives a shard that nobody owns to the first that claims it.
func (r *realm) vacant(shard int) {
	r.mu.Lock()
	node := ""
	if r.owners[shard].Node == "" {
		for _, n := range slices.Backward(r.claims[shard]) {
			if !r.mute[n] {
				node = n
			}
		}
	}
	r.mu.Unlock()
	if node != "" {
		r.give(shard, node)
	}
}

func (r *realm) owner(shard int) Ownership {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.owners[shard]
}

func (r *realm) silence(node string, on bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mute[node] = on
}

func (s *seat) renew() {
	s.r.mu.Lock()
	if s.end {
		s.r.mu.Unlock()
		return
	}
	now := s.h.Now()
	var news []Ownership
	var gone []int
	for i, o := range s.r.owners {
		switch {
		case o.Node == s.self.Name && !s.r.mute[o.Node]:
			o.Deadline = now.Add(s.r.lease)
			s.r.owners[i] = o
			news = append(news, o)
		case o.Node != "" && o.Node != s.self.Name && now.After(o.Deadline.Add(s.r.lease/10)):
			gone = append(gone, i)
		}
	}
	s.r.mu.Unlock()
	for _, o := range news {
		s.h.Owner(o)
	}
	for _, i := range gone {
		s.r.mu.Lock()
		o := s.r.owners[i]
		o.Node = ""
		s.r.owners[i] = o // its owner is not told: it does not answer
		s.r.mu.Unlock()
		s.r.vacant(i)
	}
	s.h.AfterFunc(s.r.lease/3, s.renew)
}

func (s *seat) Claim(shard int) {
	s.r.mu.Lock()
	if s.end {
		s.r.mu.Unlock()
		return
	}
	if !slices.Contains(s.r.claims[shard], s.self.Name) {
		s.r.claims[shard] = append(s.r.claims[shard], s.self.Name)
	}
	s.r.mu.Unlock()
	s.r.vacant(shard)
}

func (s *seat) Release(shard int) {
	s.r.mu.Lock()
	s.r.claims[shard] = slices.DeleteFunc(s.r.claims[shard], func(n string) bool { return n == s.self.Name })
	mine := s.r.owners[shard].Node == s.self.Name
	s.r.mu.Unlock()
	if mine {
		s.r.give(shard, "")
		s.r.vacant(shard)
	}
}

func (s *seat) Receive(string, []byte) {}

func (s *seat) Leave(context.Context) error {
	s.r.mu.Lock()
	s.end = true
	delete(s.r.hosts, s.self.Name)
	var mine []int
	for i := range 1 << 12 {
		s.r.claims[i] = slices.DeleteFunc(s.r.claims[i], func(n string) bool { return n == s.self.Name })
		if s.r.owners[i].Node == s.self.Name {
			mine = append(mine, i)
		}
	}
	s.r.mu.Unlock()
	for _, i := range mine {
		s.r.give(i, "")
		s.r.vacant(i)
	}
	return nil
}

// world is nodes that offer one kind, and what is said of them.
type world struct {
	t     *testing.T
	net   *pipes
	realm *realm
	nodes []*real
	cfg   func(*Config)

	mu   sync.Mutex
	lost []kernel.Record
	why  []kernel.Reason
	said []string // Kernel.Report
}

func (w *world) observer() *kernel.Observer {
	return &kernel.Observer{
		Dropped: func(r kernel.Record, why kernel.Reason) {
			w.mu.Lock()
			defer w.mu.Unlock()
			if r.Event != evEnd && r.Event != evBegin {
				w.lost, w.why = append(w.lost, r), append(w.why, why)
			}
		},
		Reported: func(_, cause string, err error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.said = append(w.said, cause+": "+err.Error())
		},
	}
}

func (w *world) join(m kernel.Mode, name string, kinds ...Kind) *real {
	w.t.Helper()
	r := &real{k: kernel.New(kernel.Config{Mode: m, Observer: w.observer()}), pipe: w.net.pipe(name), end: make(chan error, 1)}
	cfg := Config{
		Name: name, Transport: r.pipe, Directory: w.realm, Kinds: kinds, Shards: 8,
		Heartbeat: 50 * time.Millisecond, LostAfter: 500 * time.Millisecond, CallTimeout: 5 * time.Second,
	}
	if w.cfg != nil {
		w.cfg(&cfg)
	}
	var err error
	if r.Node, err = Join(r.k, cfg); err != nil {
		w.t.Fatal(err)
	}
	w.nodes = append(w.nodes, r)
	r.go_()
	return r
}

// losses is the number of events that were reported as dropped until now.
func (w *world) losses() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.lost)
}

func (w *world) reports() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.said)
}

func (w *world) stop() {
	for _, r := range w.nodes {
		r.stop(w.t)
	}
	w.nodes = nil
}

// worlds runs a test in virtual time, in both modes.
func worlds(t *testing.T, f func(t *testing.T, w *world, m kernel.Mode)) {
	t.Helper()
	for _, m := range []kernel.Mode{kernel.Parallel, kernel.Serial} {
		t.Run(m.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &world{t: t, net: new(pipes), realm: newRealm()}
				defer w.stop()
				f(t, w, m)
			})
		})
	}
}

// on is where the shard of a key is.
func on(a kernel.Address, shards int) int {
	path, _ := split(a)
	return shardOf(string(path), shards)
}

// keyOn is a key whose preferred node, of those, is the first.
func keyOn(nodes ...string) kernel.Address {
	for i := 0; ; i++ {
		a := Place("user", i)
		best, at := uint64(0), ""
		for _, n := range nodes {
			if r := rank(n, on(a, 8)); r > best {
				best, at = r, n
			}
		}
		if at == nodes[0] {
			return a
		}
	}
}
