package etcd

import (
	"context"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

// operator is a client beside the directories.
func (w *town) operator() *clientv3.Client {
	w.t.Helper()
	p, err := newProxy(w.server)
	if err != nil {
		w.t.Fatal(err)
	}
	c, err := clientv3.New(clientv3.Config{Endpoints: []string{p.address()}, Logger: zap.NewNop()})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { c.Close(); p.close() })
	return c
}

func deadline(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// must is for what an operator does.
func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
