package main

import (
	"context"
	"fmt"
	"net/http/httptrace"
	"os"
	"slices"
	"time"

	"github.com/usher-go/usher/components/httpclient"
	"github.com/usher-go/usher/components/keepalive"
	"github.com/usher-go/usher/kernel"
)

// What the fetcher is told.
const (
	Began   kernel.Event[*job]                = "began"   // a request has a connection
	Answer  kernel.Event[httpclient.Response] = "answer"  // a piece of the answer, or its end
	Counted kernel.Event[keepalive.Stats]     = "counted" // what the pool does now
)

// fetcher is the session that asks for everything, and knows how far it is.
type fetcher struct {
	pool          *keepalive.Pool
	ua            *httpclient.Client
	perHost, open int
	files         *os.Root // nil: nothing is saved
	screen        *screen
	frames        int // drawn on it

	jobs    []*job
	running []*job // the oldest first
	left    int    // not answered yet
	fetched int
	failed  int
	givenUp int
	bytes   int64

	begin     time.Time
	stopStats func()
	quitting  bool
}

func (f *fetcher) start(c *kernel.Context) (err error) {
	c.Sig("INT", "interrupted")
	c.Sig("TERM", "interrupted")
	f.begin, f.left, f.stopStats = c.Now(), len(f.jobs), func() {}
	if f.screen.live {
		if f.stopStats, err = f.pool.WatchStats(c, 100*time.Millisecond, Counted); err != nil {
			return err
		}
	}
	k, self := c.Kernel(), c.Self()
	for _, j := range f.jobs {
		hooks := httptrace.WithClientTrace(context.Background(), &httptrace.ClientTrace{
			GotConn: func(httptrace.GotConnInfo) { _ = Began.PostFrom(k, self, j) }, // not on this session's goroutine
		})
		if _, err := f.ua.Request(c, httpclient.Request{HTTP: j.req.WithContext(hooks), Event: Answer, Tag: j}); err != nil {
			return err
		}
	}
	return nil
}

func (f *fetcher) began(_ *kernel.Context, j *job) error {
	if !j.over && !slices.Contains(f.running, j) {
		f.running = append(f.running, j)
	}
	return nil
}

// answer takes a piece, which has the next one read, or the last word.
func (f *fetcher) answer(c *kernel.Context, res httpclient.Response) error {
	j := res.Tag.(*job)
	piece := res.Take()
	j.got += int64(len(piece))
	j.size = res.HTTP.ContentLength
	f.bytes += int64(len(piece))
	if f.files != nil && res.Err == nil {
		if err := j.save(f.files, piece); err != nil {
			return err // the disk is full: no use to go on
		}
	}
	if !res.Last {
		return nil
	}
	f.left--
	f.running = slices.DeleteFunc(f.running, func(r *job) bool { return r == j })
	switch err := j.finish(res, f.files); {
	case err != nil:
		return err
	case j.givenUp:
		f.givenUp++
	case j.good:
		f.fetched++
		f.screen.print(j.line())
	default:
		f.failed++
		f.screen.print(j.line())
	}
	if f.left == 0 {
		f.end(c)
	}
	return nil
}

// interrupted gives up what is not done: each request still gets its answer.
func (f *fetcher) interrupted(c *kernel.Context) error {
	if !f.quitting { // again: everything stops at once
		f.quitting = true
		c.SigHandled()
		f.ua.Shutdown()
	}
	return nil
}

func (f *fetcher) counted(_ *kernel.Context, s keepalive.Stats) error {
	if f.left > 0 {
		f.screen.draw(f.picture(s))
	}
	return nil
}

// end lets go of everything that holds the session, and so it stops, and Run returns.
func (f *fetcher) end(c *kernel.Context) {
	f.stopStats()
	f.ua.Shutdown()
	s, err := f.pool.Stats()
	if err != nil {
		return // somebody else has ended it, and the program with it
	}
	f.pool.Shutdown()
	f.screen.draw(nil)
	fmt.Fprintf(f.screen.out, "%d URLs: %d fetched, %d failed, %d given up; %s in %.1f s over %d connections\n",
		len(f.jobs), f.fetched, f.failed, f.givenUp, size(f.bytes), c.Now().Sub(f.begin).Seconds(), s.Total.Opened)
}
