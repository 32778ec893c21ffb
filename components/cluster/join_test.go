package cluster

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/usher-go/usher/kernel"
)

// failing is a directory that has its troubles at first.
type failing struct {
	Static
	times int
}

func (d *failing) Join(ctx context.Context, self Member, h Host) (Membership, error) {
	if d.times--; d.times >= 0 {
		h.Members([]Member{self, {Name: "b", Address: "b:1"}})
		return nil, errors.New("nobody answers")
	}
	return d.Static.Join(ctx, self, h)
}

// A Join that fails leaves nothing behind: not before Run, nor while the kernel runs, nor
// after the node has left. A kernel that is a node does not become a second one.
func TestJoinAgain(t *testing.T) {
	for _, m := range []kernel.Mode{kernel.Parallel, kernel.Serial} {
		t.Run(m.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				net := new(pipes)
				dir := &failing{Static: Static{"a": "a:1", "b": "b:1"}, times: 2}
				lost := 0
				k := kernel.New(kernel.Config{Mode: m, Observer: &kernel.Observer{Dropped: func(r kernel.Record, _ kernel.Reason) {
					if r.Event == "line" {
						lost++
					}
				}}})
				join := func() (*Node, error) {
					return Join(k, Config{Name: "a", Transport: net.pipe("a:1"), Directory: dir})
				}
				fails := func() {
					t.Helper()
					if n, err := join(); err == nil || n != nil || err.Error() != "cluster: node a: nobody answers" {
						t.Fatalf("%v, %v", n, err)
					}
					if err := k.Post("x@b", "line"); !errors.Is(err, kernel.ErrNoNode) {
						t.Errorf("a post of no node: %v", err)
					}
				}
				fails()
				b := start(t, net, m, "b")
				b.go_()
				answer := table{"_start": nothing, "_stop": nothing, "get": func(c *kernel.Context) error { c.Return(7); return nil }}
				l, err := b.k.SpawnHeld(answer, kernel.Alias("x"))
				if err != nil {
					t.Fatal(err)
				}
				end := make(chan error, 1)
				release := k.Hold("test")
				go func() { end <- k.Run(context.Background()) }()
				synctest.Wait()
				fails()
				for range 3 {
					n, err := join()
					if err != nil {
						t.Fatal(err)
					}
					cfg := n.cfg // and its transport
					if _, err := Join(k, cfg); !errors.Is(err, kernel.ErrArgument) {
						t.Errorf("it is a node twice: %v", err)
					}
					if v, err := k.Call(t.Context(), "x@b", "get"); v != 7 || err != nil {
						t.Errorf("%v, %v", v, err)
					}
					ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
					if err := n.Leave(ctx); err != nil {
						t.Error(err)
					}
					cancel()
				}
				synctest.Wait()
				if list := k.Sessions(); len(list) != 0 || lost != 0 {
					t.Errorf("sessions %v are left, %d events lost", list, lost)
				}
				release()
				k.Stop()
				if err := <-end; err != nil {
					t.Error(err)
				}
				l.Release()
				b.stop(t)
			})
		})
	}
}

// What a handler does to the goroutine that runs it is the answer, and harms nobody else.
func TestCallThatDoesNotReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := new(pipes)
		a, b := start(t, net, kernel.Parallel, "a"), start(t, net, kernel.Parallel, "b")
		a.go_()
		b.go_()
		l, err := b.k.SpawnHeld(receiver(func(c *kernel.Context) error {
			switch c.Event() {
			case "_start":
				c.Sig("DIE", "died")
			case "died":
				c.SigHandled()
			case "exit":
				runtime.Goexit()
			case "broken":
				c.Return(tooBroken{})
			}
			return nil
		}), kernel.Alias("x"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = a.k.Call(t.Context(), "x@b", "exit")
		if there := new(NodeError); !errors.As(err, &there) || there.Err != nil || there.Text != errGoexit.Error() {
			t.Errorf("%v", err)
		}
		if _, err = a.k.Call(t.Context(), "x@b", "broken"); !errors.Is(err, kernel.ErrNotEncodable) {
			t.Errorf("%v", err)
		}
		if err = a.k.Post("x@b", "line", tooBroken{}); !errors.Is(err, kernel.ErrNotEncodable) {
			t.Errorf("%v", err)
		}
		if s := b.Status().Nodes[0]; s.Running != 0 {
			t.Errorf("%d calls run", s.Running)
		}
		l.Release()
		a.stop(t)
		b.stop(t)
	})
}

// tooBroken cannot even be sent.
type tooBroken struct{}

func (tooBroken) MarshalBinary() ([]byte, error) { panic("it cannot") }
func (*tooBroken) UnmarshalBinary([]byte) error  { return nil }

func init() { Register[tooBroken]("test.tooBroken") }

// stopping is a directory within whose Join the kernel stops.
type stopping struct {
	stop func()
	left bool
}

func (d *stopping) Join(context.Context, Member, Host) (Membership, error) {
	d.stop()
	return d, nil
}
func (d *stopping) Claim(int)                   {}
func (d *stopping) Release(int)                 {}
func (d *stopping) Receive(string, []byte)      {}
func (d *stopping) Leave(context.Context) error { d.left = true; return nil }

// A kernel that is stopped while it joins is no node, and in no directory.
func TestStopWhileItJoins(t *testing.T) {
	for _, m := range []kernel.Mode{kernel.Parallel, kernel.Serial} {
		t.Run(m.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := kernel.New(kernel.Config{Mode: m})
				end := make(chan error, 1)
				k.Hold("test")
				go func() { end <- k.Run(context.Background()) }()
				synctest.Wait()
				dir := &stopping{stop: func() {
					k.Stop()
					if err := <-end; err != nil {
						t.Error(err)
					}
				}}
				n, err := Join(k, Config{Name: "a", Transport: new(pipes).pipe("a:1"), Directory: dir})
				if n != nil || !errors.Is(err, kernel.ErrStopped) || !dir.left {
					t.Errorf("%v, %v; the directory is left: %v", n, err, dir.left)
				}
			})
		})
	}
}
