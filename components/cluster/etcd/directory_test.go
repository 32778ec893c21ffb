package etcd

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

func TestMembers_EachListIsWhole(t *testing.T) {
	t.Parallel()
	w := newTown(t, sharedServer(t))
	a, b, c := w.add("a"), w.add("b"), w.add("c")
	all := []string{"a", "b", "c"}
	w.await("all know all", func() bool {
		return slices.Equal(a.names(), all) && slices.Equal(b.names(), all) && slices.Equal(c.names(), all)
	})
	w.mu.Lock()
	if !slices.Equal(a.members, b.members) || a.members[1].Address != b.self.Address || a.members[1].Epoch == 0 {
		t.Errorf("a knows %v, b knows %v", a.members, b.members)
	}
	w.mu.Unlock()
	if err := b.leave(); err != nil {
		t.Fatal(err)
	}
	w.await("b is gone at once", func() bool {
		return slices.Equal(a.names(), []string{"a", "c"}) && slices.Equal(c.names(), []string{"a", "c"})
	})
	w.calm()
	if err := b.leave(); err != nil {
		t.Errorf("second Leave: %v", err)
	}
}

func TestShards_OneOwnerEach(t *testing.T) {
	t.Parallel()
	const shards = 64
	w := newTown(t, sharedServer(t))
	hosts := []*host{w.prepare("a"), w.prepare("b"), w.prepare("c")}
	hosts[1].skew.Store(int64(time.Hour))
	hosts[2].skew.Store(int64(-time.Hour))
	for _, h := range hosts {
		if err := h.join(h.config()); err != nil {
			t.Fatal(err)
		}
	}
	for n := range shards {
		for i := range hosts {
			hosts[(n+i)%3].Claim(n)
		}
	}
	owned := func(hosts ...*host) bool {
		for n := range shards {
			owners := 0
			for _, h := range hosts {
				if h.acts(n) {
					owners++
				}
				if h.owners[n].Node != hosts[0].owners[n].Node || h.owners[n].Epoch != hosts[0].owners[n].Epoch {
					return false
				}
			}
			if owners != 1 {
				return false
			}
		}
		return true
	}
	w.await("every shard has one owner, and all agree who", func() bool { return owned(hosts...) })
	w.calm()
	if err := hosts[0].leave(); err != nil {
		t.Fatal(err)
	}
	w.await("the others own what a had", func() bool { return owned(hosts[1:]...) })
}

func TestShards_ReleaseLetsTheNextIn(t *testing.T) {
	t.Parallel()
	w := newTown(t, sharedServer(t))
	a, b := w.add("a"), w.add("b")
	a.claim(7)
	first := a.awaitOwner(7)
	b.claim(7)
	w.await("b knows the owner", func() bool { return b.owners[7].Node == "a" && b.owners[7].Epoch == first.Epoch })
	a.release(7)
	second := b.awaitOwner(7)
	if second.Epoch <= first.Epoch {
		t.Errorf("epoch %d after %d", second.Epoch, first.Epoch)
	}
	w.await("a knows the new owner", func() bool { return a.owners[7].Node == "b" })
	// Given up and claimed again at once: b has it under a new epoch, or a has.
	a.claim(7)
	b.release(7)
	b.claim(7)
	w.await("the shard has a later owner", func() bool {
		return (a.acts(7) || b.acts(7)) && a.owners[7].Epoch > second.Epoch && b.owners[7].Epoch == a.owners[7].Epoch
	})
}

func TestShards_OwnersDeadlineMovesOn(t *testing.T) {
	t.Parallel()
	w := newTown(t, sharedServer(t))
	w.ttl = 6 * time.Second
	a := w.add("a")
	a.claim(1)
	first := a.awaitOwner(1)
	if left := time.Until(first.Deadline); left > w.ttl*9/10 {
		t.Errorf("deadline in %v, which is later than a TTL of %v less its margin", left, w.ttl)
	}
	w.await("three renewals", func() bool {
		return a.owners[1].Epoch == first.Epoch && a.owners[1].Deadline.Sub(first.Deadline) > w.ttl
	})
	w.calm()
}

func TestPrefix_DoesNotBleed(t *testing.T) {
	t.Parallel()
	w := newTown(t, sharedServer(t))
	a := w.add("a")
	for i, prefix := range []string{w.prefix + "2", w.prefix + "/nodes", w.prefix + "/shards", w.prefix[:len(w.prefix)-1]} {
		other := newTown(t, w.server)
		other.prefix = prefix
		b := other.add(fmt.Sprint("b", i))
		b.claim(1)
		b.awaitOwner(1)
		if len(b.members) != 1 {
			t.Errorf("%s sees %v", prefix, b.members)
		}
	}
	c := w.add("c") // its coming is seen after what was done before
	w.await("a and c know each other, and nobody else", func() bool {
		return slices.Equal(a.names(), []string{"a", "c"}) && slices.Equal(c.names(), []string{"a", "c"})
	})
	w.mu.Lock()
	defer w.mu.Unlock()
	if a.told+c.told != 0 {
		t.Errorf("owners were told: %v, %v", a.owners, c.owners)
	}
}
