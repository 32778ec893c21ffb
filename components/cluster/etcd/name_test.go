package etcd

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestHolder(t *testing.T) {
	at := func(s float64) time.Time { return epochStart.Add(time.Duration(s * float64(time.Second))) }
	var dead, renewed, slow, next holder
	for s := range 7 { // etcd needs a while to end it
		if dead.alive(1, max(4-int64(s), 0), 5, at(float64(s))) {
			t.Errorf("a lease that only runs down is alive after %d s", s)
		}
	}
	if renewed.alive(1, 4, 5, at(0)) || renewed.alive(1, 3, 5, at(1.5)) || !renewed.alive(1, 4, 5, at(1.8)) || !renewed.alive(1, 3, 5, at(3)) {
		t.Error("a lease that grows is not alive, or was before")
	}
	if slow.alive(1, 0, 1, at(0)) || slow.alive(1, 0, 1, at(2.9)) || !slow.alive(1, 0, 1, at(3.1)) {
		t.Error("a lease of less than two seconds is alive when it is older than that")
	}
	if next.alive(1, 1, 5, at(0)) || next.alive(2, 4, 5, at(9)) {
		t.Error("another lease is taken for the one before")
	}
	if !next.alive(0, 0, 0, at(0)) {
		t.Error("a key without a lease has no end")
	}
}

func TestName_LiveTwin(t *testing.T) {
	t.Parallel()
	w := newTown(t, sharedServer(t))
	a := w.add("a")
	twin := w.prepare("a")
	err := twin.join(twin.config())
	if !errors.Is(err, ErrNameTaken) {
		t.Fatal(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(a.members) != 1 || a.members[0].Address != a.self.Address {
		t.Errorf("a lists %v", a.members)
	}
}

func TestName_DeadPredecessor(t *testing.T) {
	t.Parallel()
	w := newTown(t, sharedServer(t))
	w.ttl = 2 * time.Second
	a := w.add("a")
	a.claim(1)
	first := a.awaitOwner(1)
	epoch := a.first().Epoch
	a.proxy.hole() // as good as dead
	next := w.add("a")
	next.claim(1)
	if second := next.awaitOwner(1); second.Epoch <= first.Epoch {
		t.Errorf("epoch %d after %d", second.Epoch, first.Epoch)
	}
	if e := next.first().Epoch; e <= epoch {
		t.Errorf("node's epoch %d after %d", e, epoch)
	}
	a.proxy.heal()
	w.await("the old one is told that it is not wanted", func() bool { return a.failed(ErrNameTaken) == 1 })
	if err := next.leave(); err != nil {
		t.Fatal(err)
	}
	w.await("it owns the shard again", func() bool { return a.acts(1) && a.owners[1].Epoch > first.Epoch })
}

func TestName_EpochsGrow(t *testing.T) {
	t.Parallel()
	w := newTown(t, sharedServer(t))
	var last uint64
	for range 5 {
		a := w.add("a")
		if e := a.first().Epoch; e <= last {
			t.Fatalf("epoch %d after %d", e, last)
		} else {
			last = e
		}
		if err := a.leave(); err != nil {
			t.Fatal(err)
		}
	}
	own := w.prepare("own")
	own.self.Epoch = 1 << 60
	if err := own.join(own.config()); err != nil {
		t.Fatal(err)
	}
	b := w.add("b")
	w.await("the caller's epoch is kept", func() bool { return len(b.members) == 2 && b.members[1].Epoch == 1<<60 })
}

func TestJoin_EndsWithItsContext(t *testing.T) {
	t.Parallel()
	w := newTown(t, sharedServer(t))
	for _, w.ttl = range []time.Duration{time.Second, time.Minute} { // with a try that has failed, and without
		a := w.prepare("a")
		a.proxy.cut()
		ctx, cancel := context.WithTimeout(context.Background(), 1500*time.Millisecond)
		defer cancel()
		if _, err := Directory(a.config()).Join(ctx, a.self, a); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, ErrUnreachable) {
			t.Errorf("TTL %v: %v", w.ttl, err)
		}
	}
}

func TestLeave_EndsWithItsContext(t *testing.T) {
	t.Parallel()
	w := newTown(t, sharedServer(t))
	a := w.add("a")
	a.proxy.hole()
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	begun := time.Now()
	if err := a.leaveWithin(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if d := time.Since(begun); d > w.ttl {
		t.Errorf("it took %v", d)
	}
}
