package etcd

import (
	"context"
	"errors"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// batch is how many jobs go into one transaction. etcd allows 128 operations, and
// counts one for each job and one inside it.
const batch = 64

// work writes claims and releases to etcd, all that are due at a time.
func (s *session) work() {
	m := s.m
	retry := pause{chance: m.host.Chance}
	var todo work
	for s.ctx.Err() == nil {
		todo = append(todo, s.jobs.take()...)
		if len(todo) == 0 {
			select {
			case <-s.jobs.ready:
			case <-s.ctx.Done():
			}
			continue
		}
		part := todo[:min(len(todo), batch)]
		outcomes, err := s.commit(part)
		if errors.Is(err, rpctypes.ErrLeaseNotFound) {
			s.end(errEnded)
			return
		}
		s.trouble(atShards, err)
		if err != nil {
			retry.wait(s.ctx)
			continue
		}
		retry.reset()
		todo = todo[len(part):]
		m.during(s, func() { m.perform(m.table.answered(outcomes)) })
	}
}

// commit does jobs in one transaction of transactions, each with a condition of its
// own. One that was done before, by a try whose answer was lost, comes out as if it
// were done now.
func (s *session) commit(jobs work) ([]shardFact, error) {
	ctx, cancel := context.WithTimeout(s.ctx, s.m.cfg.TTL)
	defer cancel()
	mine := encode(shardValue{s.m.self.Name})
	var ops []clientv3.Op
	for _, j := range jobs {
		key := s.m.keys.shard(j.shard)
		get := []clientv3.Op{clientv3.OpGet(key)}
		if j.release == 0 {
			ops = append(ops, clientv3.OpTxn(
				[]clientv3.Cmp{clientv3.Compare(clientv3.CreateRevision(key), "=", 0)},
				[]clientv3.Op{clientv3.OpPut(key, mine, clientv3.WithLease(s.lease))}, get))
		} else {
			ops = append(ops, clientv3.OpTxn(
				[]clientv3.Cmp{clientv3.Compare(clientv3.ModRevision(key), "=", j.release)},
				[]clientv3.Op{clientv3.OpDelete(key)}, get))
		}
	}
	r, err := s.client.Txn(ctx).Then(ops...).Commit()
	if err != nil {
		return nil, understand("claiming and releasing shards", err)
	}
	var found news
	for i, j := range jobs {
		s.outcome(&found, j, r.Responses[i].GetResponseTxn(), r.Header.Revision)
	}
	return found.shards, nil
}

func (s *session) outcome(found *news, j job, r *etcdserverpb.TxnResponse, rev int64) {
	key := s.m.keys.shard(j.shard)
	switch {
	case r.Succeeded && j.release == 0:
		found.shards = append(found.shards, shardFact{shard: j.shard, node: s.m.self.Name, lease: int64(s.lease), epoch: rev, rev: rev})
	case r.Succeeded:
		found.remove(s.m.keys, key, rev)
	default:
		kvs := r.Responses[0].GetResponseRange().Kvs
		if len(kvs) == 0 {
			found.remove(s.m.keys, key, rev)
			return
		}
		found.add(s.m.keys, kvs[0], rev)
	}
}
