package etcd

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usher-go/usher/components/cluster"
)

// town is several nodes that use one etcd under one prefix. It checks at every word
// of a directory that no shard has two owners by their own judgement, and that epochs
// grow.
type town struct {
	t      *testing.T
	server *server
	prefix string
	ttl    time.Duration // long: where nothing is lost nothing is told, if etcd answers within a third of it

	mu      sync.Mutex
	changed chan struct{} // closed at each change
	hosts   []*host
	latest  map[int]cluster.Ownership // the highest epoch that was ever told
}

func newTown(t *testing.T, s *server) *town {
	h := fnv.New32()
	h.Write([]byte(t.Name()))
	return &town{
		t: t, server: s, prefix: fmt.Sprintf("t%x", h.Sum32()), ttl: 10 * time.Second,
		changed: make(chan struct{}), latest: map[int]cluster.Ownership{},
	}
}

// host is a node without anything but its directory.
type host struct {
	town  *town
	proxy *proxy
	self  cluster.Member
	skew  atomic.Int64 // of its clock, a time.Duration

	// under town.mu
	cluster.Membership
	gone     bool // it has left, and is to hear nothing more
	members  []cluster.Member
	owners   map[int]cluster.Ownership
	released map[int]uint64 // the epochs that it gave up
	failures []error
	told     int // calls of Owner

	onFailure func(error) // unless nil
}

var _ cluster.Host = (*host)(nil)

// prepare makes a node that has not joined.
func (w *town) prepare(name string) *host {
	w.t.Helper()
	p, err := newProxy(w.server)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(p.close)
	return &host{
		town: w, proxy: p, self: cluster.Member{Name: name, Address: p.address()},
		owners: map[int]cluster.Ownership{}, released: map[int]uint64{},
	}
}

func (h *host) config() Config {
	return Config{Endpoints: []string{h.proxy.address()}, Prefix: h.town.prefix, TTL: h.town.ttl, DialTimeout: time.Second}
}

func (h *host) join(cfg Config) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	w := h.town
	w.mu.Lock()
	w.hosts = append(w.hosts, h)
	w.mu.Unlock()
	m, err := Directory(cfg).Join(ctx, h.self, h)
	if err != nil {
		return err
	}
	w.mu.Lock()
	h.Membership = m
	w.mu.Unlock()
	w.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second) // etcd may be away
		defer cancel()
		_ = h.leaveWithin(ctx)
	})
	return nil
}

// add makes a node that has joined.
func (w *town) add(name string) *host {
	w.t.Helper()
	h := w.prepare(name)
	if err := h.join(h.config()); err != nil {
		w.t.Fatal(err)
	}
	return h
}

func (h *host) leave() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return h.leaveWithin(ctx)
}

func (h *host) leaveWithin(ctx context.Context) error {
	err := h.Leave(ctx)
	h.change(func() {
		h.gone = true
		clear(h.owners)
	})
	return err
}

func (h *host) claim(shards ...int) {
	for _, n := range shards {
		h.Claim(n)
	}
}

// release gives a shard up, having stopped to act for it.
func (h *host) release(n int) {
	h.change(func() { h.released[n] = h.owners[n].Epoch })
	h.Release(n)
}

func (h *host) change(f func()) {
	h.town.mu.Lock()
	defer h.town.mu.Unlock()
	f()
	close(h.town.changed)
	h.town.changed = make(chan struct{})
}

// acts reports whether the node may act for a shard now. Call it under town.mu.
func (h *host) acts(n int) bool {
	o := h.owners[n]
	return o.Node == h.self.Name && h.released[n] != o.Epoch && h.Now().Before(o.Deadline)
}

func (h *host) Now() time.Time       { return time.Now().Add(time.Duration(h.skew.Load())) }
func (h *host) Chance(n int64) int64 { return rand.Int64N(n) }

func (h *host) AfterFunc(d time.Duration, f func()) func() bool { return time.AfterFunc(d, f).Stop }

func (h *host) Send(string, []byte) error { return errors.New("nobody sends here") }

func (h *host) Members(list []cluster.Member) {
	h.change(func() {
		h.quiet()
		h.members = list
	})
}

func (h *host) Failed(err error) {
	h.change(func() {
		h.quiet()
		h.failures = append(h.failures, err)
	})
	if h.onFailure != nil {
		h.onFailure(err)
	}
}

func (h *host) quiet() {
	if h.gone {
		h.town.t.Errorf("%s: the directory calls after Leave", h.self.Name)
	}
}

func (h *host) Owner(o cluster.Ownership) {
	h.change(func() {
		h.quiet()
		h.told++
		w := h.town
		old := h.owners[o.Shard]
		switch {
		case o.Epoch < old.Epoch:
			w.t.Errorf("%s: shard %d: epoch goes back: %+v after %+v", h.self.Name, o.Shard, o, old)
		case o.Epoch == old.Epoch && o.Node != old.Node:
			w.t.Errorf("%s: shard %d: two owners in one epoch: %+v after %+v", h.self.Name, o.Shard, o, old)
		case o.Epoch == old.Epoch && o.Deadline.Before(old.Deadline):
			w.t.Errorf("%s: shard %d: the deadline goes back: %+v after %+v", h.self.Name, o.Shard, o, old)
		}
		if last := w.latest[o.Shard]; last.Node != "" && o.Node != "" && last.Epoch == o.Epoch && last.Node != o.Node {
			w.t.Errorf("shard %d: two owners in one epoch: %+v and %+v", o.Shard, o, last)
		} else if o.Epoch > last.Epoch {
			w.latest[o.Shard] = o
		}
		h.owners[o.Shard] = o
		if !h.acts(o.Shard) {
			return
		}
		for _, other := range w.hosts {
			if other != h && other.acts(o.Shard) {
				w.t.Errorf("shard %d: %s owns it (%+v), and so does %s (%+v)", o.Shard, h.self.Name, o, other.self.Name, other.owners[o.Shard])
			}
		}
	})
}

// await blocks until something is so. what says what is waited for.
func (w *town) await(what string, cond func() bool) {
	w.t.Helper()
	end := time.After(patience)
	for {
		w.mu.Lock()
		ok, changed := cond(), w.changed
		w.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-end:
			w.mu.Lock()
			defer w.mu.Unlock()
			for _, h := range w.hosts {
				w.t.Logf("%s: members %v, owners %v, failures %v", h.self.Name, h.members, h.owners, h.failures)
			}
			w.t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// calm checks that nothing has gone wrong so far.
func (w *town) calm() {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, h := range w.hosts {
		if len(h.failures) > 0 {
			w.t.Errorf("%s: %v", h.self.Name, h.failures)
		}
	}
}

// names are those of the members that a node knows of. Call it under town.mu.
func (h *host) names() (list []string) {
	for _, m := range h.members {
		list = append(list, m.Name)
	}
	return list
}

// first is the first member that a node knows of.
func (h *host) first() cluster.Member {
	h.town.mu.Lock()
	defer h.town.mu.Unlock()
	return h.members[0]
}

// awaitOwner blocks until the node owns a shard.
func (h *host) awaitOwner(n int) cluster.Ownership {
	h.town.t.Helper()
	var o cluster.Ownership
	h.town.await(fmt.Sprintf("%s owns shard %d", h.self.Name, n), func() bool {
		o = h.owners[n]
		return h.acts(n)
	})
	return o
}

// failed counts failures of a kind. Call it under town.mu.
func (h *host) failed(kind error) (n int) {
	for _, err := range h.failures {
		if errors.Is(err, kind) {
			n++
		}
	}
	return n
}
