package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/usher-go/usher/components/cluster/wire"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel/filter"
)

// bubble runs a test with nodes a, b and c in virtual time: in a bubble time.Sleep waits for
// nothing but for all goroutines to have nothing to do before then.
func bubble(t *testing.T, f func(t *testing.T, net *pipes, a, b, c *real)) {
	for _, m := range []kernel.Mode{kernel.Parallel, kernel.Serial} {
		t.Run(m.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				net := new(pipes)
				var all []*real
				for _, name := range []string{"a", "b", "c"} {
					r := start(t, net, m, name)
					r.go_()
					all = append(all, r)
				}
				f(t, net, all[0], all[1], all[2])
				for _, r := range all {
					r.stop(t)
				}
			})
		})
	}
}

func (r *real) go_() { go func() { r.end <- r.k.Run(context.Background()) }() }

func (r *real) stop(t *testing.T) {
	r.k.Stop()
	if err := <-r.end; err != nil {
		t.Error(err)
	}
}

// hear spawns a session that notes what it is told, as "event sender args".
func (r *real) hear(t *testing.T, alias string, start kernel.Handler) (*notes, *kernel.Lease) {
	t.Helper()
	n := &notes{c: make(chan string, 1000)}
	lease, err := r.k.SpawnHeld(receiver(func(c *kernel.Context) error {
		switch c.Event() {
		case "_start":
			if alias != "" {
				if err := c.AliasSet(alias); err != nil {
					return err
				}
			}
			if start != nil {
				return start(c)
			}
		case "_stop":
		case "end":
			c.Stop()
		case "retire":
			return c.AliasRemove(alias)
		default:
			from, node := split(c.Sender())
			if strings.HasPrefix(string(from), "#") {
				from = "#"
			}
			n.c <- strings.TrimSpace(fmt.Sprintln(append([]any{c.Event(), string(from) + "@" + node}, c.Args()...)...))
		}
		return nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	return n, lease
}

// end stops a session that hear has spawned.
func end(t *testing.T, l *kernel.Lease) {
	t.Helper()
	if err := l.Post("end"); err != nil {
		t.Fatal(err)
	}
	l.Release()
}

type receiver func(*kernel.Context) error

func (f receiver) Receive(c *kernel.Context) error { return f(c) }

type notes struct{ c chan string }

// want waits for exactly these, in any order.
func (n *notes) want(t *testing.T, lines ...string) {
	t.Helper()
	var got []string
	for range lines {
		select {
		case s := <-n.c:
			got = append(got, s)
		case <-time.After(time.Minute):
		}
	}
	n.none(t)
	slices.Sort(got)
	slices.Sort(lines)
	if !slices.Equal(got, lines) {
		t.Fatalf("got %q, want %q", got, lines)
	}
}

func (n *notes) none(t *testing.T) {
	t.Helper()
	synctest.Wait()
	select {
	case s := <-n.c:
		t.Fatalf("got %q", s)
	default:
	}
}

func TestEveryNodeThatHasTheAlias(t *testing.T) {
	bubble(t, func(t *testing.T, _ *pipes, a, b, c *real) {
		atA, la := a.hear(t, "logger", nil)
		atC, lc := c.hear(t, "logger", nil)
		_, lo := a.hear(t, "", func(c *kernel.Context) error { return c.Post("logger@*", "line", 1) })
		atA.want(t, "line #@ 1")
		atC.want(t, "line #@a 1")
		if _, err := a.k.Call(t.Context(), "logger@*", "line"); !errors.Is(err, kernel.ErrArgument) {
			t.Errorf("a call to all: %v", err)
		}
		for _, to := range []kernel.Address{"@*", la.Address() + "@*"} {
			if err := a.k.Post(to, "line"); !errors.Is(err, kernel.ErrArgument) {
				t.Errorf("a post to %s: %v", to, err)
			}
		}
		atA.none(t)
		for _, l := range []*kernel.Lease{la, lc, lo} {
			l.Release()
		}
	})
}

func TestTopics(t *testing.T) {
	bubble(t, func(t *testing.T, _ *pipes, a, b, c *real) {
		sub := func(n *real) kernel.Handler {
			return func(c *kernel.Context) error { return n.Subscribe(c, "prices", "got_price") }
		}
		atA, la := a.hear(t, "", sub(a))
		atB, lb := b.hear(t, "", sub(b))
		time.Sleep(time.Second) // virtual: subscriptions have arrived
		if err := c.Publish("prices", "ACME", 7); err != nil {
			t.Error(err)
		}
		atA.want(t, "got_price @c ACME 7")
		atB.want(t, "got_price @c ACME 7")
		lb.Release()
		synctest.Wait()
		time.Sleep(time.Second)
		if err := a.Publish("prices", "ACME", 8); err != nil {
			t.Error(err)
		}
		atA.want(t, "got_price @ ACME 8")
		atB.none(t)
		if s := c.Status().Nodes[1]; len(s.Topics) != 0 {
			t.Errorf("c believes that b subscribes to %v", s.Topics)
		}
		if err := a.Publish("prices", func() {}); !errors.Is(err, kernel.ErrNotEncodable) {
			t.Errorf("a function was published: %v", err)
		}
		la.Release()
	})
}

func TestMonitorTellsOnce(t *testing.T) {
	bubble(t, func(t *testing.T, net *pipes, a, b, c *real) {
		_, lb := b.hear(t, "store", nil)
		_, lc := c.hear(t, "store", nil)
		atA, la := a.hear(t, "", func(c *kernel.Context) error {
			return errors.Join(
				c.Monitor("store@b", "gone", 1),
				c.Monitor("nobody@b", "gone", 2),
				c.Monitor("store@c", "gone", 3),
				c.Monitor("store@c", "gone", 4),
			)
		})
		atA.want(t, "gone @ nobody@b 2")
		end(t, lb)
		atA.want(t, "gone @ store@b 1")
		c.pipe.cut(true)
		time.Sleep(time.Minute)
		atA.want(t, "gone @ store@c 3", "gone @ store@c 4")
		c.pipe.cut(false)
		time.Sleep(time.Minute)
		end(t, lc)
		time.Sleep(time.Minute)
		atA.none(t)
		la.Release()
	})
}

// The node that was asked lost the one that had asked, which did not notice.
func TestMonitorAfterOneWayLoss(t *testing.T) {
	bubble(t, func(t *testing.T, net *pipes, a, b, c *real) {
		_, lb := b.hear(t, "store", nil)
		atA, la := a.hear(t, "", func(c *kernel.Context) error { return c.Monitor("store@b", "gone") })
		time.Sleep(time.Second)
		// b hears no answers of a; a hears all of b's.
		a.pipe.drop(func(p *wire.Packet) bool { return p.Pong != 0 && p.To == "b" })
		time.Sleep(10 * time.Second)
		a.pipe.drop(nil)
		time.Sleep(10 * time.Second)
		atA.want(t, "gone @ store@b")
		lb.Release()
		la.Release()
	})
}

func TestHold(t *testing.T) {
	bubble(t, func(t *testing.T, _ *pipes, a, b, c *real) {
		ended := make(chan string, 10)
		var leases []*kernel.Lease
		spawn := func() kernel.Address {
			l, err := b.k.SpawnHeld(receiver(func(c *kernel.Context) error {
				if c.Event() == "_stop" {
					ended <- "ended"
				}
				return nil
			}))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(l.Release)
			leases = append(leases, l)
			return b.Address(l.Address())
		}
		none := func() {
			t.Helper()
			synctest.Wait()
			if len(ended) > 0 {
				t.Fatal("it has ended")
			}
		}
		first, second, third := spawn(), spawn(), spawn()
		var release func()
		atA, la := a.hear(t, "", func(c *kernel.Context) (err error) {
			if release, err = a.Hold(c, first, "lost"); err != nil {
				return err
			}
			_, err = a.Hold(c, second, "lost")
			_, bad := a.Hold(c, "nobody@b", "lost")
			return errors.Join(err, bad)
		})
		atC, lc := c.hear(t, "", func(kc *kernel.Context) error { _, err := c.Hold(kc, third, "lost"); return err })
		time.Sleep(time.Second)
		atA.want(t, "lost @ nobody@b "+(&NodeError{Node: "b", Text: "nobody: no such session; is it spawned, and its alias set, before this post?"}).Error())
		for _, l := range leases {
			l.Release()
		}
		none()
		release()
		<-ended
		la.Release() // its end ends its holds
		<-ended
		none()
		c.pipe.cut(true)
		time.Sleep(time.Minute)
		<-ended
		if s := <-atC.c; !strings.HasPrefix(s, "lost @ #") || !strings.Contains(s, "was lost") {
			t.Errorf("the holder hears %q", s)
		}
		c.pipe.cut(false)
		lc.Release()
	})
}

func TestLostAndBack(t *testing.T) {
	bubble(t, func(t *testing.T, _ *pipes, a, b, c *real) {
		atB, lb := b.hear(t, "logger", nil)
		var changes []string
		lw, err := a.k.SpawnHeld(receiver(func(c *kernel.Context) error {
			switch c.Event() {
			case "_start":
				return a.Watch(c, "node")
			case "node":
				ch := c.Arg(0).(Change)
				if ch.Node == "b" {
					changes = append(changes, ch.State.String())
				}
			case "ask":
				_, err := c.Call("logger@b", "line", 0)
				c.Return(err)
			}
			return nil
		}))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		post := func(v int) error { return a.k.Post("logger@b", "line", v) }
		if err := post(1); err != nil {
			t.Error(err)
		}
		atB.want(t, "line @a 1")
		b.pipe.cut(true)
		for v := range 3 {
			if err := post(2 + v); err != nil {
				t.Error(err)
			}
		}
		time.Sleep(100 * time.Millisecond) // a short one: nothing is lost
		b.pipe.cut(false)
		time.Sleep(time.Second)
		atB.want(t, "line @a 2", "line @a 3", "line @a 4")
		b.pipe.cut(true)
		if err := post(5); err != nil {
			t.Error(err)
		}
		v, err := a.k.Call(t.Context(), lw.Address(), "ask")
		if e, _ := v.(error); err != nil || !errors.Is(e, ErrUnknownOutcome) {
			t.Errorf("the call gave %v, %v", v, err)
		}
		if err := post(6); !errors.Is(err, kernel.ErrNoNode) {
			t.Errorf("to a node that is lost: %v", err)
		}
		b.pipe.cut(false)
		time.Sleep(time.Second)
		if err := post(7); err != nil {
			t.Error(err)
		}
		atB.want(t, "line @a 7")
		if want := []string{"connecting", "up", "lost", "up"}; !slices.Equal(changes, want) {
			t.Errorf("changes %v, want %v", changes, want)
		}
		lb.Release()
		lw.Release()
	})
}

// What is sent to a session of an earlier start does not reach the one that has its
// number now.
func TestRestartedNode(t *testing.T) {
	bubble(t, func(t *testing.T, net *pipes, a, b, c *real) {
		_, lb := b.hear(t, "", nil)
		old := b.Address(lb.Address())
		if err := a.k.Post(old, "line"); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Second)
		lb.Release()
		b.pipe.cut(true) // it dies without a word
		b.stop(t)
		again := start(t, net, b.k.Mode(), "b")
		again.go_()
		*b = *again
		var lease *kernel.Lease
		atB, lease := b.hear(t, "here", nil)
		time.Sleep(time.Second)
		if got, _ := a.k.Call(t.Context(), old, "line"); got != nil {
			t.Errorf("answered %v", got)
		}
		_, err := a.k.Call(t.Context(), old, "line")
		if !errors.Is(err, kernel.ErrNoSession) {
			t.Errorf("a call to %s: %v", old, err)
		}
		if err := a.k.Post("here@b", "line"); err != nil {
			t.Error(err)
		}
		atB.want(t, "line @a")
		lease.Release()
	})
}

func TestRefusedByAccept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := new(pipes)
		a := start(t, net, kernel.Parallel, "a")
		b := start(t, net, kernel.Parallel, "b", func(c *Config) {
			c.Expose = []string{"open"}
			c.Accept = func(x Arrival) error {
				if x.Event == "secret" {
					return errors.New("not for you")
				}
				return nil
			}
		})
		a.go_()
		b.go_()
		open, l1 := b.hear(t, "open", nil)
		shut, l2 := b.hear(t, "shut", nil)
		for _, x := range []struct {
			to    kernel.Address
			event string
		}{{"shut@b", "line"}, {"open@b", "secret"}, {"open@b", "_stop"}, {"cluster@b", "relay"}} {
			if _, err := a.k.Call(t.Context(), x.to, x.event); !errors.Is(err, ErrRefused) {
				t.Errorf("%s to %s: %v", x.event, x.to, err)
			}
		}
		if err := a.k.Post("open@b", "line"); err != nil {
			t.Error(err)
		}
		open.want(t, "line @a")
		shut.none(t)
		l1.Release()
		l2.Release()
		a.stop(t)
		b.stop(t)
	})
}

// An Accept that panics, or says what is no text, refuses one event: those before it are
// handled once, and those behind it are not held up.
func TestRefusedByABrokenAccept(t *testing.T) {
	for what, accept := range map[string]func(Arrival) error{
		"panic":           func(a Arrival) error { _ = a.Args[0].(string); return nil },
		"not UTF-8":       func(Arrival) error { return errors.New("\xff") },
		"long, not ASCII": func(Arrival) error { return errors.New(strings.Repeat("ä", maxErrorText)) },
		"long, shifted":   func(Arrival) error { return errors.New("x" + strings.Repeat("ä", maxErrorText)) },
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				net := new(pipes)
				a := start(t, net, kernel.Parallel, "a")
				b := start(t, net, kernel.Parallel, "b", func(c *Config) {
					c.Accept = func(x Arrival) error {
						if x.Event == "line" {
							return nil
						}
						return accept(x)
					}
				})
				a.go_()
				b.go_()
				open, lease := b.hear(t, "open", nil)
				for i := range 3 {
					post(t, a, "open@b", "line", i)
					post(t, a, "open@b", "bad")
				}
				if _, err := a.k.Call(t.Context(), "open@b", "bad"); !errors.Is(err, ErrRefused) {
					t.Errorf("a call: %v", err)
				}
				open.want(t, "line @a 0", "line @a 1", "line @a 2")
				if s := a.Status().Nodes[0]; s.Outstanding != 0 || s.Refused != 4 {
					t.Errorf("the sender has %+v", s)
				}
				lease.Release()
				a.stop(t)
				b.stop(t)
			})
		})
	}
}

// An event that only its sender thinks short enough is refused alone.
func TestLimitsThatDiffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := new(pipes)
		a := start(t, net, kernel.Parallel, "a", func(c *Config) { c.MaxEvent = 1 << 20 })
		b := start(t, net, kernel.Parallel, "b", func(c *Config) { c.MaxEvent = 10_000 })
		a.go_()
		b.go_()
		atB, lease := b.hear(t, "logger", nil)
		for _, text := range []string{"one", strings.Repeat("x", 20_000), "two"} {
			if err := a.k.Post("logger@b", "line", text); err != nil {
				t.Error(err)
			}
		}
		if _, err := a.k.Call(t.Context(), "logger@b", "line", strings.Repeat("x", 200_000)); !errors.Is(err, ErrTooLarge) {
			t.Errorf("a call that is too long: %v", err)
		}
		if err := a.k.Post("logger@b", "line", "three"); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Minute)
		if got := len(atB.c); got < 2 {
			t.Errorf("%d events have arrived", got)
		}
		if n := a.Status().Nodes[0].Outstanding; n != 0 {
			t.Errorf("%d events are never acknowledged", n)
		}
		lease.Release()
		a.stop(t)
		b.stop(t)
	})
}

// What a node misses while it asks for a pause is sent again after that, and not only
// with a heartbeat.
func TestGapDuringAPause(t *testing.T) {
	bubble(t, func(t *testing.T, _ *pipes, a, _, _ *real) {
		time.Sleep(time.Second) // it is up
		p := a.peer("b")
		p.mu.Lock()
		defer p.mu.Unlock()
		if err := p.append(filter.Frame{Name: "line", To: "x"}, waiting{}); err != nil {
			t.Fatal(err)
		}
		says := func(pause bool) (again uint64) {
			again = p.counts.Again
			p.acknowledged(&wire.Packet{AckLink: p.out.number, Ack: p.out.acked, Gap: true, Pause: pause}, p.n.k.Now())
			return p.counts.Again - again
		}
		if during, after, twice := says(true), says(false), says(false); during != 0 || after != 1 || twice != 0 {
			t.Errorf("sent again: %d, %d, %d", during, after, twice)
		}
	})
}
