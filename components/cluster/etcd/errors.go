package etcd

import "errors"

// What Join returns and Host.Failed is told, for errors.Is. Other errors of etcd come
// along as its client has them: rpctypes.ErrNoSpace, rpctypes.ErrAuthFailed.
var (
	// ErrNameTaken: a live node has this node's name.
	ErrNameTaken = errors.New("node name taken")
	// ErrUnreachable: etcd does not answer, or has no leader.
	ErrUnreachable = errors.New("etcd is out of reach")
	// ErrLeaseLost: the node was out of the cluster, and with it its shards; it is
	// registering again.
	ErrLeaseLost = errors.New("lease lost")
)
