package kernel_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

// A stop of many is as if it happened at once: a handler that still runs when
// others have ended already is none the worse for it, and nothing queued for its
// session is begun after it.
func TestG6_VerdictIsAsIfAtOnce(t *testing.T) {
	running, ended := make(chan struct{}), make(chan struct{})
	var gone kernel.Address
	k := boot(t, kernel.Parallel, func(c *kernel.Config) {
		stopped := c.Observer.Stopped
		c.Observer.Stopped = func(a kernel.Address) {
			if stopped(a); a == gone {
				close(ended)
			}
		}
	})
	k.spawn(table{"_start": func(c *kernel.Context) error { // so that it is deeper, and ends first
		var err error
		gone, err = c.Spawn(nop, kernel.Alias("deep"))
		return err
	}})
	k.spawn(table{
		"_start": func(c *kernel.Context) error { must(c.Yield("busy")); return c.Yield("next") },
		"busy": func(c *kernel.Context) error {
			close(running)
			<-ended
			expect(t, "a post by ID to who ended", c.Post(gone, "late"), nil)
			expect(t, "a post by name to who ended", c.Post("deep", "late"), nil)
			_, err := c.Call(gone, "late")
			expect(t, "a call to who ended is ErrNoSession", errors.Is(err, kernel.ErrNoSession), true)
			return err
		},
		"next": k.noting("next"),
	})
	go func() { <-running; must(k.Signal("", "TERM")) }()
	k.run()
	k.wantNotes()
	expect(t, "failures that are the stop's doing", k.failed.Load(), 1)
	k.wantDrops(map[string]int{"late: receiver stopped": 2, "next: receiver stopped": 1})
}

// A stop of many sessions may take longer than StopTimeout, and is no failure as
// long as one after the other ends.
func TestG6_StopTimeoutIsWithoutProgress(t *testing.T) {
	const each, n = 50 * time.Millisecond, 40
	k := boot(t, kernel.Parallel, func(c *kernel.Config) { c.StopTimeout = n / 2 * each })
	slow := table{"_stop": func(*kernel.Context) error {
		begin := time.Now()
		until(t, "some time has passed", func() bool { return time.Since(begin) > each })
		return nil
	}}
	for range n {
		k.service(slow)
	}
	k.Stop()
	k.run()
	expect(t, "sessions that stopped", k.stopped.Load(), n)
}

func TestStopTimeoutErrorStaysReadable(t *testing.T) {
	err := &kernel.StopTimeoutError{Timeout: time.Second, Sessions: make([]string, 1_000_000)}
	if s := err.Error(); len(s) > 500 || !strings.Contains(s, "and 999990 more") {
		t.Errorf("%d bytes: %.200s", len(s), s)
	}
}
