package backend

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel/filter"
)

func TestB1_B13_B31_RequestPingUnknown(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		s := doubler(t, k, ServerConfig{})
		c := connect(t, k, Config{Port: port(s)})
		again, err := Open(k, Config{Port: port(s), Host: "127.0.0.1"})
		if err != nil || again != c {
			t.Fatalf("the same place is another connection: %v, %v", again, err)
		}
		for i := range 100 {
			v, err := c.Request(deadline(t), Message{Name: "double", Args: []any{i}})
			if err != nil || len(v) != 1 || v[0] != 2*i {
				t.Fatalf("double %d: %v, %v", i, v, err)
			}
		}
		var remote *RemoteError
		if _, err := c.Request(deadline(t), Message{Name: "fail"}); !errors.As(err, &remote) || remote.Text != "as you asked" {
			t.Fatalf("fail: %v", err)
		}
		if _, err := c.Request(deadline(t), Message{Name: "nonsense"}); !errors.As(err, &remote) || remote.Text != "unknown command" {
			t.Fatalf("nonsense: %v", err)
		}
		if err := c.Send(Message{Name: "x", Args: []any{make(chan int)}}); !errors.Is(err, kernel.ErrNotEncodable) {
			t.Fatalf("a channel was sent: %v", err)
		}
	})
}

func TestB2_OtherPlaceIsAnotherConnection(t *testing.T) {
	k := running(t, kernel.Parallel)
	s := doubler(t, k, ServerConfig{})
	a := connect(t, k, Config{Port: port(s), Alias: "a"})
	b := connect(t, k, Config{Port: port(s), Alias: "b"})
	if a == b {
		t.Fatal("two aliases share one connection")
	}
}

func TestB4_B5_RefusedIsAnErrorAndNotKept(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free := ln.Addr().(*net.TCPAddr).Port
	ln.Close()
	k := running(t, kernel.Parallel)
	ctx, cancel := context.WithCancel(deadline(t))
	failed := make(chan error, 1)
	go func() {
		_, err := Connect(ctx, k, Config{Port: free})
		failed <- err
	}()
	until(t, "an attempt fails", func() bool {
		c, _ := connOf(k, "backend", visit{})
		if c == nil {
			return false
		}
		s, err := c.State()
		return err == nil && s.Err != nil
	})
	cancel()
	if err := <-failed; !errors.Is(err, context.Canceled) || !errors.Is(err, syscall.ECONNREFUSED) {
		t.Fatalf("got %v; want that it was given up, and why", err)
	}
	if _, err := Connect(deadline(t), k, Config{Port: free, FailFast: 1}); !errors.Is(err, ErrDown) || !errors.Is(err, syscall.ECONNREFUSED) {
		t.Fatalf("with FailFast: %v", err)
	}
	until(t, "the failed connection is forgotten", func() bool {
		_, there := k.Resolve("backend")
		return !there
	})
	if _, err := Open(k, Config{}); !errors.Is(err, ErrArgument) || !strings.Contains(err.Error(), "Config.Port") {
		t.Fatalf("without a port: %v", err)
	}
}

const news kernel.Event[Message] = "news"

// listener is a session that keeps the news delivered to it.
func listener(t *testing.T, k *kernel.Kernel, got chan Message) kernel.Address {
	l, err := k.SpawnHeld(session.New(session.On(news, func(_ *kernel.Context, m Message) error {
		got <- m
		return nil
	})))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Release)
	return l.Address()
}

func TestB33_SendByNameAndBroadcast(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		s := doubler(t, k, ServerConfig{})
		got := map[string]chan Message{}
		conns := map[string]*Conn{}
		for _, name := range []string{"Web", "db"} {
			got[name] = make(chan Message, 10)
			conns[name] = connect(t, k, Config{Port: port(s), Alias: name, Name: name, Deliver: listener(t, k, got[name]), Events: []kernel.Event[Message]{news}})
		}
		take := func(name string) string {
			select {
			case m := <-got[name]:
				return fmt.Sprint(m.Name, m.Args, m.From)
			case <-deadline(t).Done():
				t.Fatalf("%s got nothing", name)
				return ""
			}
		}
		if err := conns["db"].Send(Message{Name: "news", Args: []any{"a"}, To: "WEB"}); err != nil {
			t.Fatal(err)
		}
		if m := take("Web"); m != "news[a]db" {
			t.Fatalf("by name: %v", m)
		}
		if err := s.Send(Message{Name: "news", Args: []any{1}, To: Everyone}); err != nil {
			t.Fatal(err)
		}
		if a, b := take("Web"), take("db"); a != "news[1]" || b != a {
			t.Fatalf("broadcast: %v, %v", a, b)
		}
		if err := s.Send(Message{Name: "news", To: "nobody"}); err != nil {
			t.Fatalf("to nobody: %v", err)
		}
		st, err := s.State()
		if err != nil || fmt.Sprint(st.Connections, st.Services) != "2 map[db:1 web:1]" {
			t.Fatalf("state %+v, %v", st, err)
		}
	})
}

func TestAskFromASession(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		const answer kernel.Event[Reply] = "answer"
		s := doubler(t, k, ServerConfig{})
		c := connect(t, k, Config{Port: port(s)})
		got := make(chan Reply, 1)
		_, err := k.Spawn(session.New(
			session.Handle("_start", func(kc *kernel.Context) error {
				return c.Ask(kc, Message{Name: "double", Args: []any{21}}, answer) // this alone holds the session
			}),
			session.On(answer, func(_ *kernel.Context, r Reply) error { got <- r; return nil }),
		))
		if err != nil {
			t.Fatal(err)
		}
		select {
		case r := <-got:
			if r.Err != nil || r.Args[0] != 42 {
				t.Fatalf("got %+v", r)
			}
		case <-deadline(t).Done():
			t.Fatal("no answer")
		}
	})
}

// TestB26_ServerGone ends the server under pending requests and starts another
// in its place: what was sent fails at once, what comes later waits and succeeds.
func TestB26_ServerGone(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		first, stop := stoppable(t, kernel.Parallel)
		s := doubler(t, first, ServerConfig{})
		at := port(s)
		c := connect(t, k, Config{Port: at, PingTimeout: -1, MinBackoff: 10 * time.Millisecond, MaxBackoff: 50 * time.Millisecond})
		lost := make(chan error, 1)
		go func() {
			_, err := c.Request(deadline(t), Message{Name: "hush"})
			lost <- err
		}()
		until(t, "the request is out", func() bool { st, _ := c.State(); return st.Asked == 1 })
		stop() // and its listener is closed
		select {
		case err := <-lost:
			if !errors.Is(err, ErrLost) {
				t.Fatalf("got %v", err)
			}
		case <-deadline(t).Done():
			t.Fatal("the loss went unnoticed")
		}
		doubler(t, running(t, kernel.Parallel), ServerConfig{Listen: fmt.Sprintf("127.0.0.1:%d", at)})
		v, err := c.Request(deadline(t), Message{Name: "double", Args: []any{4}})
		if err != nil || v[0] != 8 {
			t.Fatalf("after the restart: %v, %v", v, err)
		}
		if st, _ := c.State(); st.Reconnects < 1 {
			t.Fatalf("state %+v", st)
		}
	})
}

func TestB24_RequestTimesOut(t *testing.T) {
	k := running(t, kernel.Parallel)
	c := connect(t, k, Config{Port: port(doubler(t, k, ServerConfig{})), Timeout: 500 * time.Millisecond}) // to connect, too
	if _, err := c.Request(deadline(t), Message{Name: "hush"}); !errors.Is(err, ErrTimeout) {
		t.Fatalf("got %v", err)
	}
}

func TestB27_LargeMessages(t *testing.T) {
	k := running(t, kernel.Parallel)
	s, err := NewServer(k, ServerConfig{MaxFrame: 12 << 20})
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan Message, 1)
	connect(t, k, Config{Port: port(s), Alias: "big", Name: "big", MaxFrame: 12 << 20, Deliver: listener(t, k, got), Events: []kernel.Event[Message]{news}})
	from := connect(t, k, Config{Port: port(s), Alias: "from", MaxFrame: 12 << 20})
	big := strings.Repeat("usher", 600<<10) // 3 MiB
	if err := from.Send(Message{Name: "news", Args: []any{big}, To: "big"}); err != nil {
		t.Fatal(err)
	}
	select {
	case m := <-got:
		if m.Args[0] != big {
			t.Fatal("it arrived changed")
		}
	case <-deadline(t).Done():
		t.Fatal("it did not arrive")
	}
}

func TestShutdownEndsEverything(t *testing.T) {
	for _, m := range modes {
		t.Run(m.String(), func(t *testing.T) {
			goroutines, descriptors := runtime.NumGoroutine(), openDescriptors()
			k := kernel.New(kernel.Config{Mode: m})
			s, err := NewServer(k, ServerConfig{})
			if err != nil {
				t.Fatal(err)
			}
			c, err := Open(k, Config{Port: port(s)})
			if err != nil {
				t.Fatal(err)
			}
			end := make(chan error, 1)
			go func() { end <- k.Run(context.Background()) }()
			if err := c.Ping(deadline(t)); err != nil {
				t.Fatal(err)
			}
			c.Close()
			s.Shutdown()
			select {
			case err := <-end:
				if err != nil {
					t.Fatal(err)
				}
			case <-deadline(t).Done():
				t.Fatal("Run goes on after Close and Shutdown")
			}
			if err := c.Send(Message{Name: "x"}); !errors.Is(err, ErrClosed) {
				t.Fatalf("after the end: %v", err)
			}
			until(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= goroutines })
			until(t, "no descriptor is left", func() bool { return openDescriptors() <= descriptors })
			if d := k.Descriptions(); len(d) != 0 {
				t.Fatalf("descriptions are left: %v", d)
			}
		})
	}
}

// openDescriptors is 0 where the system does not tell.
func openDescriptors() int {
	list, _ := os.ReadDir("/proc/self/fd")
	return len(list)
}

// TestStopOfTheKernelEndsEverything, also while a client that reads nothing has
// output waiting.
func TestStopOfTheKernelEndsEverything(t *testing.T) {
	goroutines, descriptors := runtime.NumGoroutine(), openDescriptors()
	for i := range 10 {
		k, stop := stoppable(t, modes[i%len(modes)])
		s := doubler(t, k, ServerConfig{})
		c := connect(t, k, Config{Port: port(s)})
		r := dialRaw(t, s)
		r.send(filter.Frame{Name: cmdPing, Args: []any{make([]byte, 1<<20-100)}})
		lost := make(chan error, 1)
		go func() {
			_, err := c.Request(deadline(t), Message{Name: "hush"})
			lost <- err
		}()
		until(t, "the request is out", func() bool { st, _ := c.State(); return st.Asked == 1 })
		stop()
		if err := <-lost; !errors.Is(err, ErrLost) {
			t.Fatalf("got %v", err)
		}
		r.Close()
	}
	until(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= goroutines })
	until(t, "no descriptor is left", func() bool { return openDescriptors() <= descriptors })
}

func TestUnixSocketAndTakenAddress(t *testing.T) {
	k := running(t, kernel.Parallel)
	path := filepath.Join(t.TempDir(), "s")
	s, err := NewServer(k, ServerConfig{Network: "unix", Listen: path})
	if err != nil {
		t.Fatal(err)
	}
	if s.Addr().String() != path {
		t.Errorf("it listens at %v", s.Addr())
	}
	if _, err := NewServer(k, ServerConfig{Network: "unix", Listen: path, Alias: "second"}); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("a second one: %v", err)
	}
	left := filepath.Join(t.TempDir(), "left by one that was killed")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: left, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
	if _, err := NewServer(k, ServerConfig{Network: "unix", Listen: left, Alias: "third"}); err != nil {
		t.Errorf("where one was killed: %v", err)
	}
	if _, err := NewServer(k, ServerConfig{}); !errors.Is(err, kernel.ErrAliasTaken) {
		t.Errorf("the same alias: %v", err)
	}
}

// TestRequestIsAnsweredOnce: a second answer goes nowhere, and whoever gave it hears
// so.
func TestRequestIsAnsweredOnce(t *testing.T) {
	k := running(t, kernel.Parallel)
	second := make(chan error, 2)
	l, err := k.SpawnHeld(session.New(session.On(kernel.Event[*Request]("once"), func(_ *kernel.Context, r *Request) error {
		if err := r.Reply(make(chan int)); !errors.Is(err, kernel.ErrNotEncodable) {
			t.Errorf("what cannot be sent: %v", err)
		}
		if err := r.Reply(1); err != nil {
			t.Errorf("what can: %v", err)
		}
		second <- r.Reply(2)
		second <- r.Fail("no")
		return nil
	})))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Release)
	s, err := NewServer(k, ServerConfig{Commands: map[string]kernel.Address{"once": l.Address()}})
	if err != nil {
		t.Fatal(err)
	}
	c := connect(t, k, Config{Port: port(s), PingTimeout: -1})
	if v, err := c.Request(deadline(t), Message{Name: "once"}); err != nil || v[0] != 1 {
		t.Errorf("got %v, %v", v, err)
	}
	for range 2 {
		if err := <-second; !errors.Is(err, ErrAnswered) {
			t.Errorf("a second answer: %v", err)
		}
	}
	if st, err := c.State(); err != nil || st.Traffic.Received != 2 { // and Connect's pong
		t.Errorf("%d frames have come, %v; want 2", st.Traffic.Received, err)
	}
}

// TestClientsThatGoDropNothing: messages to everybody that meet a client on its way
// out are nobody's loss, and no event of the kernel's is dropped.
func TestClientsThatGoDropNothing(t *testing.T) {
	var dropped sync.Map
	k := kernel.New(kernel.Config{Observer: &kernel.Observer{
		Reported: func(string, string, error) {},
		Dropped:  func(r kernel.Record, _ kernel.Reason) { dropped.Store(r.Event, true) },
	}})
	kerneltest.Start(t, k)
	s := doubler(t, k, ServerConfig{})
	stop, stopped := make(chan bool), make(chan bool)
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				if err := s.Send(Message{Name: "news", To: Everyone}); err != nil {
					t.Error(err)
				}
				if _, err := s.State(); err != nil { // the server keeps up
					t.Error(err)
				}
			}
		}
	}()
	for range 100 {
		connect(t, k, Config{Port: port(s)}).Close()
	}
	close(stop)
	<-stopped
	until(t, "all have gone", func() bool {
		st, err := s.Status()
		return err == nil && !slices.ContainsFunc(st, func(c ConnStatus) bool { return c.Liveness != LiveDisconnected })
	})
	dropped.Range(func(event, _ any) bool { t.Errorf("dropped: %v", event); return true })
}
