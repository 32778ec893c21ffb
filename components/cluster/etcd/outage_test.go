package etcd

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// outage is a way in which etcd is away from all. Each node owns a shard of its own
// and wants the other's.
func outage(t *testing.T, s *server, strike, heal func()) {
	w := newTown(t, s)
	w.ttl = 3 * time.Second
	a, b := w.add("a"), w.add("b")
	a.claim(1)
	b.claim(2)
	first := a.awaitOwner(1)
	b.awaitOwner(2)
	a.claim(2)
	b.claim(1)
	strike()
	w.await("nobody owns anything", func() bool {
		return a.failed(ErrLeaseLost) > 0 && b.failed(ErrLeaseLost) > 0 && !a.acts(1) && !b.acts(2)
	})
	w.mu.Lock()
	for _, h := range w.hosts {
		if h.failed(ErrUnreachable) != 1 || h.failed(ErrLeaseLost) != 1 || len(h.failures) != 2 {
			t.Errorf("%s was told other than once of each: %v", h.self.Name, h.failures)
		}
	}
	w.mu.Unlock()
	heal()
	w.await("both shards have an owner again, and both nodes are listed", func() bool {
		return a.acts(1) != b.acts(1) && a.acts(2) != b.acts(2) && a.owners[1].Epoch > first.Epoch &&
			len(a.members) == 2 && len(b.members) == 2
	})
}

func TestOutage_Stopped(t *testing.T) {
	t.Parallel()
	s := ownServer(t)
	outage(t, s, func() { s.signal(t, syscall.SIGSTOP) }, func() { s.signal(t, syscall.SIGCONT) })
}

func TestOutage_KilledAndRestarted(t *testing.T) {
	t.Parallel()
	s := ownServer(t)
	outage(t, s, func() { s.signal(t, syscall.SIGKILL) }, func() {
		if err := s.start(); err != nil {
			t.Fatal(err)
		}
	})
}

// A restart that is quicker than the deadline changes nothing.
func TestOutage_QuickRestart(t *testing.T) {
	t.Parallel()
	s := ownServer(t)
	w := newTown(t, s)
	w.ttl = time.Minute
	a, b := w.add("a"), w.add("b")
	a.claim(1)
	first := a.awaitOwner(1)
	b.claim(1)
	s.signal(t, syscall.SIGKILL)
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	b.claim(2)
	b.awaitOwner(2)
	w.await("a hears of it", func() bool { return a.owners[2].Node == "b" })
	w.mu.Lock()
	defer w.mu.Unlock()
	if !a.acts(1) || a.owners[1].Epoch != first.Epoch {
		t.Errorf("a has %+v after %+v; failures: %v", a.owners[1], first, a.failures)
	}
}

// An etcd that begins anew breaks the promise that epochs grow, and has nothing to
// say to those who watch for revisions to come.
func TestOutage_DataLost(t *testing.T) {
	t.Parallel()
	s := ownServer(t)
	w := newTown(t, s)
	c := w.operator()
	for range 20 {
		must(c.Put(deadline(t), "x", ""))(t)
	}
	a := w.add("a")
	s.signal(t, syscall.SIGKILL)
	if err := os.RemoveAll(filepath.Join(s.dir, "data0")); err != nil {
		t.Fatal(err)
	}
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	w.await("a is told of both", func() bool { return a.failed(ErrLeaseLost) == 1 && a.failed(errWentBack) == 1 })
	b := w.add("b")
	w.await("they know each other", func() bool { return len(a.members) == 2 && len(b.members) == 2 })
	a.claim(1)
	a.awaitOwner(1)
}

// Of three members one may hang, which is worse than to be gone.
func TestOutage_OneOfThreeMembers(t *testing.T) {
	t.Parallel()
	for name, sig := range map[string]syscall.Signal{"stopped": syscall.SIGSTOP, "killed": syscall.SIGKILL} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			servers := ownServers(t, 3, nil)
			w := newTown(t, servers[0])
			w.ttl = 6 * time.Second
			a, b := w.prepare("a"), w.prepare("b")
			for _, h := range []*host{a, b} {
				cfg := h.config()
				for _, s := range servers[1:] {
					p, err := newProxy(s)
					if err != nil {
						t.Fatal(err)
					}
					t.Cleanup(p.close)
					cfg.Endpoints = append(cfg.Endpoints, p.address())
				}
				if err := h.join(cfg); err != nil {
					t.Fatal(err)
				}
			}
			a.claim(1)
			first := a.awaitOwner(1)
			b.claim(1)
			servers[w.leader(servers)].signal(t, sig)
			struck := time.Now()
			w.await("a's lease goes on beyond its TTL", func() bool {
				return a.acts(1) && a.owners[1].Deadline.After(struck.Add(2*w.ttl))
			})
			a.release(1)
			if second := b.awaitOwner(1); second.Epoch <= first.Epoch {
				t.Errorf("epoch %d after %d", second.Epoch, first.Epoch)
			}
			w.mu.Lock()
			defer w.mu.Unlock()
			if a.owners[1].Epoch == first.Epoch && a.failed(ErrLeaseLost) > 0 {
				t.Errorf("failures: %v", a.failures)
			}
		})
	}
}

// leader is the number of the member that leads.
func (w *town) leader(servers []*server) int {
	w.t.Helper()
	for n, s := range servers {
		c := (&town{t: w.t, server: s}).operator()
		if r := must(c.Status(deadline(w.t), c.Endpoints()[0]))(w.t); r.Leader == r.Header.MemberId {
			return n
		}
	}
	w.t.Fatal("no member leads")
	return 0
}

func TestOutage_OutOfSpace(t *testing.T) {
	t.Parallel()
	w := newTown(t, ownServer(t))
	w.ttl = 3 * time.Second
	a := w.add("a")
	a.claim(1)
	first := a.awaitOwner(1)
	c := w.operator()
	member := must(c.Get(deadline(t), "x"))(t).Header.MemberId
	alarm := &etcdserverpb.AlarmRequest{
		Action: etcdserverpb.AlarmRequest_ACTIVATE, MemberID: member, Alarm: etcdserverpb.AlarmType_NOSPACE}
	must(etcdserverpb.NewMaintenanceClient(c.ActiveConnection()).Alarm(deadline(t), alarm))(t)
	b := w.prepare("b")
	joined := make(chan error)
	go func() { joined <- b.join(b.config()) }()
	w.await("b is told why it does not get in, and a goes on", func() bool {
		return b.failed(rpctypes.ErrNoSpace) == 1 && a.acts(1) && a.owners[1].Deadline.After(first.Deadline.Add(2*w.ttl))
	})
	must(c.AlarmDisarm(deadline(t), (*clientv3.AlarmMember)(&etcdserverpb.AlarmMember{MemberID: member, Alarm: alarm.Alarm})))(t)
	if err := <-joined; err != nil {
		t.Fatal(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(b.failures) != 1 || len(a.failures) != 0 {
		t.Errorf("failures: %v, %v", a.failures, b.failures)
	}
}

func TestOutage_WrongPasswordUntilItIsRight(t *testing.T) {
	t.Parallel()
	w := newTown(t, ownServer(t))
	w.ttl = 3 * time.Second
	c := w.operator()
	ctx := deadline(t)
	must(c.RoleAdd(ctx, "root"))(t)
	must(c.UserAdd(ctx, "root", "secret"))(t)
	must(c.UserGrantRole(ctx, "root", "root"))(t)
	must(c.RoleAdd(ctx, "node"))(t)
	root := newKeys(w.prefix).root
	must(c.RoleGrantPermission(ctx, "node", root, clientv3.GetPrefixRangeEnd(root), clientv3.PermissionType(clientv3.PermReadWrite)))(t)
	must(c.UserAdd(ctx, "node", "first"))(t)
	must(c.UserGrantRole(ctx, "node", "node"))(t)
	must(c.AuthEnable(ctx))(t)

	a := w.prepare("a")
	cfg := a.config()
	cfg.Username, cfg.Password = "node", "wrong"
	short, cancel := context.WithCancel(ctx)
	a.onFailure = func(err error) {
		if !errors.Is(err, rpctypes.ErrAuthFailed) {
			t.Error(err)
		}
		cancel()
	}
	if _, err := Directory(cfg).Join(short, a.self, a); !errors.Is(err, rpctypes.ErrAuthFailed) || !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}

	cfg.Password = "first"
	b := w.prepare("b")
	if err := b.join(cfg); err != nil {
		t.Fatal(err)
	}
	b.claim(1)
	first := b.awaitOwner(1)
	w.await("b's lease is renewed", func() bool { return b.owners[1].Deadline.After(first.Deadline) })
	w.server.signal(t, syscall.SIGKILL) // which forgets who has logged in
	if err := w.server.start(); err != nil {
		t.Fatal(err)
	}
	started := time.Now()
	w.await("b is logged in again", func() bool { return b.acts(1) && b.owners[1].Deadline.After(started.Add(2*w.ttl)) })
	if err := b.leave(); err != nil {
		t.Errorf("Leave: %v", err)
	}
}
