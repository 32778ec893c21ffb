package etcd

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
)

// ownClient is a Config.Client with interceptors.
func (h *host) ownClient(t *testing.T, opts ...grpc.DialOption) *clientv3.Client {
	t.Helper()
	c, err := clientv3.New(clientv3.Config{Endpoints: []string{h.proxy.address()}, DialOptions: opts, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestClient_ClaimsAreFewTransactions(t *testing.T) {
	t.Parallel()
	const shards = 256
	w := newTown(t, sharedServer(t))
	a := w.prepare("a")
	var txns atomic.Int64
	count := func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, next grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		if strings.HasSuffix(method, "/Txn") {
			txns.Add(1)
		}
		return next(ctx, method, req, reply, cc, opts...)
	}
	client := a.ownClient(t, grpc.WithChainUnaryInterceptor(count))
	if err := a.join(Config{Client: client, Prefix: w.prefix, TTL: w.ttl}); err != nil {
		t.Fatal(err)
	}
	txns.Store(0)
	all := make([]int, shards)
	for n := range all {
		all[n] = n
	}
	a.claim(all...)
	w.await("a owns all", func() bool { return !slices.ContainsFunc(all, func(n int) bool { return !a.acts(n) }) })
	// Four are full ones; the rest is what was claimed before they were sent.
	if n := txns.Load(); n > 24 {
		t.Errorf("%d transactions", n)
	}
	if err := a.leave(); err != nil {
		t.Fatal(err)
	}
	r, err := client.Get(deadline(t), newKeys(w.prefix).root, clientv3.WithPrefix())
	if err != nil {
		t.Fatalf("Leave has closed the client: %v", err)
	}
	if len(r.Kvs) != 0 {
		t.Errorf("left behind: %v", r.Kvs)
	}
}

// deaf is a stream that hears nothing while it is told so.
type deaf struct {
	grpc.ClientStream
	on *atomic.Bool
}

func (d deaf) RecvMsg(m any) error {
	for {
		if err := d.ClientStream.RecvMsg(m); err != nil || !d.on.Load() {
			return err
		}
	}
}

func TestClient_SilentWatchIsNoticed(t *testing.T) {
	t.Parallel()
	w := newTown(t, sharedServer(t))
	w.ttl = 3 * time.Second
	a := w.prepare("a")
	var on atomic.Bool
	mute := func(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, next grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
		s, err := next(ctx, desc, cc, method, opts...)
		if err == nil && strings.HasSuffix(method, "/Watch") {
			s = deaf{s, &on}
		}
		return s, err
	}
	if err := a.join(Config{Client: a.ownClient(t, grpc.WithChainStreamInterceptor(mute)), Prefix: w.prefix, TTL: w.ttl}); err != nil {
		t.Fatal(err)
	}
	a.claim(1)
	first := a.awaitOwner(1)
	on.Store(true)
	w.add("b")
	w.await("a learns of b all the same", func() bool { return slices.Equal(a.names(), []string{"a", "b"}) })
	w.mu.Lock()
	if a.failed(ErrUnreachable) != 1 || a.failed(ErrLeaseLost) != 0 {
		t.Errorf("failures: %v", a.failures)
	}
	w.mu.Unlock()
	on.Store(false)
	w.await("the lease was renewed meanwhile", func() bool {
		return a.owners[1].Epoch == first.Epoch && a.owners[1].Deadline.Sub(first.Deadline) > 2*time.Second
	})
}

// A calm watch asks for signs of life, gets them, and is not begun anew.
func TestClient_CalmWatchGoesOn(t *testing.T) {
	t.Parallel()
	w := newTown(t, sharedServer(t))
	w.ttl = 3 * time.Second
	a := w.prepare("a")
	var reads atomic.Int64
	count := func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, next grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		if strings.HasSuffix(method, "/Range") {
			reads.Add(1)
		}
		return next(ctx, method, req, reply, cc, opts...)
	}
	if err := a.join(Config{Client: a.ownClient(t, grpc.WithChainUnaryInterceptor(count)), Prefix: w.prefix, TTL: w.ttl}); err != nil {
		t.Fatal(err)
	}
	a.claim(1)
	first := a.awaitOwner(1)
	reads.Store(0)
	w.await("four TTLs pass", func() bool { return a.owners[1].Deadline.Sub(first.Deadline) > 4*w.ttl })
	if n := reads.Load(); n != 0 {
		t.Errorf("everything was read again %d times", n)
	}
	w.calm()
}
