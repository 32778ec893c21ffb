package etcd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// follow tells the table of changes. Where the watch has a gap, because etcd has
// compacted what it missed or does not answer, everything is read again.
func (s *session) follow() {
	retry := pause{chance: s.m.host.Chance}
	for from := s.start; ; {
		heard, err := s.watch(from)
		if heard {
			retry.reset()
		}
		for {
			if s.ctx.Err() != nil {
				return
			}
			if !errors.Is(err, rpctypes.ErrCompacted) {
				s.trouble(atWatch, err)
				retry.wait(s.ctx)
			}
			var all news
			if all, err = s.fetchAgain(); err == nil {
				s.trouble(atWatch, nil)
				from = all.rev
				s.m.during(s, func() { s.m.perform(s.m.table.learn(all)) })
				break
			}
		}
	}
}

func (s *session) fetchAgain() (news, error) {
	ctx, cancel := context.WithTimeout(s.ctx, s.m.cfg.TTL)
	defer cancel()
	return s.fetch(ctx)
}

var errSilent = errors.New("etcd was silent")

// watch follows what came after a revision, and returns when it cannot any more. As
// a watch without events looks like one that hangs, it asks for signs of life.
func (s *session) watch(after int64) (heard bool, err error) {
	ctx, cancel := context.WithCancelCause(clientv3.WithRequireLeader(s.ctx))
	defer cancel(nil)
	limit := s.ttl
	silent := time.AfterFunc(limit, func() { cancel(errSilent) })
	defer silent.Stop()
	s.m.running.Go(func() { s.askForLife(ctx, limit/3) })

	for r := range s.client.Watch(ctx, s.m.keys.root, clientv3.WithPrefix(), clientv3.WithRev(after+1)) {
		if err := r.Err(); err != nil {
			return heard, understand("watching nodes and shards", err)
		}
		heard = true
		silent.Reset(limit)
		var changes news
		for _, e := range r.Events {
			if e.Type == clientv3.EventTypeDelete {
				changes.remove(s.m.keys, string(e.Kv.Key), e.Kv.ModRevision)
			} else {
				changes.add(s.m.keys, e.Kv, e.Kv.ModRevision)
			}
		}
		if len(changes.nodes)+len(changes.shards) > 0 {
			s.m.during(s, func() { s.m.perform(s.m.table.learn(changes)) })
		}
	}
	if context.Cause(ctx) == errSilent {
		return heard, fmt.Errorf("watching nodes and shards: %w: nothing was heard for %v", ErrUnreachable, limit)
	}
	return heard, errors.New("watching nodes and shards: the watch has ended")
}

func (s *session) askForLife(ctx context.Context, every time.Duration) {
	for {
		sleep(ctx, every)
		if ctx.Err() != nil {
			return
		}
		ask, cancel := context.WithTimeout(ctx, every)
		_ = s.client.RequestProgress(ask) // what fails is seen by watch
		cancel()
	}
}
