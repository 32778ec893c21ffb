package cluster

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/usher-go/usher/kernel"
)

// A directory that knows of a node's new start says so before that is heard of. What is
// posted in between is for the new start, and arrives; what was kept for the old is over.
func TestPostsToANodeThatTheDirectoryHasAgain(t *testing.T) {
	for _, gone := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			net := new(pipes)
			var mu sync.Mutex
			var dropped []string
			a := &real{pipe: net.pipe("a:1"), end: make(chan error, 1), k: kernel.New(kernel.Config{Observer: &kernel.Observer{
				Dropped: func(r kernel.Record, why kernel.Reason) {
					mu.Lock()
					defer mu.Unlock()
					dropped = append(dropped, r.Event+": "+string(why))
				},
			}})}
			list := &members{}
			join := func(r *real, name string) {
				t.Helper()
				var err error
				if r.Node, err = Join(r.k, Config{Name: name, Transport: r.pipe, Directory: list, Heartbeat: 50 * time.Millisecond}); err != nil {
					t.Fatal(err)
				}
				r.go_()
			}
			join(a, "a")
			begin := func() (*real, *notes, *kernel.Lease) {
				b := &real{pipe: net.pipe("b:1"), end: make(chan error, 1), k: kernel.New(kernel.Config{})}
				join(b, "b")
				n, l := b.hear(t, "logger", nil)
				return b, n, l
			}
			b, atB, lease := begin()
			list.tell(a, b)
			seen, watching := a.hear(t, "", func(c *kernel.Context) error { return a.Watch(c, "is") })
			time.Sleep(time.Second)
			post(t, a, "logger@b", "line", 1)
			atB.want(t, "line @a 1")
			time.Sleep(time.Second) // it is acknowledged
			b.pipe.cut(true)        // it ends without a word
			lease.Release()
			b.stop(t)
			if gone {
				list.tell(a)
			}
			b, atB, lease = begin()
			b.pipe.cut(true)
			list.tell(a, b)
			for i := range 3 {
				post(t, a, "logger@b", "line", 2+i)
			}
			b.pipe.cut(false)
			time.Sleep(time.Second)
			atB.want(t, "line @a 2", "line @a 3", "line @a 4")
			var states []string
			for len(seen.c) > 0 {
				states = append(states, <-seen.c)
			}
			want := []string{"is @ b is connecting", "is @ b is up", "is @ b is lost: silent for 0s", "is @ b is up"}
			if gone {
				want[2] = "is @ b is left"
			}
			if !slices.Equal(states, want) {
				t.Errorf("a sees %q, want %q", states, want)
			}
			watching.Release()
			mu.Lock()
			if len(dropped) > 0 {
				t.Errorf("dropped %q", dropped)
			}
			mu.Unlock()
			lease.Release()
			a.stop(t)
			b.stop(t)
		})
	}
}

// members is a Directory that says what a test tells it to.
type members struct {
	mu    sync.Mutex
	hosts map[string]Host
	self  map[string]Member
}

func (d *members) Join(_ context.Context, self Member, h Host) (Membership, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.hosts == nil {
		d.hosts, d.self = map[string]Host{}, map[string]Member{}
	}
	d.hosts[self.Name], d.self[self.Name] = h, self
	return &stopping{}, nil
}

// tell has all of these nodes know of each other, and of nobody else.
func (d *members) tell(nodes ...*real) {
	d.mu.Lock()
	var list []Member
	for _, r := range nodes {
		list = append(list, d.self[r.Name()])
	}
	d.mu.Unlock()
	for _, r := range nodes {
		d.hosts[r.Name()].Members(list)
	}
}
