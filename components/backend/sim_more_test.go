package backend

import (
	"errors"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

// TestOutcomeFences: a commit that is still on its way when somebody has been told
// "rolled back" delivers nothing.
func TestOutcomeFences(t *testing.T) {
	simulating(t, ServerConfig{}, func(w *world) {
		c := w.client("a", Config{PingTimeout: -1, IdlePing: 200 * time.Millisecond, PingWait: 200 * time.Millisecond})
		w.pass(50 * time.Millisecond)
		end := w.clientEnd()
		w.client("ears", Config{PingTimeout: -1})
		w.pass(100 * time.Millisecond)
		tx := w.begin(c)
		w.send(tx, 1, 2)
		w.pass(50 * time.Millisecond)
		end.Stall(10 * time.Second)
		w.do(func(kc *kernel.Context) error { return tx.AskCommit(kc, evEnded) })
		w.pass(2 * time.Second)
		if e := only(w, &w.ended); !errors.Is(e.Err, ErrUnknownOutcome) {
			w.Fatalf("got %v", e.Err)
		}
		w.is(c, Ready, Suspect)
		w.do(func(kc *kernel.Context) error { return c.AskOutcome(kc, tx.ID(), evAsked) })
		w.pass(time.Second)
		if a := only(w, &w.asked); a.Err != nil || a.Outcome != RolledBack {
			w.Errorf("got %+v", a)
		}
		w.pass(20 * time.Second) // the commit arrives
		w.heard()
	})
}

// TestB24_RequestTakesItsTimeAndNoMore, to the nanosecond of the kernel's clock.
func TestB24_RequestTakesItsTimeAndNoMore(t *testing.T) {
	simulating(t, ServerConfig{}, func(w *world) {
		c := w.client("a", Config{PingTimeout: -1, Timeout: 1900 * time.Millisecond})
		w.pass(100 * time.Millisecond)
		w.do(func(kc *kernel.Context) error { return c.Ask(kc, Message{Name: "hush"}, evReplied) })
		w.pass(1900*time.Millisecond - 1)
		if len(w.replies) != 0 {
			w.Fatalf("too early: %+v", w.replies)
		}
		w.pass(1)
		if r := w.reply(); !errors.Is(r.Err, ErrTimeout) {
			w.Errorf("got %+v", r)
		}
		w.is(c, Ready)
	})
}

// TestB15_B16_CloseIsForAll who have the connection, and All has those that are
// not closed.
func TestB15_B16_CloseIsForAll(t *testing.T) {
	simulating(t, ServerConfig{}, func(w *world) {
		b, a := w.client("b", Config{}), w.client("a", Config{})
		if all := All(w.k); len(all) != 2 || all[0] != a || all[1] != b {
			w.Errorf("all: %v", all)
		}
		w.pass(100 * time.Millisecond)
		if s, ok := w.k.Descriptions()["a"].(ConnState); !ok || s.State != Ready {
			w.Errorf("described as %+v", s)
		}
		again, err := Open(w.k, Config{Port: simPort, Alias: "a"})
		if err != nil || again != a {
			w.Fatalf("%v, %v", again, err)
		}
		a.Close()
		if err := again.Send(Message{Name: "x"}); !errors.Is(err, ErrClosed) {
			w.Errorf("the other user's: %v", err)
		}
		if all := All(w.k); len(all) != 1 || all[0] != b {
			w.Errorf("all: %v", all)
		}
		w.pass(10 * time.Second)
		if _, there := w.k.Descriptions()["a"]; there {
			w.Error("still described")
		}
	})
}

// TestB11_AnAccessCountsPingedOrNot: messages that come often enough are never
// preceded by a ping; one that comes late is.
func TestB11_B12_AnAccessCountsPingedOrNot(t *testing.T) {
	simulating(t, ServerConfig{}, func(w *world) {
		c := w.client("a", Config{PingTimeout: time.Second, IdlePing: -1})
		w.pass(100 * time.Millisecond)
		w.do(func(kc *kernel.Context) error { return c.Watch(kc, evChanged) })
		for range 5 {
			w.double(c, 1)
			w.pass(900 * time.Millisecond)
		}
		if len(w.changes) != 1 {
			w.Errorf("it was pinged: %q", w.changes)
		}
		w.pass(100 * time.Millisecond)
		w.double(c, 1)
		w.pass(100 * time.Millisecond)
		if len(w.changes) != 3 || w.changes[1] != "ready→suspect" {
			w.Errorf("it was not: %q", w.changes)
		}
		if len(w.replies) != 6 {
			w.Errorf("%d replies", len(w.replies))
		}
	})
}
