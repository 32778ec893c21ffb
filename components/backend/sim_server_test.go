package backend

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// status is what Status says, in a few words each.
func (w *world) status() (all []string) {
	w.Helper()
	list, err := w.server.Status()
	if err != nil {
		w.Fatal(err)
	}
	for _, s := range list {
		all = append(all, fmt.Sprintf("%s %s", s.Name, s.Liveness))
	}
	return all
}

// TestB35_Liveness follows a connection through all that it may show.
func TestB35_Liveness(t *testing.T) {
	simulating(t, ServerConfig{RegisterTimeout: time.Minute}, func(w *world) {
		w.do(func(kc *kernel.Context) error { return w.server.Watch(kc, evServed) })
		expect := func(want ...string) {
			w.Helper()
			if got := w.status(); !slices.Equal(got, want) {
				w.Errorf("status %q, want %q", got, want)
			}
		}
		var bare net.Conn
		w.net.DialAsync(background, "tcp", fmt.Sprintf("127.0.0.1:%d", simPort), func(c net.Conn, err error) { bare = c })
		w.pass(100 * time.Millisecond)
		expect(" new")
		c := w.client("a", Config{PingTimeout: -1, IdlePing: -1})
		w.pass(100 * time.Millisecond)
		expect(" new", "a active")
		w.do(func(kc *kernel.Context) error { return c.AskPing(kc, evReplied) })
		w.pass(100 * time.Millisecond)
		expect(" new", "a ping")
		_ = c.Send(Message{Name: "nonsense"})
		w.pass(100 * time.Millisecond)
		expect(" new", "a unknown")
		w.pass(9 * time.Second)
		expect(" new", "a unknown") // 9.1 s; the other's time to say hello is 10 s
		w.pass(time.Second)
		expect(" disconnected", "a inactive")
		bare.Close()
		c.Close()
		w.pass(5 * time.Second)
		expect(" disconnected", "a disconnected")
		w.pass(5 * time.Second)
		expect("a disconnected")
		w.pass(5 * time.Second)
		expect()
		if want := []string{"came ", "came ", "registered a", "went ", "went a"}; !slices.Equal(w.served, want) {
			w.Errorf("watched %q, want %q", w.served, want)
		}
	})
}

// TestB32_ToASession: a message for a client's session finds it by its alias,
// and nothing else.
func TestB32_ToASession(t *testing.T) {
	simulating(t, ServerConfig{}, func(w *world) {
		var got []string
		spawn := func(alias string) {
			if _, err := w.k.Spawn(session.New(
				session.On(BackendResponse, func(c *kernel.Context, m Message) error {
					got = append(got, fmt.Sprint(alias, " ", m.Name, m.Args, m.From))
					return nil
				}),
				session.Handle("_start", func(c *kernel.Context) error { c.Delay("over", 10*time.Second); return nil }),
				session.Handle("over", func(c *kernel.Context) error { return c.AliasRemove(alias) }),
			), kernel.Alias(alias)); err != nil {
				w.Fatal(err)
			}
		}
		spawn("res_bob")
		spawn("bob")
		c := w.client("a", Config{PingTimeout: -1})
		for _, name := range []string{"bob", "nobody", "bob@elsewhere"} {
			if err := c.Send(Message{Name: "job", Client: name, Args: []any{7}}); err != nil {
				w.Error(err)
			}
		}
		w.pass(time.Second)
		if !slices.Equal(got, []string{"res_bob job[7]a"}) {
			w.Errorf("got %q", got)
		}
		if err := c.Send(Message{Client: "bob", To: "x"}); !errors.Is(err, ErrArgument) {
			w.Errorf("to both: %v", err)
		}
		w.pass(10 * time.Second)
	})
}

// TestB30_B33_ManyOfAName: all of a name get it, but the sender; a connection that
// ends leaves the name to the others.
func TestB30_B33_ManyOfAName(t *testing.T) {
	simulating(t, ServerConfig{MaxNames: 2}, func(w *world) {
		c := w.client("a", Config{PingTimeout: -1})
		w.pass(100 * time.Millisecond)
		one := w.client("ears", Config{PingTimeout: -1})
		w.pass(100 * time.Millisecond)
		one.cfg.Name = "EARS" // the next gets the same, in any case
		two, err := Open(w.k, Config{Port: simPort, Alias: "two", Name: "Ears", PingTimeout: -1, Deliver: one.cfg.Deliver, Events: one.cfg.Events})
		if err != nil {
			w.Fatal(err)
		}
		w.conns = append(w.conns, two)
		w.client("third", Config{PingTimeout: -1}) // one name too many
		w.pass(100 * time.Millisecond)
		st, err := w.server.State()
		if err != nil || fmt.Sprint(st.Services) != "map[a:1 ears:2]" || st.Connections != 4 {
			w.Errorf("%+v, %v", st, err)
		}
		_ = c.Send(item(1))
		w.heard("ears [1]", "ears [1]")
		_ = two.Send(item(2))
		w.heard("ears [2]")
		one.Close()
		w.pass(100 * time.Millisecond)
		_ = c.Send(item(3))
		w.heard("ears [3]")
	})
}

// TestMaxOutputTotal: of many who do not read, the one whose message does not fit
// is dropped, and what waits stays bounded.
func TestMaxOutputTotal(t *testing.T) {
	simulating(t, ServerConfig{MaxFrame: 8 << 10, MaxOutput: 1 << 20, MaxOutputTotal: 100 << 10}, func(w *world) {
		for i := range 3 {
			w.client(fmt.Sprint("c", i), Config{PingTimeout: -1, IdlePing: -1, MinBackoff: time.Hour, MaxBackoff: time.Hour})
		}
		w.pass(100 * time.Millisecond)
		for _, c := range w.net.Conns() {
			c.Stall(time.Minute)
		}
		big := string(make([]byte, 7<<10))
		worst := int64(0)
		for range 20 {
			if err := w.server.Send(Message{Name: "news", To: Everyone, Args: []any{big}}); err != nil {
				w.Fatal(err)
			}
			w.pass(time.Millisecond)
			st, err := w.server.State()
			if err != nil {
				w.Fatal(err)
			}
			worst = max(worst, st.Queued)
		}
		st, err := w.server.State()
		if err != nil || st.Connections == 3 || st.Connections == 0 {
			w.Errorf("%+v, %v; want some to be dropped", st, err)
		}
		if worst > 100<<10 || worst < 50<<10 {
			w.Errorf("%d bytes waited", worst)
		}
		w.pass(2 * time.Minute)
		if st, err := w.server.State(); err != nil || st.Queued != 0 {
			w.Errorf("%+v, %v", st, err)
		}
	})
}

// TestServerDrainEndsWithoutClients, and at DrainTimeout with one that goes on.
func TestServerDrainEnds(t *testing.T) {
	simulating(t, ServerConfig{DrainTimeout: 3 * time.Second}, func(w *world) {
		c := w.client("a", Config{PingTimeout: -1})
		w.pass(100 * time.Millisecond)
		w.begin(c)
		w.server.Drain()
		w.pass(2 * time.Second)
		if st, err := w.server.State(); err != nil || !st.Draining || st.Connections != 1 {
			w.Errorf("%+v, %v", st, err)
		}
		w.pass(10 * time.Second)
		if _, err := w.server.State(); !errors.Is(err, ErrClosed) {
			w.Errorf("after DrainTimeout: %v", err)
		}
		w.serve(ServerConfig{})
		c.Close()
		w.pass(10 * time.Second)
		w.server.Drain()
		w.pass(time.Second)
		if _, err := w.server.State(); !errors.Is(err, ErrClosed) {
			w.Errorf("without clients: %v", err)
		}
	})
}
