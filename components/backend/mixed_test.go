package backend

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel/filter"
)

// TestB33_AcrossSerializers: each client gets a message in its own; one that has
// no form there is dropped, and the connection stays.
func TestB33_AcrossSerializers(t *testing.T) {
	simulating(t, ServerConfig{Serializers: []Serializer{Protobuf, JSON, Storable}}, func(w *world) {
		all := []Serializer{Protobuf, JSON, Storable}
		for _, s := range all {
			w.client(string(s), Config{PingTimeout: -1, Serializer: s})
		}
		w.pass(100 * time.Millisecond)
		for i, c := range w.conns {
			if err := c.Send(Message{Name: "news", To: Everyone, Args: []any{"é", i}}); err != nil {
				w.Fatal(err)
			}
			w.pass(100 * time.Millisecond)
			if len(w.news) != 2 || strings.Contains(fmt.Sprint(w.news), c.Alias()) || !strings.HasSuffix(w.news[0], fmt.Sprintf("[é %d]", i)) {
				w.Errorf("from %s: heard %q", c.Alias(), w.news)
			}
			w.news = nil
		}
		if err := w.conns[0].Send(Message{Name: "news", To: "json", Args: []any{math.NaN()}}); err != nil {
			w.Fatal(err)
		}
		w.double(w.conns[1], 4)
		w.pass(100 * time.Millisecond)
		if r := w.reply(); r.Err != nil || number(r.Args, 0) != 8 || len(w.news) != 0 {
			w.Errorf("after NaN: %+v, heard %q", r, w.news)
		}
		for _, c := range w.conns {
			if s := w.state(c); s.Reconnects != 0 || s.State != Ready {
				w.Errorf("%s: %+v", c.Alias(), s)
			}
		}
	})
}

// TestTransactionsDoNotMix: goroutines share a connection, and each message that
// is heard stands among its own.
func TestTransactionsDoNotMix(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		s := doubler(t, k, ServerConfig{MaxTx: 100})
		got := make(chan Message, 1000)
		connect(t, k, Config{Port: port(s), Alias: "ears", Name: "ears", Deliver: listener(t, k, got), Events: []kernel.Event[Message]{news}})
		conn := connect(t, k, Config{Port: port(s), PingTimeout: -1})
		const workers, each, size = 8, 6, 5
		var wg sync.WaitGroup
		for g := range workers {
			wg.Go(func() {
				for i := range each {
					tx, err := conn.Begin(deadline(t))
					if err != nil {
						t.Error(err)
						return
					}
					for n := range size {
						if err := tx.Send(Message{Name: "news", To: "ears", Args: []any{g, i, n}}); err != nil {
							t.Error(err)
						}
					}
					if i%2 == 1 {
						if err := tx.Rollback(deadline(t)); err != nil {
							t.Error(err)
						}
						continue
					}
					if err := tx.Commit(deadline(t)); err != nil || fmt.Sprint(tx.Receivers()) != "[1 1 1 1 1]" {
						t.Errorf("%v, %v", err, tx.Receivers())
					}
					if o, err := conn.Outcome(deadline(t), tx.ID()); o != Committed || err != nil {
						t.Errorf("outcome %v, %v", o, err)
					}
				}
			})
		}
		wg.Wait()
		for range workers * each / 2 {
			first := <-got
			for n := range size - 1 {
				m := <-got
				if m.Args[0] != first.Args[0] || m.Args[1] != first.Args[1] || m.Args[1].(int)%2 != 0 || first.Args[2] != 0 || m.Args[2] != n+1 {
					t.Fatalf("%v behind %v", m.Args, first.Args)
				}
			}
		}
		if _, err := conn.Outcome(deadline(t), "nonsense"); !errors.Is(err, ErrArgument) {
			t.Errorf("of nonsense: %v", err)
		}
		if o, err := conn.Outcome(deadline(t), "nonsense@elsewhere.1"); o != Unknown || err != nil {
			t.Errorf("of another server's: %v, %v", o, err)
		}
	})
}

// TestPanicInAllowCostsOneConnection, like any failure of a connection's session.
func TestPanicInAllowCostsOneConnection(t *testing.T) {
	reports := make(chan string, 10)
	k := kernel.New(kernel.Config{Observer: &kernel.Observer{Reported: func(_, cause string, _ error) { reports <- cause }}})
	kerneltest.Start(t, k)
	s := doubler(t, k, ServerConfig{Allow: func(_ Identity, _ Action, name string) bool {
		if name == "boom" {
			panic(name)
		}
		return true
	}})
	good := connect(t, k, Config{Port: port(s), Alias: "good"})
	bad := dialRaw(t, s)
	bad.send(filter.Frame{Name: cmdRegister, Args: []any{"boom"}})
	if _, err := bad.Read(make([]byte, 1)); err == nil || isTimeout(err) {
		t.Errorf("the connection stays: %v", err)
	}
	if got := <-reports; got != "connection failed" {
		t.Errorf("reported %q", got)
	}
	if _, err := good.Request(deadline(t), Message{Name: "double", Args: []any{1}}); err != nil {
		t.Errorf("the good one: %v", err)
	}
}

// TestServerThatSendsGarbage: what cannot be read fails its request, bytes that
// are no frames end the connection, and the next one works.
func TestServerThatSendsGarbage(t *testing.T) {
	k, reports := quiet(t)
	p, accepted := silent(t)
	c, err := Open(k, Config{Port: p, PingTimeout: -1, MinBackoff: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	r := &raw{t, <-accepted, filter.Event()}
	r.welcome()
	if f := r.next(); f.Name != cmdRegister {
		t.Fatalf("got %+v", f)
	}
	lost := make(chan error, 1)
	ask := func() { go func() { _, err := c.Request(deadline(t), Message{Name: "x"}); lost <- err }() }
	ask()
	id := byte(r.next().ID)
	var remote *RemoteError
	// reply_to, and an argument that is no argument
	if _, err := r.Write([]byte{6, 0x20, id, 0x12, 2, 0xff, 0xff}); err != nil {
		t.Fatal(err)
	}
	if err := <-lost; !errors.As(err, &remote) && !errors.Is(err, ErrLost) {
		t.Errorf("a reply that cannot be read: %v", err)
	}
	if got := <-reports; !strings.Contains(got, "message refused") {
		t.Errorf("reported %q", got)
	}
	ask()
	r.next()
	if _, err := r.Write([]byte{255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255}); err != nil {
		t.Fatal(err)
	}
	if err := <-lost; !errors.Is(err, ErrLost) {
		t.Errorf("no frames: %v", err)
	}
	again := &raw{t, <-accepted, filter.Event()}
	again.welcome()
	if f := again.next(); f.Name != cmdRegister || f.Args[1] != 1 {
		t.Errorf("got %+v", f)
	}
	c.Close()
	again.Close()
	r.Close()
}

// TestUnixSocketClient, kept to who may open the socket.
func TestUnixSocketClient(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		path := filepath.Join(t.TempDir(), "s")
		doubler(t, k, ServerConfig{Network: "unix", Listen: path})
		works(t, k, Config{Network: "unix", Host: path})
	})
}

// TestPerlIsNotServedUnasked: without Storable in Serializers its clients are
// closed, and so are others that have no hello.
func TestPerlIsNotServedUnasked(t *testing.T) {
	k, reports := quiet(t)
	s := doubler(t, k, ServerConfig{})
	r := dialBare(t, s)
	b, err := aDialect(t, Storable, true).encode(filter.Frame{Name: cmdPing})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Write(b); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Read(make([]byte, 1)); err == nil || isTimeout(err) {
		t.Errorf("it stays: %v", err)
	}
	if got := <-reports; !strings.Contains(got, "Storable") {
		t.Errorf("reported %q", got)
	}
	c, err := Open(k, Config{Port: port(s), Serializer: Storable, Alias: "perl"})
	if err != nil {
		t.Fatal(err)
	}
	until(t, "ours in Storable is not ready", func() bool { st, err := c.State(); return err == nil && st.Err != nil })
}

// TestUnwatch ends what Watch began, of a connection and of a server.
func TestUnwatch(t *testing.T) {
	simulating(t, ServerConfig{}, func(w *world) {
		c := w.client("a", Config{PingTimeout: -1})
		w.do(func(kc *kernel.Context) error {
			return errors.Join(c.Watch(kc, evChanged), c.Watch(kc, evChanged), w.server.Watch(kc, evServed))
		})
		w.pass(100 * time.Millisecond)
		before, served := len(w.changes), len(w.served)
		if before != 4 || served != 2 {
			w.Errorf("%q, %q", w.changes, w.served)
		}
		w.do(func(kc *kernel.Context) error { c.Unwatch(kc); return w.server.Watch(kc, "") })
		w.clientEnd().Reset()
		w.pass(time.Second)
		if len(w.changes) != before || len(w.served) != served {
			w.Errorf("after Unwatch: %q, %q", w.changes[before:], w.served[served:])
		}
	})
}

// TestB3_B10_PolicyIsTheAliass: one alias's policy is no other's, and at its very
// boundary a ping is due.
func TestB3_B10_PolicyIsTheAliass(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		s := doubler(t, k, ServerConfig{})
		a := connect(t, k, Config{Port: port(s), Alias: "a", Name: "a", PingTimeout: -1})
		b := connect(t, k, Config{Port: port(s), Alias: "b", Name: "b", PingTimeout: -1})
		if err := SetPingTimeout(k, 1, "a"); err != nil { // as good as 0: time goes by
			t.Fatal(err)
		}
		for _, c := range []*Conn{a, b} {
			if err := c.Send(Message{Name: "nonsense"}); err != nil {
				t.Fatal(err)
			}
		}
		until(t, "a is pinged, b is not", func() bool {
			st, err := s.Status()
			return err == nil && len(st) == 2 && st[0].Received == 4 && st[1].Received == 3 // registration, the ping of Connect, message
		})
	})
}

// TestNamesOfCommandsArePassedOn: a message for a service is the service's, whatever
// it is called.
func TestNamesOfCommandsArePassedOn(t *testing.T) {
	simulating(t, ServerConfig{}, func(w *world) {
		names := []kernel.Event[Message]{cmdPing, cmdRegister, cmdClient, cmdBegin, cmdCommit, "double"}
		var got []string
		var states []session.State
		for _, name := range names {
			states = append(states, session.On(name, func(_ *kernel.Context, m Message) error {
				got = append(got, m.Name+" from "+m.From)
				return nil
			}))
		}
		ears, err := w.k.SpawnHeld(session.New(states...))
		if err != nil {
			w.Fatal(err)
		}
		defer ears.Release()
		to, err := Open(w.k, Config{Port: simPort, Name: "web", Deliver: ears.Address(), Events: names})
		if err != nil {
			w.Fatal(err)
		}
		from := w.client("a", Config{PingTimeout: -1})
		w.conns = append(w.conns, to)
		w.pass(100 * time.Millisecond)
		var want []string
		for _, name := range names {
			want = append(want, name.Name()+" from a")
			if err := from.Send(Message{Name: name.Name(), To: "web"}); err != nil {
				w.Fatal(err)
			}
		}
		w.pass(100 * time.Millisecond)
		if !slices.Equal(got, want) {
			w.Errorf("got %q, want %q", got, want)
		}
	})
}

// TestNamesOfTheServersOwn are passed on for nobody: a client that had others
// believe that the server drains would have them stop.
func TestNamesOfTheServersOwn(t *testing.T) {
	simulating(t, ServerConfig{Serializers: []Serializer{Protobuf, Storable}}, func(w *world) {
		bad, c := w.client("bad", Config{PingTimeout: -1}), w.client("a", Config{PingTimeout: -1})
		perl := w.client("perl", Config{PingTimeout: -1, Serializer: Storable})
		w.pass(100 * time.Millisecond)
		tx := w.begin(bad)
		for _, name := range []string{evDrain, evPong, evError, evReply} {
			if err := bad.Send(Message{Name: name, To: Everyone}); err != nil {
				w.Fatal(err)
			}
			if err := tx.Send(Message{Name: name, To: Everyone}); err != nil {
				w.Fatal(err)
			}
			if err := w.server.Send(Message{Name: name, To: Everyone}); !errors.Is(err, ErrArgument) {
				w.Errorf("Server.Send %s: %v", name, err)
			}
		}
		if err := w.commit(tx); !errors.Is(err, ErrDenied) {
			w.Errorf("commit: %v", err)
		}
		for _, c := range []*Conn{c, perl} {
			w.is(c, Ready)
			w.double(c, 4)
			w.pass(100 * time.Millisecond)
			if r := w.reply(); r.Err != nil || number(r.Args, 0) != 8 {
				w.Errorf("%s: %+v", c.Alias(), r)
			}
		}
	})
}
