package etcd

import (
	"slices"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// fault is a way in which a node loses etcd. The other one has claimed its shard and
// gets it; afterwards the first comes back, and has it again when the other leaves.
func fault(t *testing.T, strike, heal func(h *host)) {
	w := newTown(t, sharedServer(t))
	w.ttl = 3 * time.Second
	a, b := w.add("a"), w.add("b")
	a.claim(3)
	first := a.awaitOwner(3)
	b.claim(3)
	w.await("b knows the owner, and a has renewed its lease", func() bool {
		return b.owners[3].Node == "a" && a.owners[3].Deadline.After(first.Deadline)
	})
	strike(a)
	// The check in host.Owner sees to it that a's deadline is over by then.
	second := b.awaitOwner(3)
	if second.Epoch <= first.Epoch {
		t.Errorf("b has epoch %d after a's %d", second.Epoch, first.Epoch)
	}
	w.await("b lists itself only", func() bool { return slices.Equal(b.names(), []string{"b"}) })
	w.await("a knows that it has lost the shard", func() bool {
		return a.owners[3].Node != "a" && a.owners[3].Epoch > first.Epoch && a.failed(ErrLeaseLost) == 1
	})
	heal(a)
	w.await("a is back, and knows the owner", func() bool {
		return slices.Equal(b.names(), []string{"a", "b"}) && a.owners[3].Node == "b" && a.owners[3].Epoch == second.Epoch
	})
	w.mu.Lock()
	if a.members[0].Epoch == 0 || b.members[0] != a.members[0] {
		t.Errorf("a is %v for itself and %v for b", a.members, b.members)
	}
	w.mu.Unlock()
	if err := b.leave(); err != nil {
		t.Fatal(err)
	}
	if third := a.awaitOwner(3); third.Epoch <= second.Epoch {
		t.Errorf("a has epoch %d after b's %d", third.Epoch, second.Epoch)
	}
}

func TestFault_BlackHole(t *testing.T) {
	t.Parallel()
	fault(t, func(h *host) { h.proxy.hole() }, func(h *host) { h.proxy.heal() })
}

func TestFault_ConnectionsRefused(t *testing.T) {
	t.Parallel()
	fault(t, func(h *host) { h.proxy.cut() }, func(h *host) { h.proxy.heal() })
}

func TestFault_BrokenConnectionIsNone(t *testing.T) {
	t.Parallel()
	w := newTown(t, sharedServer(t))
	w.ttl = 6 * time.Second
	a := w.add("a")
	a.claim(3)
	first := a.awaitOwner(3)
	a.proxy.cut()
	a.proxy.heal()
	w.await("the lease goes on", func() bool { return a.owners[3].Deadline.After(first.Deadline.Add(w.ttl)) })
	w.mu.Lock()
	defer w.mu.Unlock()
	if a.owners[3].Epoch != first.Epoch || a.failed(ErrLeaseLost) > 0 {
		t.Errorf("%+v after %+v, failures: %v", a.owners[3], first, a.failures)
	}
}

// leaseOf finds what a key is under.
func leaseOf(t *testing.T, c *clientv3.Client, key string) clientv3.LeaseID {
	t.Helper()
	r := must(c.Get(deadline(t), key))(t)
	if len(r.Kvs) != 1 {
		t.Fatalf("%s: %v", key, r.Kvs)
	}
	return clientv3.LeaseID(r.Kvs[0].Lease)
}

func TestFault_LeaseRevoked(t *testing.T) {
	t.Parallel()
	w := newTown(t, sharedServer(t))
	w.ttl = time.Minute // the watch says it, not a deadline
	a := w.add("a")
	a.claim(3, 4)
	first, other := a.awaitOwner(3), a.awaitOwner(4)
	c := w.operator()
	must(c.Revoke(deadline(t), leaseOf(t, c, newKeys(w.prefix).node("a"))))(t)
	w.await("a owns both again", func() bool {
		return a.acts(3) && a.owners[3].Epoch > first.Epoch && a.acts(4) && a.owners[4].Epoch > other.Epoch
	})
	w.mu.Lock()
	defer w.mu.Unlock()
	if a.failed(ErrLeaseLost) != 1 || len(a.failures) != 1 {
		t.Errorf("failures: %v", a.failures)
	}
}

func TestFault_NodeKeyDeleted(t *testing.T) {
	t.Parallel()
	w := newTown(t, sharedServer(t))
	w.ttl = 4 * time.Second
	a, b := w.add("a"), w.add("b")
	a.claim(3)
	first := a.awaitOwner(3)
	b.claim(3)
	c := w.operator()
	must(c.Delete(deadline(t), newKeys(w.prefix).node("a")))(t)
	w.await("a knows", func() bool { return a.failed(ErrLeaseLost) == 1 && a.owners[3].Node == "" })
	w.await("the shard has a later owner", func() bool {
		return (a.acts(3) || b.acts(3)) && w.latest[3].Epoch > first.Epoch
	})
	if left := time.Until(first.Deadline); left > 0 {
		t.Errorf("that was %v before a's deadline", left)
	}
	w.await("a is back", func() bool { return slices.Equal(b.names(), []string{"a", "b"}) })
}

func TestFault_ShardKeyDeleted(t *testing.T) {
	t.Parallel()
	w := newTown(t, sharedServer(t))
	a := w.add("a")
	a.claim(3)
	first := a.awaitOwner(3)
	c := w.operator()
	must(c.Delete(deadline(t), newKeys(w.prefix).shard(3)))(t)
	w.await("a owns it under a new epoch", func() bool { return a.acts(3) && a.owners[3].Epoch > first.Epoch })
	w.calm()
}

func TestFault_CompactedWhileAway(t *testing.T) {
	t.Parallel()
	w := newTown(t, ownServer(t))
	w.ttl = time.Minute // the lease outlives the gap
	a, b := w.add("a"), w.add("b")
	b.claim(1, 2)
	b.awaitOwner(2)
	w.await("a knows", func() bool { return a.owners[1].Node == "b" && a.owners[2].Node == "b" })
	a.proxy.cut()
	b.release(2)
	w.await("b has given 2 up", func() bool { return b.owners[2].Node == "" })
	if err := b.leave(); err != nil {
		t.Fatal(err)
	}
	d := w.add("d")
	d.claim(1)
	d.awaitOwner(1)
	c := w.operator()
	rev := must(c.Put(deadline(t), "rev", ""))(t).Header.Revision
	must(c.Compact(deadline(t), rev, clientv3.WithCompactPhysical()))(t)
	a.proxy.heal()
	w.await("a has caught up", func() bool {
		return slices.Equal(a.names(), []string{"a", "d"}) && a.owners[1].Node == "d" && a.owners[2].Node == ""
	})
	w.mu.Lock()
	defer w.mu.Unlock()
	if a.failed(ErrLeaseLost) > 0 {
		t.Errorf("failures: %v", a.failures)
	}
}

// What a process does first after it was stopped for a while must not be to act on
// what it owned before.
func TestPause_LosesAllAtOnce(t *testing.T) {
	t.Parallel()
	w := newTown(t, sharedServer(t))
	w.ttl = time.Minute // the next renewal is far away
	a := w.add("a")
	a.claim(1)
	first := a.awaitOwner(1)
	a.skew.Store(int64(time.Hour))
	a.claim(2)
	w.await("a has lost its shard, and owns both under new epochs", func() bool {
		return a.failed(ErrLeaseLost) == 1 && a.acts(1) && a.owners[1].Epoch > first.Epoch && a.acts(2)
	})
}
