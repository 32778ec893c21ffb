package backend

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel/wheeltest"
)

func (w *world) double(c *Conn, n int) {
	w.Helper()
	w.do(func(kc *kernel.Context) error {
		return c.Ask(kc, Message{Name: "double", Args: []any{n}}, evReplied)
	})
}

// clientEnd is the client's end of a connection, the only one there is.
func (w *world) clientEnd() *wheeltest.Conn {
	w.Helper()
	for _, c := range w.net.Conns() {
		if strings.HasSuffix(c.RemoteAddr().String(), fmt.Sprintf(":%d", simPort)) {
			return c
		}
	}
	w.Fatal("no connection")
	return nil
}

// TestWatchTellsEachState walks through the states, and what Watch says of them.
func TestWatchTellsEachState(t *testing.T) {
	simulating(t, ServerConfig{}, func(w *world) {
		c := w.client("a", Config{IdlePing: time.Second, PingWait: time.Second, PingTimeout: -1, MinBackoff: time.Second})
		w.do(func(kc *kernel.Context) error { return c.Watch(kc, evChanged) })
		w.pass(500 * time.Millisecond)
		w.is(c, Ready)
		w.clientEnd().Lose() // nobody says so: the idle ping finds out
		w.pass(5 * time.Second)
		w.is(c, Ready, Suspect)
		c.Close()
		w.pass(10 * time.Second)
		want := []string{
			"connecting→connecting", "connecting→authenticating", "authenticating→ready", "ready→suspect",
			"suspect→reconnecting", "reconnecting→connecting", "connecting→authenticating", "authenticating→ready",
		}
		if got := w.changes[:min(len(want), len(w.changes))]; !slices.Equal(got, want) {
			w.Errorf("got  %v\nwant %v", got, want)
		}
		if last := w.changes[len(w.changes)-1]; !strings.HasSuffix(last, "→closed") {
			w.Errorf("last came %q", last)
		}
		w.do(func(kc *kernel.Context) error {
			if err := c.Watch(kc, evChanged); !errors.Is(err, ErrClosed) {
				w.Errorf("watching a closed one: %v", err)
			}
			return nil
		})
	})
}

// TestB26_EndOfInputIsNoticedAtOnce, by the clock that stands still otherwise.
func TestB26_EndOfInputFailsWhatWasAsked(t *testing.T) {
	simulating(t, ServerConfig{}, func(w *world) {
		c := w.client("a", Config{PingTimeout: -1})
		w.pass(100 * time.Millisecond)
		w.do(func(kc *kernel.Context) error { return c.Ask(kc, Message{Name: "hush"}, evReplied) })
		w.pass(50 * time.Millisecond)
		w.clientEnd().Reset()
		w.pass(time.Millisecond)
		if r := w.reply(); !errors.Is(r.Err, ErrLost) {
			w.Errorf("got %+v", r)
		}
		if s := w.state(c); s.State != Reconnecting || !errors.Is(s.Err, syscall.ECONNRESET) {
			w.Errorf("state %+v", s)
		}
	})
}

// TestB13_B14_PingThatIsNotAnsweredReconnects in the same call: what waited for
// the pong goes out over the next connection, and is answered.
func TestB13_B14_PingThatIsNotAnsweredReconnects(t *testing.T) {
	simulating(t, ServerConfig{}, func(w *world) {
		c := w.client("a", Config{PingTimeout: 0, PingWait: time.Second})
		w.pass(100 * time.Millisecond)
		w.clientEnd().Lose()
		w.double(c, 21)
		w.pass(900 * time.Millisecond)
		w.is(c, Suspect)
		w.pass(2 * time.Second)
		if r := w.reply(); r.Err != nil || r.Args[0] != 42 {
			w.Errorf("got %+v", r)
		}
		if s := w.state(c); s.Reconnects != 1 {
			w.Errorf("state %+v", s)
		}
	})
}

// TestB9_B12_PolicyIsObeyed counts the pings that reach the server. Those within
// its minimum are left out (B13: being heard from is as good).
func TestB9_B12_PolicyIsObeyed(t *testing.T) {
	for _, tc := range []struct {
		policy, minimum time.Duration
		want            Liveness
	}{
		{0, 0, LivePing}, {-1, 0, LiveActive}, {time.Minute, 0, LiveActive}, {time.Second, 0, LivePing},
		{0, time.Hour, LiveActive},
	} {
		simulating(t, ServerConfig{MinPing: tc.minimum}, func(w *world) {
			c := w.client("a", Config{PingTimeout: time.Hour, IdlePing: -1})
			w.pass(2 * time.Second)
			if err := SetPingTimeout(w.k, tc.policy, "a"); err != nil {
				w.Fatal(err)
			}
			w.do(func(kc *kernel.Context) error {
				_, err := evSubmit.Call(kc, c.self, &outgoing{name: "connect"}) // an access, as Connect does
				return err
			})
			w.pass(100 * time.Millisecond)
			s, err := w.server.Status()
			if err != nil || len(s) != 1 || s[0].Liveness != tc.want {
				w.Errorf("policy %v, minimum %v: %+v, %v; want %v", tc.policy, tc.minimum, s, err, tc.want)
			}
			if got := w.state(c); got.State != Ready {
				w.Errorf("state %+v", got)
			}
		})
	}
}

// TestB9_PolicyOfNobody: there is nothing to set it of.
func TestB3_B9_PolicyOfAnAlias(t *testing.T) {
	simulating(t, ServerConfig{}, func(w *world) {
		w.pass(0)
		if err := SetPingTimeout(w.k, 0, "nobody"); !errors.Is(err, ErrNoConn) {
			w.Errorf("got %v", err)
		}
		if err := ConnectOnInit(w.k, Config{Port: simPort, Alias: "later"}); err != nil {
			w.Fatal(err)
		}
		if err := SetPingTimeout(w.k, -1, "later"); err != nil {
			w.Errorf("of one that is not open yet: %v", err)
		}
		w.pass(time.Second)
		all := All(w.k)
		if len(all) != 1 || all[0].Alias() != "later" || all[0].cfg.PingTimeout != -1 {
			w.Fatalf("all: %+v", all)
		}
		w.is(all[0], Ready)
		all[0].Close()
	})
}

// TestIdlePing keeps a silent connection alive, at the server's pace if that is
// slower.
func TestIdlePing(t *testing.T) {
	for _, minimum := range []time.Duration{0, 10 * time.Second} {
		simulating(t, ServerConfig{MinPing: minimum}, func(w *world) {
			c := w.client("a", Config{PingTimeout: -1, IdlePing: time.Second})
			w.pass(100 * time.Second)
			s, err := w.server.Status()
			if err != nil || len(s) != 1 {
				w.Fatalf("%+v, %v", s, err)
			}
			want := 99
			if minimum > 0 {
				want = 10
			}
			if n := s[0].Received; n < want-3 || n > want+3 {
				w.Errorf("minimum %v: %d messages, want some %d", minimum, n, want)
			}
			if got := w.state(c); got.Reconnects != 0 {
				w.Errorf("state %+v", got)
			}
		})
	}
}

// TestPingTooOften: who does not keep to the server's minimum is closed.
func TestPingTooOften(t *testing.T) {
	simulating(t, ServerConfig{MinPing: time.Minute}, func(w *world) {
		c := w.client("a", Config{PingTimeout: -1})
		w.pass(100 * time.Millisecond)
		b, err := c.dialect.encode(pingFrame)
		if err != nil {
			w.Fatal(err)
		}
		for range maxStrikes + 2 { // around the rules of the link
			w.do(func(kc *kernel.Context) error {
				_, err := evSubmit.Call(kc, c.self, &outgoing{name: "rude", encoded: b})
				return err
			})
		}
		w.pass(50 * time.Millisecond)
		w.is(c, Reconnecting)
	})
}

// TestDrain: nothing new, but what was asked is answered.
func TestDrain(t *testing.T) {
	simulating(t, ServerConfig{}, func(w *world) {
		c := w.client("a", Config{PingTimeout: -1})
		w.pass(100 * time.Millisecond)
		w.double(c, 4)
		c.Drain()
		w.is(c, Draining)
		if err := c.Send(Message{Name: "x"}); !errors.Is(err, ErrClosed) {
			w.Errorf("sent while draining: %v", err)
		}
		next, err := Open(w.k, Config{Port: simPort, Alias: "a"})
		if err != nil || next == c || next.Send(Message{Name: "x"}) != nil {
			w.Errorf("the next one of the alias: %v; want another, which takes messages", err)
		}
		w.pass(100 * time.Millisecond)
		if r := w.reply(); r.Err != nil || r.Args[0] != 8 {
			w.Errorf("got %+v", r)
		}
		w.pass(time.Second)
		w.is(c, Closed)
		w.is(next, Ready)
		if _, there := w.k.Descriptions()["a"]; !there {
			w.Error("the end of the one before has taken the next one's description")
		}
		next.Close()
		hung := w.client("b", Config{PingTimeout: -1, DrainTimeout: time.Second})
		w.pass(100 * time.Millisecond)
		w.do(func(kc *kernel.Context) error { return hung.Ask(kc, Message{Name: "hush"}, evReplied) })
		hung.Drain()
		w.pass(500 * time.Millisecond)
		w.is(hung, Draining)
		w.pass(time.Second)
		if r := w.reply(); !errors.Is(r.Err, ErrLost) {
			w.Errorf("after DrainTimeout: %+v", r)
		}
	})
}

// TestServerDrains: clients finish, a new transaction waits, and the next server
// is found.
func TestServerDrains(t *testing.T) {
	simulating(t, ServerConfig{}, func(w *world) {
		c, other := w.client("a", Config{PingTimeout: -1}), w.client("b", Config{PingTimeout: -1})
		w.pass(100 * time.Millisecond)
		tx := w.begin(c)
		w.server.Drain()
		w.pass(50 * time.Millisecond)
		w.is(c, Draining)
		w.is(other, Reconnecting, Connecting)
		if err := tx.Send(Message{Name: "news", To: "nobody"}); err != nil {
			w.Error(err)
		}
		w.double(c, 5) // waits
		if err := w.commit(tx); err != nil {
			w.Errorf("a transaction that was open: %v", err)
		}
		w.is(c, Reconnecting, Connecting)
		w.serve(ServerConfig{})
		w.pass(5 * time.Second)
		if r := w.reply(); r.Err != nil || r.Args[0] != 10 {
			w.Errorf("got %+v", r)
		}
		w.is(c, Ready)
		w.is(other, Ready)
	})
}

// TestNothingIsLostWhenTheServerDrains: what is on its way while the server says so
// is answered; the connection ends when the client has said that nothing follows.
func TestNothingIsLostWhenTheServerDrains(t *testing.T) {
	simulating(t, ServerConfig{}, func(w *world) {
		c := w.client("a", Config{PingTimeout: -1, MinBackoff: time.Minute, MaxBackoff: time.Minute})
		ears := w.client("ears", Config{PingTimeout: -1, MinBackoff: time.Minute, MaxBackoff: time.Minute})
		w.pass(100 * time.Millisecond)
		w.server.Drain()
		w.double(c, 5)
		w.do(func(kc *kernel.Context) error { return c.AskBegin(kc, evBegun) })
		w.pass(50 * time.Millisecond)
		if r := w.reply(); r.Err != nil || r.Args[0] != 10 {
			w.Errorf("got %+v", r)
		}
		w.is(ears, Reconnecting) // it had begun nothing
		w.is(c, Draining)
		if b := only(w, &w.begun); b.Err != nil {
			w.Errorf("a transaction: %v", b.Err)
		} else if err := w.commit(b.Tx); err != nil {
			w.Errorf("its commit: %v", err)
		}
		w.is(c, Reconnecting)
	})
}

// TestPeerThatSaysNothingToDrain is not waited for longer than DrainTimeout.
func TestPeerThatSaysNothingToDrain(t *testing.T) {
	simulating(t, ServerConfig{DrainTimeout: time.Second}, func(w *world) {
		w.client("a", Config{PingTimeout: -1})
		w.pass(100 * time.Millisecond)
		w.clientEnd().Lose()
		w.server.Drain()
		w.pass(900 * time.Millisecond)
		if st, err := w.server.State(); err != nil || st.Connections != 1 {
			w.Errorf("before DrainTimeout: %+v, %v", st, err)
		}
		w.pass(farewell + 200*time.Millisecond)
		if _, err := w.server.State(); !errors.Is(err, ErrClosed) {
			w.Errorf("after it: %v", err)
		}
	})
}

// TestLateHelloTimer: the time for a hello that a broken connection had is not the
// next attempt's.
func TestLateHelloTimer(t *testing.T) {
	simulating(t, ServerConfig{}, func(w *world) {
		w.net.scripts = [][]wheeltest.Fault{{wheeltest.ResetAfter(10)}}
		c := w.client("a", Config{PingTimeout: -1, ConnectTimeout: time.Second, MinBackoff: 900 * time.Millisecond, MaxBackoff: 900 * time.Millisecond})
		w.pass(100 * time.Millisecond)
		w.is(c, Reconnecting)
		w.net.hole = true
		w.pass(1500 * time.Millisecond) // the next attempt fails after ConnectTimeout, not with the first one's
		w.is(c, Connecting)
		if err := w.state(c).Err; errors.Is(err, errMute) {
			w.Error(err)
		}
	})
}

// TestOverflow: which message goes when there is no room.
func TestOverflow(t *testing.T) {
	simulating(t, ServerConfig{}, func(w *world) {
		w.net.FailDial(fmt.Sprintf("127.0.0.1:%d", simPort), slices.Repeat([]error{syscall.ECONNREFUSED}, 2)...)
		newest := w.client("a", Config{MaxQueued: 2, PingTimeout: -1, MinBackoff: time.Second})
		oldest := w.client("b", Config{MaxQueued: 2, PingTimeout: -1, MinBackoff: time.Second, Overflow: DropOldest})
		w.pass(100 * time.Millisecond)
		for _, c := range []*Conn{newest, oldest} {
			w.is(c, Reconnecting)
			w.double(c, 1)
			w.double(c, 2)
		}
		if err := newest.Send(Message{Name: "news", To: "x"}); !errors.Is(err, ErrFull) {
			w.Errorf("RefuseNewest: %v", err)
		}
		w.double(oldest, 3)
		w.pass(10 * time.Millisecond)
		if r := w.reply(); !errors.Is(r.Err, ErrFull) {
			w.Errorf("DropOldest: %+v", r)
		}
		w.pass(3 * time.Second)
		got := map[any]int{}
		for _, r := range w.replies {
			if r.Err != nil {
				w.Errorf("got %v", r.Err)
				continue
			}
			got[r.Args[0]]++
		}
		if fmt.Sprint(got) != "map[2:1 4:2 6:1]" {
			w.Errorf("answers %v", got)
		}
		if s := w.state(oldest); s.Dropped != 1 {
			w.Errorf("state %+v", s)
		}
	})
}

// TestServerThatSaysItDrainsAndDoesNot is left after a while, like one whose
// connection is lost then.
func TestServerThatSaysItDrainsAndDoesNot(t *testing.T) {
	simulating(t, ServerConfig{}, func(w *world) {
		c := w.client("a", Config{PingTimeout: -1, DrainTimeout: time.Second, PingWait: time.Second})
		w.pass(100 * time.Millisecond)
		w.begin(c) // or it would close at once
		w.server.Drain()
		w.pass(50 * time.Millisecond)
		w.is(c, Draining)
		w.clientEnd().Lose()
		w.pass(1900 * time.Millisecond)
		w.is(c, Draining)
		w.pass(100 * time.Millisecond)
		w.is(c, Reconnecting, Connecting)
	})
}
