package backend

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
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
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	if _, err := Connect(ctx, k, Config{Port: free}); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got %v", err)
	}
	until(t, "the failed connection is forgotten", func() bool {
		_, there := k.Resolve("backend")
		return !there
	})
	if _, err := Open(k, Config{}); !errors.Is(err, ErrArgument) || !strings.Contains(err.Error(), "Config.Port") {
		t.Fatalf("without a port: %v", err)
	}
}

// listener is a session that keeps what is delivered to it.
func listener(t *testing.T, k *kernel.Kernel, got chan Message) kernel.Address {
	l, err := k.SpawnHeld(session.New(session.On(kernel.Event[Message]("news"), func(_ *kernel.Context, m Message) error {
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
			conns[name] = connect(t, k, Config{Port: port(s), Alias: name, Name: name, Deliver: listener(t, k, got[name])})
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
		first := running(t, kernel.Parallel)
		s := doubler(t, first, ServerConfig{})
		at := port(s)
		c := connect(t, k, Config{Port: at, PingTimeout: -1, MinBackoff: 10 * time.Millisecond, MaxBackoff: 50 * time.Millisecond})
		lost := make(chan error, 1)
		go func() {
			_, err := c.Request(deadline(t), Message{Name: "hush"})
			lost <- err
		}()
		until(t, "the request is out", func() bool { st, _ := c.State(); return st.Calls == 2 }) // the ping of Connect is one
		first.Stop()
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
	c := connect(t, k, Config{Port: port(doubler(t, k, ServerConfig{})), Timeout: 20 * time.Millisecond})
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
	connect(t, k, Config{Port: port(s), Alias: "big", Name: "big", Deliver: listener(t, k, got)})
	from := connect(t, k, Config{Port: port(s), Alias: "from"})
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

// TestGarbageCostsItsConnectionOnly sends what no client sends.
func TestGarbageCostsItsConnectionOnly(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		s := doubler(t, k, ServerConfig{RegisterTimeout: 50 * time.Millisecond})
		c := connect(t, k, Config{Port: port(s), PingTimeout: -1})
		rng := rand.New(rand.NewPCG(1, 2))
		random := make([]byte, 64<<10)
		for i := range random {
			random[i] = byte(rng.Uint32())
		}
		for name, bytes := range map[string][]byte{
			"random bytes":        random,
			"a 4 GiB length":      binary.AppendUvarint(nil, 4<<30),
			"half a frame":        {100, 1, 2, 3},
			"nothing":             nil,
			"an endless varint":   {255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255},
			"another protocol":    []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
			"a frame of rubbish":  append([]byte{200, 1}, random[:200]...),
			"a nameless register": {3, 0x0a, 1, 'x'},
		} {
			conn, err := net.Dial("tcp", s.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := conn.Write(bytes); err != nil {
				t.Logf("%s: %v", name, err) // closed on us already
			}
			if name == "a nameless register" || name == "a frame of rubbish" {
				conn.Close() // a proper frame, or one that is only refused: the client stays
				continue
			}
			_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
			if _, err := io.Copy(io.Discard, conn); errors.Is(err, context.DeadlineExceeded) || isTimeout(err) {
				t.Errorf("%s: the connection stays open", name)
			}
			conn.Close()
		}
		for range 1000 {
			conn, err := net.Dial("tcp", s.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			conn.Close()
		}
		if v, err := c.Request(deadline(t), Message{Name: "double", Args: []any{1}}); err != nil || v[0] != 2 {
			t.Fatalf("the good client: %v, %v", v, err)
		}
		until(t, "only the good client is left", func() bool {
			st, err := s.State()
			return err == nil && st.Connections == 1
		})
	})
}

func isTimeout(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}

func TestMaxConns(t *testing.T) {
	k := running(t, kernel.Parallel)
	s := doubler(t, k, ServerConfig{MaxConns: 2})
	connect(t, k, Config{Port: port(s), Alias: "a"})
	connect(t, k, Config{Port: port(s), Alias: "b"})
	conn, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := conn.Read(make([]byte, 1)); err == nil || isTimeout(err) {
		t.Fatalf("a third client stays: %v", err)
	}
	if st, _ := s.State(); st.Refused != 1 {
		t.Fatalf("state %+v", st)
	}
}

func TestShutdownEndsEverything(t *testing.T) {
	for _, m := range modes {
		t.Run(m.String(), func(t *testing.T) {
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
		})
	}
}
