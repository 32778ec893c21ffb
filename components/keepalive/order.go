package keepalive

import (
	"sync"
	"sync/atomic"

	"github.com/usher-go/usher/kernel"
)

// order is a request with what belongs to it, on its way into the pool and there.
type order struct {
	id  RequestID
	key Key
	req Request
	who kernel.Address
	got chan Response // of Get, which takes the place of a session; room for one

	waiting bool // not answered by the call that brought it

	// The requester's lease (A32). It is taken after that call, by when the
	// answer may be on its way already.
	lease    atomic.Pointer[kernel.Lease]
	answered atomic.Bool
	once     sync.Once
}

// hold keeps the requester until letGo. Its handler still runs, so that it
// cannot have ended.
func (o *order) hold(c *kernel.Context) {
	o.lease.Store(c.Lease("keepalive request"))
	if o.answered.Load() {
		o.letGo()
	}
}

func (o *order) letGo() {
	o.answered.Store(true)
	if l := o.lease.Load(); l != nil {
		o.once.Do(l.Release)
	}
}
