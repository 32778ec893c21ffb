package keepalive

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/usher-go/usher/kernel"
)

// watcher is a session that wants the statistics by an event.
type watcher struct {
	who   kernel.Address
	event kernel.Event[Stats]
	every time.Duration
	lease *kernel.Lease
	timer kernel.TimerID // of the next time; 0 without
}

// WatchStats posts event with the pool's Stats to the current session: at once,
// and then every so often; with every 0 only once. That keeps the session and the
// pool, as a timer of the session would, until stop is called, the session stops or
// the pool is shut down. stop may be called from any goroutine, and more than once;
// an event that is on its way then still comes. Errors: ErrArgument and ErrShutDown.
func (p *Pool) WatchStats(c *kernel.Context, every time.Duration, event kernel.Event[Stats]) (stop func(), err error) {
	switch {
	case event == "":
		err = fmt.Errorf("%w: WatchStats has no event; want the one that is to bring the Stats", ErrArgument)
	case every < 0:
		err = fmt.Errorf("%w: WatchStats every %v; want 0 for once, or more", ErrArgument, every)
	case c.Kernel() != p.k:
		err = fmt.Errorf("%w: WatchStats by a session of another kernel; watch from one of the pool's", ErrArgument)
	}
	if err != nil {
		return nil, err
	}
	w := &watcher{who: c.Self(), event: event, every: every, lease: c.Lease("keepalive WatchStats")}
	if _, err := evWatch.Call(c, p.addr, w); err != nil {
		w.lease.Release()
		return nil, ended(err)
	}
	return sync.OnceFunc(func() {
		if _, err := p.k.Call(context.Background(), p.addr, evUnwatch.Name(), w); err != nil {
			_ = evUnwatch.PostFrom(p.k, p.addr, w) // a CallTimeout: later, then
		}
	}), nil
}

func (p *keeper) watchStats(c *kernel.Context, w *watcher) error {
	if p.table.shut {
		return ErrShutDown
	}
	if err := p.know(c, w.who); err != nil {
		return err
	}
	p.watchers = append(p.watchers, w)
	return p.tellStats(c, w)
}

// tellStats posts the statistics, and sets the time of the next.
func (p *keeper) tellStats(c *kernel.Context, w *watcher) error {
	w.timer = 0
	if err := w.event.Post(c, w.who, p.snapshot()); errors.Is(err, kernel.ErrQueueFull) {
		c.Kernel().Report("keepalive", "statistics dropped: the watcher's QueueLimit is reached", err)
	}
	if w.every == 0 {
		return p.unwatchStats(c, w)
	}
	w.timer = evTell.DelaySet(c, w.every, w)
	return nil
}

func (p *keeper) unwatchStats(c *kernel.Context, w *watcher) error {
	p.forget(c, func(x *watcher) bool { return x == w })
	return nil
}

// forget ends the watchers of which is said so.
func (p *keeper) forget(c *kernel.Context, over func(*watcher) bool) {
	p.watchers = slices.DeleteFunc(p.watchers, func(w *watcher) bool {
		if !over(w) {
			return false
		}
		if w.timer != 0 {
			_, _ = c.AlarmRemove(w.timer)
		}
		w.lease.Release()
		return true
	})
}
