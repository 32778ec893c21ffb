package etcd

import "github.com/usher-go/usher/components/cluster"

// action is what a table wants done: one of the types below.
type action any

type (
	tellMembers []cluster.Member    // Host.Members
	tellOwner   cluster.Ownership   // Host.Owner
	work        []job               // to be written to etcd
	tryLater    struct{}            // table.due, after a while that differs from node to node
	report      struct{ err error } // Host.Failed
	giveUp      struct{ err error } // the lease, because of it
)

// job is a claim of a shard, or the release of one that was got at a revision.
type job struct {
	shard   int
	release int64 // 0: a claim
}
