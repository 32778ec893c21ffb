package main

import (
	"fmt"

	"github.com/usher-go/usher/components/backend"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// Price is the backend's one command: the price of an item.
const Price kernel.Event[*backend.Request] = "price"

// prices is the session behind the backend server.
type prices struct{ asked int }

// price is what everybody agrees an item costs, so that answers can be checked.
func price(item int64) int64 { return item*item%9973 + 1 }

func startBackend(k *kernel.Kernel, p *prices) (*backend.Server, error) {
	at, err := k.Spawn(session.New(session.On(Price, p.answer)), kernel.Alias("prices"))
	if err != nil {
		return nil, err
	}
	return backend.NewServer(k, backend.ServerConfig{
		Commands: map[string]kernel.Address{Price.Name(): at},
	})
}

func (p *prices) answer(_ *kernel.Context, r *backend.Request) error {
	p.asked++
	item, ok := argument(r.Args)
	if !ok {
		return r.Fail(fmt.Sprintf("price wants an item number, got %v", r.Args))
	}
	_ = r.Reply(price(item)) // a client that is gone asks again
	return nil
}

func argument(args []any) (int64, bool) {
	if len(args) != 1 {
		return 0, false
	}
	n, ok := args[0].(int64)
	return n, ok
}
