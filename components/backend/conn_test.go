package backend

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel/filter"
)

func TestB1_ManyOpenersGetOneConnection(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		s := doubler(t, k, ServerConfig{})
		conns := make([]*Conn, 20)
		var wg sync.WaitGroup
		for i := range conns {
			wg.Go(func() {
				c, err := Open(k, Config{Port: port(s), PingTimeout: -1})
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := c.Request(deadline(t), Message{Name: "double", Args: []any{1}}); err != nil {
					t.Error(err)
				}
				conns[i] = c
			})
		}
		wg.Wait()
		for _, c := range conns {
			if c != conns[0] {
				t.Fatal("two connections under one alias")
			}
		}
	})
}

func TestB2_AliasOfAnotherPlaceIsTaken(t *testing.T) {
	k := running(t, kernel.Parallel)
	s := doubler(t, k, ServerConfig{})
	connect(t, k, Config{Port: port(s)})
	for name, cfg := range map[string]Config{
		"another port":        {Port: 1},
		"the server's":        {Port: port(s), Alias: "backend-server"},
		"no alias of Usher's": {Port: port(s), Alias: "#7"},
	} {
		_, err := Open(k, cfg)
		if !errors.Is(err, kernel.ErrAliasTaken) && !errors.Is(err, ErrArgument) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestB5_ClosedIsForgottenAtOnce: the next Open makes another connection, and a
// Connect that fails does not close what others use.
func TestB5_ClosedIsForgottenAtOnce(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		s := doubler(t, k, ServerConfig{})
		first := connect(t, k, Config{Port: port(s)})
		over, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := Connect(over, k, Config{Port: port(s)}); !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v", err)
		}
		if _, err := first.Request(deadline(t), Message{Name: "double", Args: []any{1}}); err != nil {
			t.Fatalf("somebody else's Connect closed it: %v", err)
		}
		first.Close()
		first.Close()
		second := connect(t, k, Config{Port: port(s)})
		if second == first {
			t.Fatal("a closed connection was handed out")
		}
		if err := first.Send(Message{Name: "x"}); !errors.Is(err, ErrClosed) {
			t.Fatalf("got %v", err)
		}
	})
}

// TestB19_SendAndClose: what was sent arrives.
func TestB19_SendAndClose(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		got := make(chan Message, 200)
		s := doubler(t, k, ServerConfig{MaxFrame: 1 << 20})
		connect(t, k, Config{Port: port(s), Alias: "reader", Name: "reader", Deliver: listener(t, k, got), Events: []kernel.Event[Message]{news}})
		for i := range 20 {
			c := connect(t, k, Config{Port: port(s), PingTimeout: -1})
			for range 5 {
				if err := c.Send(Message{Name: "news", To: "reader", Args: []any{strings.Repeat("x", 200<<10), i}}); err != nil {
					t.Fatal(err)
				}
			}
			c.Close()
			for range 5 {
				select {
				case m := <-got:
					if m.Args[1] != i {
						t.Fatalf("got %v, want %d", m.Args[1], i)
					}
				case <-deadline(t).Done():
					t.Fatalf("round %d: a message was lost", i)
				}
			}
		}
	})
}

// TestB20_TwoKernelsHaveTwoConnections in one process.
func TestB20_TwoKernelsHaveTwoConnections(t *testing.T) {
	one, two := running(t, kernel.Parallel), running(t, kernel.Serial)
	s := doubler(t, one, ServerConfig{})
	a, b := connect(t, one, Config{Port: port(s), Name: "a"}), connect(t, two, Config{Port: port(s), Name: "b"})
	if a == b {
		t.Fatal("two kernels share a connection")
	}
	until(t, "both are registered", func() bool {
		st, err := s.State()
		return err == nil && fmt.Sprint(st.Services) == "map[a:1 b:1]"
	})
	l, err := two.SpawnHeld(session.New(session.Handle("ask", func(c *kernel.Context) error {
		return a.Ask(c, Message{Name: "double"}, "answer")
	})))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Release()
	if _, err := two.Call(deadline(t), l.Address(), "ask"); !errors.Is(err, ErrArgument) {
		t.Fatalf("a session of the other kernel asked: %v", err)
	}
}

// silent accepts connections and says nothing, until it is told to close them.
func silent(t *testing.T) (port int, accepted chan net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	accepted = make(chan net.Conn, 100)
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			accepted <- c
		}
	}()
	return ln.Addr().(*net.TCPAddr).Port, accepted
}

// TestB25_B26_EndOfInputIsNoticedAtOnce: nobody waits for PingWait or Timeout,
// which are long here.
func TestB25_B26_EndOfInputIsNoticedAtOnce(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		p, accepted := silent(t)
		c, err := Open(k, Config{Port: p, PingTimeout: -1, PingWait: time.Hour, Timeout: time.Hour, MinBackoff: time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		for range 5 {
			r := &raw{t, <-accepted, filter.Event()}
			r.welcome()
			lost := make(chan error, 1)
			go func() { lost <- c.Ping(deadline(t)) }()
			until(t, "the ping is out", func() bool { st, _ := c.State(); return st.Asked == 1 })
			r.Close()
			if err := <-lost; !errors.Is(err, ErrLost) {
				t.Fatalf("got %v", err)
			}
		}
	})
}

// TestB13_B14_SilentServerIsGivenUp: no pong within PingWait; the message that
// waits for it goes out over the next connection.
func TestB13_B14_SilentServerIsGivenUp(t *testing.T) {
	k := running(t, kernel.Parallel)
	p, accepted := silent(t)
	c, err := Open(k, Config{Port: p, PingWait: 10 * time.Millisecond, MinBackoff: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	first := &raw{t, <-accepted, filter.Event()}
	first.welcome()
	until(t, "it is up", func() bool { st, _ := c.State(); return st.State == "ready" })
	if err := c.Send(Message{Name: "precious"}); err != nil {
		t.Fatal(err)
	}
	r := &raw{t, <-accepted, filter.Event()}
	r.welcome()
	first.Close()
	if f := r.next(); f.Name != cmdRegister || f.Args[1] != 1 {
		t.Fatalf("got %+v; want the second registration", f)
	}
	if f := r.next(); f.Name != "precious" {
		t.Fatalf("got %+v", f)
	}
	r.Close()
	c.Close()
}

// TestB14_PingEatsNoReply: pings and replies cross, under the policy that pings
// before every message.
func TestB14_PingEatsNoReply(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		s := doubler(t, k, ServerConfig{})
		c := connect(t, k, Config{Port: port(s)})
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Go(func() {
				for i := range 50 {
					v, err := c.Request(deadline(t), Message{Name: "double", Args: []any{g*1000 + i}})
					if err != nil || v[0] != 2*(g*1000+i) {
						t.Errorf("double %d: %v, %v", i, v, err)
						return
					}
				}
			})
		}
		wg.Wait()
		if st, err := c.State(); err != nil || st.Reconnects != 0 || st.Waiting+st.Asked != 0 {
			t.Fatalf("state %+v, %v", st, err)
		}
	})
}

// TestB26_RequestsDuringReconnect wait, up to MaxQueued, and are answered when
// the server is there again; Close answers those that still wait.
func TestB26_RequestsDuringReconnect(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		server, stop := stoppable(t, kernel.Parallel)
		s := doubler(t, server, ServerConfig{})
		at := port(s)
		c := connect(t, k, Config{Port: at, PingTimeout: -1, MaxQueued: 10, MinBackoff: time.Millisecond, MaxBackoff: 20 * time.Millisecond})
		stop()
		until(t, "the loss is noticed", func() bool { st, _ := c.State(); return st.State != "ready" })
		answers := make(chan error, 10)
		for i := range 10 {
			go func() {
				v, err := c.Request(deadline(t), Message{Name: "double", Args: []any{i}})
				if err == nil && v[0] != 2*i {
					err = fmt.Errorf("double %d is %v", i, v)
				}
				answers <- err
			}()
		}
		until(t, "all wait", func() bool { st, _ := c.State(); return st.Waiting == 10 })
		if err := c.Send(Message{Name: "x"}); !errors.Is(err, ErrFull) {
			t.Fatalf("over MaxQueued: %v", err)
		}
		doubler(t, running(t, kernel.Parallel), ServerConfig{Listen: fmt.Sprintf("127.0.0.1:%d", at)})
		for range 10 {
			if err := <-answers; err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestCloseAnswersWhatIsPending(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		s := doubler(t, k, ServerConfig{})
		c := connect(t, k, Config{Port: port(s), PingTimeout: -1})
		lost := make(chan error, 1)
		go func() {
			_, err := c.Request(deadline(t), Message{Name: "hush"})
			lost <- err
		}()
		until(t, "the request is out", func() bool { st, _ := c.State(); return st.Asked == 1 })
		c.Close()
		if err := <-lost; !errors.Is(err, ErrLost) {
			t.Fatalf("got %v", err)
		}
		until(t, "the server has seen it go", func() bool { st, err := s.State(); return err == nil && st.Connections == 0 })

		p, _ := silent(t)
		down, err := Open(k, Config{Port: p, Host: "127.0.0.2", Alias: "down"}) // nobody listens there
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			_, err := down.Request(deadline(t), Message{Name: "double"})
			lost <- err
		}()
		until(t, "the request waits", func() bool { st, _ := down.State(); return st.Waiting == 1 })
		down.Close()
		if err := <-lost; !errors.Is(err, ErrClosed) {
			t.Fatalf("got %v", err)
		}
	})
}

// TestB32_DeliverToNobody: what is dropped is reported.
func TestB32_DeliverToNobody(t *testing.T) {
	reports := make(chan string, 10)
	k := kernel.New(kernel.Config{Observer: &kernel.Observer{
		Reported: func(_, cause string, _ error) { reports <- cause },
	}})
	s := doubler(t, k, ServerConfig{})
	if _, err := Open(k, Config{Port: port(s), Name: "x", Deliver: "nobody", Events: []kernel.Event[Message]{news}}); err != nil {
		t.Fatal(err)
	}
	end := make(chan error, 1)
	go func() { end <- k.Run(context.Background()) }()
	until(t, "it is registered", func() bool { st, err := s.State(); return err == nil && st.Services["x"] == 1 })
	for name, want := range map[string]string{
		"news":  "message dropped: Config.Deliver does not take it",
		"_stop": "message dropped: its name is not in Config.Events",
	} {
		if err := s.Send(Message{Name: name, To: "x"}); err != nil {
			t.Fatal(err)
		}
		if got := <-reports; got != want {
			t.Errorf("%s: reported %q, want %q", name, got, want)
		}
	}
	k.Stop()
	if err := <-end; err != nil {
		t.Fatal(err)
	}
}

// TestB5_ConnectThatFailsTakesNothingFromOthers: the connection that it made stays
// while another Connect waits, and when Open has returned it; and goes with the last
// that waits.
func TestB5_ConnectThatFailsTakesNothingFromOthers(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		const tries = 3
		lone, err := net.Listen("tcp", "127.0.0.1:0") // which says nothing
		if err != nil {
			t.Fatal(err)
		}
		defer lone.Close()
		cfg := Config{Port: lone.Addr().(*net.TCPAddr).Port}
		try := func() (give func(), failed chan error) {
			ctx, cancel := context.WithCancel(deadline(t))
			failed = make(chan error, 1)
			go func() {
				_, err := Connect(ctx, k, cfg)
				failed <- err
			}()
			return cancel, failed
		}
		waiting := func(n int) {
			until(t, "all wait", func() bool {
				c, err := connOf(k, "backend", visit{})
				if err != nil || c == nil {
					return false
				}
				s, err := c.State()
				return err == nil && s.Waiting == n
			})
		}
		givenUp := func(give func(), failed chan error) {
			give()
			if err := <-failed; !errors.Is(err, context.Canceled) {
				t.Errorf("Connect: %v; want that it was given up", err)
			}
		}
		there := func() bool { _, ok := k.Resolve("backend"); return ok }
		var give [tries]func()
		var failed [tries]chan error
		for i := range tries {
			give[i], failed[i] = try()
			waiting(i + 1)
		}
		for i := range tries {
			if !there() {
				t.Fatalf("it is gone, and %d wait for it", tries-i)
			}
			givenUp(give[i], failed[i])
		}
		if there() {
			t.Error("it is kept, and nobody has it")
		}

		stop, ended := try()
		waiting(1)
		mine, err := Open(k, cfg)
		if err != nil {
			t.Fatal(err)
		}
		givenUp(stop, ended)
		if err := mine.Send(Message{Name: "news", To: "ears"}); err != nil {
			t.Errorf("what Open returned: %v", err)
		}
		mine.Close()
	})
}

// TestB2_AliasOfTheSessionThatOpens is taken, too.
func TestB2_AliasOfTheSessionThatOpens(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		got := make(chan error, 1)
		l, err := k.SpawnHeld(session.New(session.Handle("open", func(c *kernel.Context) error {
			_, err := Open(c.Kernel(), Config{Port: 1})
			got <- err
			return nil
		})), kernel.Alias("backend"))
		if err != nil {
			t.Fatal(err)
		}
		defer l.Release()
		if err := l.Post("open"); err != nil {
			t.Fatal(err)
		}
		if err := <-got; !errors.Is(err, kernel.ErrAliasTaken) {
			t.Errorf("got %v", err)
		}
	})
}
