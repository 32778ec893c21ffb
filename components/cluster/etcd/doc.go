// Package etcd is a directory for clusters that have an etcd, version 3.4 or later.
//
//	node, err := cluster.Join(k, cluster.Config{
//		Name:      "node-1",
//		Listen:    "10.0.0.1:7000",
//		Directory: etcd.Directory(etcd.Config{Endpoints: []string{"10.0.0.9:2379"}}),
//	})
//
// It is a Go module of its own, so that programs without etcd do not carry its client.
//
// # What is in etcd
//
//	PREFIX/nodes/NAME     {"address": "10.0.0.1:7000", "epoch": 7}
//	PREFIX/shards/NUMBER  {"node": "NAME"}
//
// Both are under the node's lease, and go with it. The node's epoch is the one that
// it brings along or else the revision at which it was first registered; a shard's is
// the revision at which its owner got it. Both grow with each start and each owner.
//
// # What is promised
//
// An owner's deadline is when it last asked for a renewal that was answered, plus the
// TTL, less a tenth of it. etcd counts the whole TTL, from later on; so nobody else
// owns the shard before the deadline, unless the owner's clock is slower than etcd's
// by a tenth. Clocks are never compared. A node that was stopped, or cut off, knows by
// its own clock that it is over: all its shards are lost at once, it reports
// ErrLeaseLost, registers again under a new lease, for ever if need be, and claims
// again what it wants, under new epochs. Others have its shards within TTL and about
// two seconds more.
//
// A node that leaves in order revokes its lease, and others have its shards at once.
// Claims that stand wait for the watch to show that a shard is free; nothing is polled.
//
// What goes wrong is told to Host.Failed once for each cause, while the directory goes
// on trying with waits of up to two seconds: etcd out of reach or slow (ErrUnreachable),
// a refused login, missing permissions, no space left. Leases are renewed and shards
// are kept when etcd has no space left, but nobody can register.
//
// # What is not promised
//
// These break the rule of one owner before the deadline, so that only epochs tell old
// owners from new ones: a person or program that deletes keys or revokes leases; a
// clock that stands still while others run, as in a virtual machine that is suspended.
// With several members etcd itself did so at times when a leader was stuck
// (etcd-io/etcd#15247 and #20590): run a release that has both mended.
//
// Epochs do not grow when etcd loses its data, or when they are restored from a backup
// without --bump-revision; it is reported.
//
// # A client of one's own
//
// The directory's own client gives up on a silent connection, and connects again at
// least once a second. Give a Config.Client the like: DialKeepAliveTime,
// DialKeepAliveTimeout, and grpc.WithConnectParams in DialOptions, for gRPC otherwise
// waits up to two minutes.
package etcd
