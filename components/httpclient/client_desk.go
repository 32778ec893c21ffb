package httpclient

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// desk is the client's session: it keeps the books, and answers.
type desk struct {
	client *Client
	table  *table
	known  map[kernel.Address]bool // requesters whose end we want to hear of
	down   bool
}

func (d *desk) session() *session.Session {
	return session.New(
		session.Handle("_start", d.start),
		session.Handle("_stop", d.stop),
		session.On(EvRequest, d.request),
		session.On(EvCancel, d.cancel),
		session.On(EvShutdown, d.shutdown),
		session.On(EvPending, d.pending),
		session.On(EvStats, d.stats),
		session.On(evChunk, d.chunk),
		session.On(evDone, d.done),
		session.On(evProgress, d.progress),
		session.On(evContext, d.context),
		session.On(evTimeout, d.timeout),
		session.Handle(evGone, d.gone),
	)
}

func (d *desk) start(c *kernel.Context) error {
	c.Kernel().Describe(d.client.cfg.Alias, func() any { s, _ := d.client.Stats(); return s })
	return nil
}

func (d *desk) request(c *kernel.Context, req Request) error {
	who := c.Sender()
	if req.Hold != nil {
		who = req.Hold.Address()
	}
	err := check(req)
	if err == nil {
		err = d.know(c, who)
	}
	if err != nil {
		c.Kernel().Report("httpclient", "request that cannot be answered", err)
		release(req.Hold)
		return nil
	}
	if req.id == 0 {
		req.id = newID()
	}
	c.Return(req.id)
	j := newJob(&d.client.cfg, c.Kernel().Now, req, who)
	d.table.add(j)
	switch err := checkURL(req.HTTP); {
	case d.down:
		d.answer(c, j, j.refused(ErrShutDown, nil))
	case err != nil:
		d.answer(c, j, j.refused(ErrScheme, err))
	default:
		j.timer = evTimeout.DelaySet(c, j.timeout, j)
		j.ignore = context.AfterFunc(req.HTTP.Context(), func() { _ = evContext.PostFrom(d.client.k, d.client.addr, j) })
		d.startNext()
	}
	return nil
}

// know has a requester's end reported, once.
func (d *desk) know(c *kernel.Context, who kernel.Address) error {
	switch {
	case d.known[who]:
		return nil
	case who == "":
		return fmt.Errorf("%w: it has neither a sender nor a Hold; want a lease on the session that is to be answered", ErrArgument)
	}
	err := c.Monitor(who, evGone)
	if err == nil {
		d.known[who] = true
	}
	return err
}

func (d *desk) startNext() {
	for j := d.table.next(); j != nil; j = d.table.next() {
		j.started = true
		go d.client.fetch(j)
	}
}

func (d *desk) cancel(c *kernel.Context, which any) error {
	if j := d.find(which); j != nil {
		d.answer(c, j, j.refused(ErrCancelled, nil))
	} else {
		c.Return(ErrNoRequest)
	}
	return nil
}

// find returns the request that a cancel means, of several the oldest.
func (d *desk) find(which any) *job {
	if id, ok := which.(RequestID); ok {
		return d.table.pending[id]
	}
	for _, j := range d.jobs(func(j *job) bool { return which == j.req.HTTP }) {
		return j
	}
	return nil
}

// gone drops what a requester that stopped had asked for.
func (d *desk) gone(c *kernel.Context) error {
	who, _ := c.Arg(0).(kernel.Address)
	delete(d.known, who)
	for _, j := range d.jobs(func(j *job) bool { return j.who == who }) {
		d.forget(c, j, ErrCancelled)
		release(j.req.Hold)
	}
	return nil
}

func everyJob(*job) bool { return true }

// jobs are the pending requests that are meant, oldest first.
func (d *desk) jobs(meant func(*job) bool) []*job {
	var list []*job
	for _, id := range slices.Sorted(maps.Keys(d.table.pending)) {
		if j := d.table.pending[id]; meant(j) {
			list = append(list, j)
		}
	}
	return list
}

// shutdown answers what is pending, ends the transport and gives up the alias, in
// this order (A118).
func (d *desk) shutdown(c *kernel.Context, _ struct{}) error {
	if d.down {
		return nil
	}
	for _, j := range d.jobs(everyJob) {
		d.answer(c, j, j.refused(ErrShutDown, nil))
	}
	d.close(c)
	_ = c.AliasRemove(d.client.cfg.Alias) // ErrNoSession when somebody was faster
	return nil
}

// stop: this session ends, and what it posts now is dropped. After Shutdown there
// is nothing left to give up.
func (d *desk) stop(c *kernel.Context) error {
	d.client.over.Store(true)
	for _, j := range d.jobs(everyJob) {
		d.forget(c, j, ErrShutDown)
		release(j.req.Hold)
	}
	if !d.down {
		d.close(c)
	}
	return nil
}

func (d *desk) close(c *kernel.Context) {
	d.down = true
	d.client.stop()
	c.Kernel().Describe(d.client.cfg.Alias, nil)
}

func (d *desk) pending(c *kernel.Context, _ struct{}) error {
	c.Return(len(d.table.pending))
	return nil
}

func (d *desk) stats(c *kernel.Context, _ struct{}) error {
	c.Return(d.table.stats())
	return nil
}

// checkURL refuses what the original refuses before it asks for a connection, and ports
// that are none.
func checkURL(req *http.Request) error {
	if s := req.URL.Scheme; s != "http" && s != "https" {
		return fmt.Errorf("%w: scheme %q", ErrScheme, s)
	}
	if req.URL.Hostname() == "" {
		return fmt.Errorf("%w: no host", ErrScheme)
	}
	if _, _, err := address(req.URL); err != nil {
		return fmt.Errorf("%w: port %s; want 1 to 65535", ErrScheme, req.URL.Port())
	}
	return nil
}
