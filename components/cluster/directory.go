package cluster

import (
	"context"
	"time"
)

// Directory says which nodes there are, and which of them owns a shard of the keys
// that Place spreads. Static is the one to begin with; package etcd has another.
type Directory interface {
	// Join makes a node known and begins to report to its host. It may block until
	// ctx ends; afterwards nothing of it does. It need not wait for other nodes.
	Join(ctx context.Context, self Member, h Host) (Membership, error)
}

// Member is a node as a directory knows it.
type Member struct {
	Name    string `json:"name"`
	Address string `json:"address"` // for Transport.Send
	Epoch   uint64 `json:"epoch"`   // grows with each start of the node of that name; 0: not known
}

// Membership is one node's part in a directory. Its methods are for any goroutine and,
// but for Leave, do not block.
type Membership interface {
	// Claim asks for a shard until Release: as soon as nobody else owns it, this
	// node does, and the directory renews what it owns in time. Host.Owner says what
	// came of it: ownership goes only to nodes that claim, and each time under another
	// epoch. To claim again is no error; after Leave it does nothing.
	Claim(shard int)

	// Release gives a shard up, owned or just claimed. The node has ended what acts
	// for it before; another may own it from now on.
	Release(shard int)

	// Receive takes what the same directory has sent from another node.
	Receive(from string, message []byte)

	// Leave takes the node out of the directory, and all its shards with it, so that
	// others need not wait for their deadlines. It may block until ctx ends. Host is
	// not called any more when it returns.
	Leave(ctx context.Context) error
}

// Host is the node as its Directory sees it. Its methods are for any goroutine, do not
// block, and may be called while one of Membership's runs.
type Host interface {
	// Now and AfterFunc are the kernel's clock, which is virtual in simulated mode.
	Now() time.Time
	AfterFunc(d time.Duration, f func()) (stop func() bool)

	// Chance is a number below n that differs from node to node, for delays.
	Chance(n int64) int64

	// Send brings a message to the same directory on another node: at most once, in
	// order. An error says that it was not sent.
	Send(node string, message []byte) error

	// Members is the whole list, this node included, whenever it changes. A member
	// that is not in it any more is lost. One that is may be out of reach all the same.
	Members(list []Member)

	// Owner says that another node owns a shard than was known, or that an owner's
	// deadline has moved.
	Owner(o Ownership)

	// Failed reports what goes wrong, such as a registry that does not answer. The
	// directory goes on trying.
	Failed(err error)
}

// Ownership is who owns a shard. Of two that are ever told for one shard, by any
// node, the one with the higher epoch is the later one, and its owner another, or
// the same after it had lost the shard.
type Ownership struct {
	Shard int
	Node  string // empty: nobody, as far as known
	Epoch uint64 // the fencing token

	// Deadline is for this node's own shards: by its own clock it may act until then
	// and not later, unless a later one has been told. No other node owns the shard
	// before that, however slow or fast clocks run, up to the directory's bound.
	Deadline time.Time
}
