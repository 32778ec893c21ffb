package etcd

import (
	"context"
	"errors"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// session is one registration of the node: what begins with a lease and ends with it.
type session struct {
	m        *membership
	client   *clientv3.Client
	lease    clientv3.LeaseID
	ttl      time.Duration // as granted
	deadline time.Time     // by the host's clock; renew's while it runs
	start    int64         // the revision that was read

	jobs *queue[job]
	ctx  context.Context
	end  context.CancelCauseFunc
}

var (
	errDeadline = errors.New("it was not renewed in time")
	errEnded    = errors.New("etcd has ended it")
)

// open registers the node under a new lease and reads all there is. What is left of
// the last lease is removed first, for its keys would stand in the way.
func (m *membership) open(ctx context.Context) (*session, error) {
	if m.client == nil {
		client, err := m.cfg.dial(ctx)
		if err != nil {
			return nil, understand("connecting", err)
		}
		m.client = client
	}
	step := func(do func(context.Context) error) error {
		ctx, cancel := context.WithTimeout(ctx, m.cfg.TTL)
		defer cancel()
		return do(ctx)
	}
	s := &session{m: m, client: m.client, jobs: newQueue[job]()}
	var all news
	for _, do := range []func(context.Context) error{
		m.clear, m.checkName, s.grant, s.register,
		func(ctx context.Context) (err error) { all, err = s.fetch(ctx); return err },
	} {
		if err := step(do); err != nil {
			return nil, err
		}
	}
	s.ctx, s.end = context.WithCancelCause(ctx)
	s.start = all.rev
	epoch, deadline := m.epoch, s.deadline
	m.inbox.put(func() { m.opened(s, deadline, epoch, all) })
	return s, nil
}

func (m *membership) opened(s *session, deadline time.Time, epoch uint64, all news) {
	m.session = s
	delete(m.troubles, atWatch) // of the last session
	delete(m.troubles, atShards)
	m.perform(m.table.opened(int64(s.lease), deadline, epoch, all))
	select {
	case <-m.joined:
	default:
		close(m.joined)
	}
}

// clear removes what is left of the last session.
func (m *membership) clear(ctx context.Context) error {
	if m.lease == 0 {
		return nil
	}
	if err := revoke(ctx, m.client, m.lease); err != nil {
		return err
	}
	m.lease = 0
	return nil
}

// grant takes the time before it asks: etcd counts from a later moment on.
func (s *session) grant(ctx context.Context) error {
	asked := s.m.host.Now()
	r, err := s.client.Grant(ctx, int64(s.m.cfg.TTL/time.Second))
	if err != nil {
		return understand("getting a lease", err)
	}
	s.m.lease = r.ID
	s.lease, s.ttl = r.ID, time.Duration(r.TTL)*time.Second
	s.deadline = asked.Add(s.ttl - margin(s.ttl))
	return nil
}

// register makes the node's key. When its answer is lost the next session removes
// what it has done, together with the lease.
func (s *session) register(ctx context.Context) error {
	m := s.m
	key := m.keys.node(m.self.Name)
	r, err := s.client.Txn(ctx).
		If(clientv3.Compare(clientv3.CreateRevision(key), "=", 0)).
		Then(clientv3.OpPut(key, encode(nodeValue{m.self.Address, m.epoch}), clientv3.WithLease(s.lease))).
		Commit()
	if err != nil {
		return understand("registering the node", err)
	}
	if !r.Succeeded {
		return quiet{errors.New("another node was quicker to take the name")} // checkName will say who
	}
	if m.epoch == 0 {
		m.epoch = uint64(r.Header.Revision)
	}
	return nil
}

// fetch reads all there is.
func (s *session) fetch(ctx context.Context) (news, error) {
	r, err := s.client.Get(ctx, s.m.keys.root, clientv3.WithPrefix())
	if err != nil {
		return news{}, understand("reading nodes and shards", err)
	}
	all := news{whole: true, rev: r.Header.Revision}
	for _, kv := range r.Kvs {
		all.add(s.m.keys, kv, all.rev)
	}
	return all, nil
}

// run blocks until the lease is lost or the node leaves.
func (s *session) run() {
	var g sync.WaitGroup
	g.Go(s.follow)
	g.Go(s.work)
	g.Go(s.renew)
	g.Wait()
	cause := context.Cause(s.ctx)
	s.m.inbox.put(func() { s.m.lose(s, cause) })
	if cause == errTaken && s.leaseLives() {
		// The next session revokes it: not before its deadline, until which nobody else
		// is to own its shards.
		sleep(s.m.ctx, s.deadline.Sub(s.m.host.Now()))
	}
}

// leaseLives reports whether etcd still has the lease, as far as can be found out.
func (s *session) leaseLives() bool {
	ctx, cancel := context.WithTimeout(s.m.ctx, s.m.cfg.TTL)
	defer cancel()
	r, err := s.client.TimeToLive(ctx, s.lease)
	return err != nil || r.TTL >= 0
}
