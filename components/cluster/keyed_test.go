package cluster

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/usher-go/usher/kernel"
)

// diary is what sessions for keys note: "node event args".
type diary struct {
	mu    sync.Mutex
	lines []string
	keys  []Key
}

func (d *diary) note(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, fmt.Sprintf(format, args...))
}

// take empties it.
func (d *diary) take() []string {
	synctest.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	lines := d.lines
	d.lines = nil
	return lines
}

func (d *diary) want(t *testing.T, lines ...string) {
	t.Helper()
	if got := d.take(); !slices.Equal(got, lines) {
		t.Fatalf("got %q, want %q", got, lines)
	}
}

// user is a kind whose sessions write a diary, and do what events say.
func user(d *diary, node string, change ...func(*Kind)) Kind {
	k := Kind{Name: "user", New: func(k Key) kernel.Receiver {
		d.mu.Lock()
		d.keys = append(d.keys, k)
		d.mu.Unlock()
		return receiver(func(c *kernel.Context) error {
			switch c.Event() {
			case "_child", "_parent":
				return nil
			case "get":
				c.Return(node)
				return nil
			case "self":
				v, err := c.Call(Place(k.Kind, k.Key), "get")
				if err != nil {
					return err
				}
				c.Return(v)
				return nil
			}
			d.note("%s %s%s", node, c.Event(), strings.TrimSuffix(" "+strings.Trim(fmt.Sprint(c.Args()...), " "), " "))
			switch c.Event() {
			case "fail":
				return errors.New("it fails")
			case "panic":
				panic("it panics")
			case "end":
				c.Stop()
			case "sleep":
				time.Sleep(c.Arg(0).(time.Duration))
			case "timer":
				c.Delay("rings", c.Arg(0).(time.Duration))
			}
			return nil
		})
	}}
	for _, f := range change {
		f(&k)
	}
	return k
}

func post(t *testing.T, n *real, to kernel.Address, event string, args ...any) {
	t.Helper()
	if err := n.k.Post(to, event, args...); err != nil {
		t.Fatal(err)
	}
}

const settled = 10 * time.Second

func TestKeyIsStartedByItsFirstEventOnItsOwner(t *testing.T) {
	worlds(t, func(t *testing.T, w *world, m kernel.Mode) {
		d := new(diary)
		a, b := w.join(m, "a", user(d, "a")), w.join(m, "b", user(d, "b"))
		c := w.join(m, "c") // runs none
		time.Sleep(settled)
		for i := range 8 {
			if o := w.realm.owner(i); o.Node != "a" && o.Node != "b" {
				t.Errorf("shard %d is owned by %q", i, o.Node)
			}
		}
		k := keyOn("b", "a")
		for i, n := range []*real{a, b, c} {
			post(t, n, k, "line", i)
			time.Sleep(time.Second)
		}
		d.want(t, "b _start", "b line 0", "b line 1", "b line 2")
		for _, n := range []*real{a, b, c} {
			if v, err := n.k.Call(t.Context(), k, "get"); v != "b" || err != nil {
				t.Errorf("called on %s: %v, %v", n.Name(), v, err)
			}
		}
		if got := Place("user", "x", c.k); got != "user/x@owner" {
			t.Errorf("Place gave %s", got)
		}
		time.Sleep(time.Second)
		if got := d.take(); len(got) != 1 || !strings.HasSuffix(got[0], " _start") {
			t.Errorf("Place with a kernel: %q", got)
		}
		if s := b.Status().Keys; !slices.ContainsFunc(s, func(s KeyStatus) bool { return "user/"+s.Key+"@owner" == string(k) && s.ID != "" && s.Epoch > 0 }) {
			t.Errorf("status %+v", s)
		}
		if n := w.losses(); n > 0 {
			t.Errorf("%d events lost: %v", n, w.lost)
		}
	})
}

func TestKeyOfAKindThatIsNotOffered(t *testing.T) {
	worlds(t, func(t *testing.T, w *world, m kernel.Mode) {
		d := new(diary)
		a, b := w.join(m, "a", user(d, "a")), w.join(m, "b")
		time.Sleep(settled)
		for _, n := range []*real{a, b} {
			if _, err := n.k.Call(t.Context(), Place("robot", 1), "get"); !errors.Is(err, kernel.ErrNoSession) {
				t.Errorf("a call on %s: %v", n.Name(), err)
			}
		}
		if err := a.k.Post(Place("robot", 1), "line"); !errors.Is(err, kernel.ErrNoSession) {
			t.Errorf("a post here: %v", err)
		}
		post(t, b, Place("robot", 1), "line")
		time.Sleep(time.Second)
		if w.losses() != 1 || !strings.Contains(string(w.why[0]), "robot") {
			t.Errorf("lost %v, %v", w.lost, w.why)
		}
	})
}

func TestKeyWhileNobodyOwnsIt(t *testing.T) {
	worlds(t, func(t *testing.T, w *world, m kernel.Mode) {
		d := new(diary)
		c := w.join(m, "c")
		k := Place("user", 1)
		before := time.Now()
		_, err := c.k.Call(t.Context(), k, "get")
		if took := time.Since(before); !errors.Is(err, kernel.ErrTimeout) || took < 4*time.Second || took > 6*time.Second {
			t.Errorf("%v after %v", err, took)
		}
		post(t, c, k, "line", 1)
		time.Sleep(settled)
		if w.losses() != 1 || w.lost[0].Event != "line" {
			t.Errorf("lost %v", w.lost)
		}
		post(t, c, k, "line", 2)
		type answer struct {
			v   any
			err error
		}
		got := make(chan answer, 1)
		go func() {
			v, err := c.k.Call(t.Context(), k, "get")
			got <- answer{v, err}
		}()
		time.Sleep(time.Second)
		w.join(m, "a", user(d, "a"))
		time.Sleep(settled)
		d.want(t, "a _start", "a line 2")
		if x := <-got; x.v != "a" || x.err != nil {
			t.Errorf("the call gave %v", x)
		}
		if _, err := c.k.Call(t.Context(), k, "fail"); err == nil || errors.Is(err, kernel.ErrTimeout) || !strings.Contains(err.Error(), "it fails") {
			t.Errorf("the handler's error: %v", err)
		}
	})
}

// A handler's error is not taken for a refusal, and the call not made again.
func TestKeyHandlersErrorIsItsOwn(t *testing.T) {
	worlds(t, func(t *testing.T, w *world, m kernel.Mode) {
		for _, own := range []error{kernel.ErrNoNode, ErrNotOwner, kernel.ErrNoSession, kernel.ErrStopped} {
			t.Logf("%v", own)
			n := 0
			kind := Kind{Name: "user", New: func(Key) kernel.Receiver {
				return receiver(func(c *kernel.Context) error {
					if c.Event() == "get" {
						n++
						return fmt.Errorf("mine: %w", own)
					}
					return nil
				})
			}}
			a, b := w.join(m, "a", kind), w.join(m, "b")
			time.Sleep(settled)
			for _, x := range []*real{a, b} {
				n = 0
				_, err := x.k.Call(t.Context(), Place("user", 1), "get")
				if n != 1 || !errors.Is(err, own) || errors.Is(err, kernel.ErrTimeout) {
					t.Errorf("on %s: handled %d times, %v", x.Name(), n, err)
				}
			}
			w.stop()
		}
	})
}

func TestKeyCalledByHandlers(t *testing.T) {
	worlds(t, func(t *testing.T, w *world, m kernel.Mode) {
		d := new(diary)
		a, b := w.join(m, "a", user(d, "a")), w.join(m, "b", user(d, "b"))
		time.Sleep(settled)
		for _, n := range []*real{a, b} {
			for _, first := range []string{"a", "b"} {
				other := map[string]string{"a": "b", "b": "a"}[first]
				k := keyOn(first, other) + ""
				lease, err := n.k.SpawnHeld(receiver(func(c *kernel.Context) error {
					if c.Event() == "go" {
						v, err := c.Call(k, "get")
						again, err2 := c.Call(k, "self")
						d.note("%v %v %v %v", v, err, again, err2)
					}
					return nil
				}))
				if err != nil {
					t.Fatal(err)
				}
				if err := lease.Post("go"); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Second)
				if got := d.take(); len(got) == 0 || got[len(got)-1] != fmt.Sprintf("%s <nil> %s <nil>", first, first) {
					t.Errorf("a key on %s called on %s: %q", first, n.Name(), got)
				}
				lease.Release()
			}
		}
	})
}

func errorsAre(err error, all ...error) bool {
	return !slices.ContainsFunc(all, func(e error) bool { return !errors.Is(err, e) })
}
