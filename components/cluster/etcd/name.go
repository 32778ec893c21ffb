package etcd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc"
)

// holder is the lease under which somebody else has this node's name: a live node of
// the same name, or this one's predecessor, whose lease is yet to end.
type holder struct {
	lease int64
	least int64     // of its remaining seconds
	until time.Time // it has ended by then if nobody renews it
	live  bool      // somebody does
}

// grace is for etcd, which looks for leases that are over twice a second, and counts
// whole seconds.
const grace = 2 * time.Second

// alive reports whether the lease is renewed, as far as two looks can tell. A lease
// of 0 has no end.
func (h *holder) alive(lease, remaining, granted int64, now time.Time) bool {
	if lease == 0 {
		return true
	}
	if h.lease != lease {
		*h = holder{lease: lease, least: remaining, until: now.Add(time.Duration(granted)*time.Second + grace)}
	}
	h.least = min(h.least, remaining)
	h.live = h.live || remaining > h.least || now.After(h.until)
	return h.live
}

// checkName finds out whether the node's name is free. It is the first to ask etcd for
// something, and does it without clientv3's Get, which hides why there is no connection:
// a refused one, or a certificate that is not trusted.
func (m *membership) checkName(ctx context.Context) error {
	key := m.keys.node(m.self.Name)
	r, err := etcdserverpb.NewKVClient(m.client.ActiveConnection()).
		Range(ctx, &etcdserverpb.RangeRequest{Key: []byte(key)}, grpc.WaitForReady(true))
	if err != nil {
		return understand("looking for the node's name", rpctypes.Error(err))
	}
	if len(r.Kvs) == 0 {
		return nil
	}
	kv := r.Kvs[0]
	var remaining, granted int64
	if kv.Lease != 0 {
		l, err := m.client.TimeToLive(ctx, clientv3.LeaseID(kv.Lease))
		if err != nil {
			return understand("looking at the lease of the node's name", err)
		}
		remaining, granted = l.TTL, l.GrantedTTL
	}
	if m.holder.alive(kv.Lease, remaining, granted, m.host.Now()) {
		return fmt.Errorf("%w: %s is %s; give each node a name of its own, or end the other", ErrNameTaken, key, kv.Value)
	}
	return quiet{errors.New("the lease of a predecessor of the same name has not ended yet")}
}
