package etcd

import (
	"context"
	"io"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc"
)

// renew keeps the lease alive, three times within its TTL, and ends the session when
// the deadline has come.
func (s *session) renew() {
	m := s.m
	b := &beat{s: s}
	defer b.close()
	every := s.ttl / 3
	retry := pause{chance: m.host.Chance, most: every / 2}
	sleep(s.ctx, min(every, s.deadline.Sub(m.host.Now())))
	for s.ctx.Err() == nil {
		asked := m.host.Now()
		left := s.deadline.Sub(asked)
		if left <= 0 {
			s.end(errDeadline)
			return
		}
		ttl, err := b.once(min(every, left))
		s.trouble(atRegistry, err)
		switch {
		case err != nil:
			retry.wait(s.ctx)
		case ttl <= 0:
			s.end(errEnded)
		case !m.host.Now().Before(s.deadline): // the answer came too late
			s.end(errDeadline)
		default:
			retry.reset()
			next := asked.Add(ttl - margin(ttl))
			m.during(s, func() { m.perform(m.table.renewed(next)) })
			s.deadline = next
			sleep(s.ctx, min(every, s.deadline.Sub(m.host.Now())))
		}
	}
}

// beat renews a lease over one stream, with one question at a time. clientv3's own
// KeepAlive does not say when a question was sent, and its KeepAliveOnce opens a
// stream each time, for which etcd hashes the password again.
type beat struct {
	s      *session
	ctx    context.Context
	cancel context.CancelFunc // nil: there is no stream
	stream etcdserverpb.Lease_LeaseKeepAliveClient
}

// once returns how long the lease lives from when it is called; 0: etcd does not
// know it.
func (b *beat) once(limit time.Duration) (time.Duration, error) {
	if b.cancel == nil {
		b.ctx, b.cancel = context.WithCancel(clientv3.WithRequireLeader(b.s.ctx))
	}
	late := time.AfterFunc(limit, b.cancel)
	ttl, err := b.ask()
	inTime := late.Stop()
	if err != nil || !inTime {
		b.close()
	}
	if err != nil && !inTime {
		err = context.DeadlineExceeded
	}
	return ttl, understand("renewing the lease", err)
}

func (b *beat) ask() (time.Duration, error) {
	if b.stream == nil {
		lease := etcdserverpb.NewLeaseClient(b.s.client.ActiveConnection())
		stream, err := lease.LeaseKeepAlive(b.ctx, grpc.WaitForReady(true))
		if err != nil {
			return 0, rpctypes.Error(err)
		}
		b.stream = stream
	}
	// At the end of a stream Send has io.EOF, and Recv what it ended with.
	if err := b.stream.Send(&etcdserverpb.LeaseKeepAliveRequest{ID: int64(b.s.lease)}); err != nil && err != io.EOF {
		return 0, rpctypes.Error(err)
	}
	r, err := b.stream.Recv()
	if err != nil {
		return 0, rpctypes.Error(err)
	}
	return time.Duration(r.TTL) * time.Second, nil
}

func (b *beat) close() {
	if b.cancel != nil {
		b.cancel()
	}
	b.cancel, b.stream = nil, nil
}
