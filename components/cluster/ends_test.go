package cluster

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/usher-go/usher/kernel"
)

// endings counts what tells a node's session that another one has ended: as many as
// the kernel has monitors of it for that.
type endings struct {
	*real
	atomic.Int64
}

func startEndings(t *testing.T, net *pipes, m kernel.Mode, name string) *endings {
	r := &endings{real: &real{pipe: net.pipe(name + ":1"), end: make(chan error, 1)}}
	r.k = kernel.New(kernel.Config{Mode: m, Observer: &kernel.Observer{Posted: func(p kernel.Record) {
		if p.Event == evEnded {
			r.Add(1)
		}
	}}})
	var err error
	if r.Node, err = Join(r.k, Config{Name: name, Transport: r.pipe, Directory: Static{"a": "a:1", "b": "b:1"}}); err != nil {
		t.Fatal(err)
	}
	r.go_()
	return r
}

// A session that lives long, and what others want of it, do not add up: on either node.
func TestEndsOfASessionThatLivesLong(t *testing.T) {
	for _, m := range []kernel.Mode{kernel.Parallel, kernel.Serial} {
		t.Run(m.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				net := new(pipes)
				a, b := startEndings(t, net, m, "a"), startEndings(t, net, m, "b")
				_, held := b.hear(t, "store", nil)
				_, local := a.hear(t, "local", nil)
				var releases []func()
				asks, err := a.k.SpawnHeld(table{"_start": nothing, "_stop": nothing, "heard": nothing,
					"end": func(c *kernel.Context) error { c.Stop(); return nil },
					"again": func(c *kernel.Context) error {
						for _, release := range releases {
							release()
						}
						releases = nil
						for _, to := range []kernel.Address{"store@b", "local@a", "nobody@b"} {
							release, err := a.Hold(c, to, "")
							if err != nil {
								return err
							}
							releases = append(releases, release)
						}
						for _, event := range []string{"heard", ""} {
							if err := errors.Join(a.Watch(c, event), a.Subscribe(c, "prices", event)); err != nil {
								return err
							}
						}
						return nil
					}})
				if err != nil {
					t.Fatal(err)
				}
				for range 20 {
					if err := asks.Post("again"); err != nil {
						t.Fatal(err)
					}
					time.Sleep(time.Second)
				}
				if s := b.Status().Nodes[0]; s.Kept != 1 {
					t.Errorf("b keeps %d", s.Kept)
				}
				for _, l := range []*kernel.Lease{held, local, asks} {
					end(t, l)
				}
				time.Sleep(10 * time.Second)
				if a.Load() != 2 || b.Load() != 1 { // those of asks and local; of store
					t.Errorf("%d and %d are told of the ends of three sessions", a.Load(), b.Load())
				}
				for _, n := range []*endings{a, b} {
					n.stop(t)
					if len(n.ends.of) != 0 {
						t.Errorf("node %s remembers %v", n.Name(), n.ends.of)
					}
				}
			})
		})
	}
}

func TestHoldOfASessionHere(t *testing.T) {
	bubble(t, func(t *testing.T, _ *pipes, a, b, c *real) {
		_, first := a.hear(t, "first", nil)
		_, second := a.hear(t, "second", nil)
		_, third := a.hear(t, "third", nil)
		var release func()
		atA, holder := a.hear(t, "", func(c *kernel.Context) (err error) {
			if release, err = a.Hold(c, "first@a", "lost"); err != nil {
				return err
			}
			for _, to := range []kernel.Address{"second@a", "third@a", "nobody@a"} {
				if _, err = a.Hold(c, to, "lost"); err != nil {
					return err
				}
			}
			if _, err := a.Hold(c, Place("user", 1), "lost"); !errors.Is(err, kernel.ErrArgument) {
				t.Errorf("a hold of a key: %v", err)
			}
			return c.Post("third", "end")
		})
		third.Release()
		atA.want(t, "lost @ third@a "+kernel.ErrStopped.Error(),
			"lost @ nobody@a nobody: no such session; is it spawned, and its alias set, before this post?")
		there := func(want ...bool) {
			t.Helper()
			synctest.Wait()
			for i, l := range []*kernel.Lease{first, second} {
				if _, ok := a.k.Resolve(l.Address()); ok != want[i] {
					t.Errorf("session %d is there: %v", i, ok)
				}
			}
		}
		first.Release()
		second.Release()
		retire(t, a, "first", "second")
		there(true, true)
		release()
		release()
		there(false, true)
		holder.Release() // its end ends its holds
		there(false, false)
		atA.none(t)
	})
}

// retire takes aliases away, which hold sessions as well.
func retire(t *testing.T, r *real, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := r.k.Call(context.Background(), kernel.Address(name), "retire"); err != nil {
			t.Fatal(err)
		}
	}
}

// A node whose numbers are not its own: the first stays, and is given back.
func TestKeptNumberTwice(t *testing.T) {
	k := new(kept)
	first, second := &request{id: 1}, &request{id: 1}
	if err := k.add(first); err != nil {
		t.Fatal(err)
	}
	if err := k.add(second); err == nil || k.get(1) != first {
		t.Errorf("a second one: %v, %v", err, k.get(1))
	}
	if k.take(second) || !k.take(first) || k.take(first) || k.len() != 0 {
		t.Error("they are confused")
	}
}

// A node that has left holds, watches and subscribes to nothing, and leaves nothing behind.
func TestHoldAfterLeave(t *testing.T) {
	bubble(t, func(t *testing.T, _ *pipes, a, _, _ *real) {
		_, kept := a.hear(t, "kept", nil)
		asks, err := a.k.SpawnHeld(table{"_start": nothing, "_stop": nothing, "ask": func(c *kernel.Context) error {
			for _, to := range []kernel.Address{"kept@a", "x@b"} {
				if release, err := a.Hold(c, to, "lost"); release != nil || !errors.Is(err, ErrLeft) {
					t.Errorf("a hold of %s: %v", to, err)
				}
			}
			if err := a.Watch(c, "change"); !errors.Is(err, ErrLeft) {
				t.Errorf("Watch: %v", err)
			}
			if err := a.Subscribe(c, "prices", "price"); !errors.Is(err, ErrLeft) {
				t.Errorf("Subscribe: %v", err)
			}
			return nil
		}, "change": nothing})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := a.Leave(ctx); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if err := asks.Post("ask"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		kept.Release()
		asks.Release()
		retire(t, a, "kept")
		synctest.Wait()
		if list := a.k.Sessions(); len(list) != 0 {
			t.Errorf("%v are left", list)
		}
		if len(a.ends.of) != 0 || len(a.pledges.of) != 0 {
			t.Errorf("%v and %v are left", a.ends.of, a.pledges.of)
		}
	})
}
