package httpclient

import (
	"context"
	"errors"
	"fmt"

	"github.com/usher-go/usher/kernel"
)

// answer sends a request's last response, unless it was sent before (A45).
func (d *desk) answer(c *kernel.Context, j *job, r Response) {
	if !d.forget(c, j, kindIn(r.Err)) {
		return
	}
	if err := j.req.Event.Post(c, j.who, r); errors.Is(err, kernel.ErrQueueFull) {
		c.Kernel().Report("httpclient", "answer dropped: the requester's QueueLimit is reached", err)
	}
	release(j.req.Hold)
}

// forget ends what belongs to a pending request, but for its hold.
func (d *desk) forget(c *kernel.Context, j *job, kind error) bool {
	if !d.table.finish(j, kind) {
		return false
	}
	if !j.started {
		closeBody(j.req.HTTP)
	}
	j.ignore()
	j.cancel()
	_, _ = c.AlarmRemove(j.timer) // it may have fired, or never been set
	return true
}

// done comes from every goroutine, once, at its end.
func (d *desk) done(c *kernel.Context, p piece[Response]) error {
	d.table.returned()
	d.answer(c, p.job, p.what)
	d.startNext()
	return nil
}

func (d *desk) chunk(c *kernel.Context, p piece[Response]) error {
	if d.table.pending[p.job.id] == nil {
		return nil
	}
	if err := p.job.req.Event.Post(c, p.job.who, p.what); errors.Is(err, kernel.ErrQueueFull) {
		d.answer(c, p.job, p.job.refused(ErrNoAnswer, err))
	}
	return nil
}

func (d *desk) progress(c *kernel.Context, p piece[Progress]) error {
	if d.table.pending[p.job.id] != nil {
		_ = p.job.req.Progress.Post(c, p.job.who, p.what) // it stopped, or has enough to do
	}
	return nil
}

// context answers for a request that waits, and for a transport that does not
// look at its context.
func (d *desk) context(c *kernel.Context, j *job) error {
	d.answer(c, j, j.failed(context.Cause(j.req.HTTP.Context())))
	return nil
}

// timeout looks whether anything has moved since the timer was set (A113).
func (d *desk) timeout(c *kernel.Context, j *job) error {
	if left := j.left(c.Now()); left > 0 && d.table.pending[j.id] == j {
		j.timer = evTimeout.DelaySet(c, left, j)
		return nil
	}
	d.answer(c, j, j.refused(ErrTimeout, fmt.Errorf("nothing for %v", j.timeout)))
	return nil
}
