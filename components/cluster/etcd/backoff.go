package etcd

import (
	"cmp"
	"context"
	"time"
)

const (
	firstWait = 100 * time.Millisecond
	lastWait  = 2 * time.Second
)

// pause is the time between tries: it doubles from firstWait to lastWait, and half of
// it is left to chance, so that nodes which lost etcd together come back one by one.
type pause struct {
	chance func(n int64) int64 // Host.Chance
	most   time.Duration       // instead of lastWait, unless 0
	last   time.Duration
}

func (p *pause) reset() { p.last = 0 }

// wait blocks until the time is over or ctx ends.
func (p *pause) wait(ctx context.Context) {
	p.last = min(max(2*p.last, firstWait), cmp.Or(p.most, lastWait))
	half := p.last / 2
	sleep(ctx, half+time.Duration(p.chance(int64(half))))
}

// sleep blocks for d or until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
