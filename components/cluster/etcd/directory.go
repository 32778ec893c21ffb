package etcd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/usher-go/usher/components/cluster"
)

// Directory is for cluster.Config.Directory. What is wrong with a Config comes from
// Join, as cluster.ErrConfig.
func Directory(cfg Config) cluster.Directory { return directory{cfg} }

type directory struct{ cfg Config }

// Join blocks until the node is registered and has been told of the others. An etcd
// that does not answer, and the lease of a predecessor of the same name that was not
// shut down, make it wait, for ever if ctx has no end; what it waits for is told to
// Host.Failed, and comes with ctx's error when that ends. A live node of the same
// name is ErrNameTaken, as soon as it has renewed its lease.
func (d directory) Join(ctx context.Context, self cluster.Member, h cluster.Host) (cluster.Membership, error) {
	cfg := d.cfg
	if err := cfg.fill(); err != nil {
		return nil, err
	}
	if !validName(self.Name) {
		return nil, fmt.Errorf("etcd: %w: the node's name is %q; want one that is not empty and has no slash", cluster.ErrConfig, self.Name)
	}
	if self.Address == "" {
		return nil, fmt.Errorf("etcd: %w: the address of node %q is empty; want host:port", cluster.ErrConfig, self.Name)
	}
	m := newMembership(cfg, self, h)
	m.begin()
	var err error
	select {
	case <-m.joined:
		return m, nil
	case err = <-m.refused:
	case <-ctx.Done():
		err = ctx.Err()
	}
	_ = m.Leave(ctx) // what is left in etcd ends with its lease
	if m.cause != nil && !errors.Is(err, m.cause) {
		err = fmt.Errorf("%w: %w", err, m.cause)
	}
	return nil, fmt.Errorf("etcd: node %q has not joined: %w", self.Name, err)
}

// margin is how much of a lease an owner does not use: it bounds by how much its
// clock may run slower than etcd's.
func margin(ttl time.Duration) time.Duration { return ttl / 10 }
