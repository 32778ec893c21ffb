package backend

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

func item(i int) Message { return Message{Name: "news", To: "ears", Args: []any{i}} }

func (w *world) send(tx *Tx, items ...int) {
	w.Helper()
	for _, i := range items {
		if err := tx.Send(item(i)); err != nil {
			w.Fatal(err)
		}
	}
}

// heard wants the news to have been these.
func (w *world) heard(want ...string) {
	w.Helper()
	w.pass(100 * time.Millisecond)
	if !slices.Equal(w.news, want) {
		w.Errorf("heard %q, want %q", w.news, want)
	}
	w.news = nil
}

// TestTxCommit: nothing before the commit, then all, in order, and the committer
// knows to how many.
func TestTxCommit(t *testing.T) {
	simulating(t, ServerConfig{}, func(w *world) {
		c := w.client("a", Config{PingTimeout: -1})
		w.client("ears", Config{PingTimeout: -1})
		w.pass(100 * time.Millisecond)
		one, two := w.begin(c), w.begin(c)
		w.send(one, 1)
		w.send(two, 10)
		w.send(one, 2)
		w.heard()
		if err := one.Send(Message{Name: "news", To: Everyone, Args: []any{3}}); err != nil {
			w.Fatal(err)
		}
		if err := one.Send(Message{Name: "news", To: "nobody", Args: []any{4}}); err != nil {
			w.Fatal(err)
		}
		if err := w.commit(one); err != nil {
			w.Fatal(err)
		}
		if got := fmt.Sprint(one.Receivers()); got != "[1 1 1 0]" {
			w.Errorf("receivers %v", got)
		}
		w.heard("ears [1]", "ears [2]", "ears [3]")
		if err := w.commit(two); err != nil {
			w.Fatal(err)
		}
		w.heard("ears [10]")
		if err := one.Send(item(9)); !errors.Is(err, ErrEnded) {
			w.Errorf("after the commit: %v", err)
		}
		w.do(func(kc *kernel.Context) error {
			if err := one.AskCommit(kc, evEnded); !errors.Is(err, ErrEnded) {
				w.Errorf("a second commit: %v", err)
			}
			return nil
		})
	})
}

// TestTxNotAtAll: a rollback, a time out, a message that is refused, one that is
// too much, a connection that breaks, and a server that goes: nothing is delivered.
func TestTxNotAtAll(t *testing.T) {
	const mayNot = "forbidden"
	limits := ServerConfig{
		TxTimeout: 5 * time.Second, MaxTxMessages: 3, MaxTx: 2,
		Allow: func(_ Identity, _ Action, name string) bool { return name != mayNot },
	}
	for name, tc := range map[string]struct {
		do   func(w *world, c *Conn, tx *Tx)
		want error
	}{
		"rollback": {func(w *world, c *Conn, tx *Tx) {
			w.do(func(kc *kernel.Context) error { return tx.AskRollback(kc, evEnded) })
			w.pass(100 * time.Millisecond)
			if e := only(w, &w.ended); e.Err != nil || e.Tx != tx {
				w.Errorf("%+v", e)
			}
		}, ErrEnded},
		"time":     {func(w *world, c *Conn, tx *Tx) { w.pass(6 * time.Second) }, ErrRolledBack},
		"refused":  {func(w *world, c *Conn, tx *Tx) { _ = tx.Send(Message{Name: "news", To: mayNot}) }, ErrDenied},
		"too much": {func(w *world, c *Conn, tx *Tx) { w.send(tx, 3, 4) }, ErrLimit},
		"not encodable": {func(w *world, c *Conn, tx *Tx) {
			if err := tx.Send(Message{Name: "news", To: "ears", Args: []any{make(chan int)}}); !errors.Is(err, kernel.ErrNotEncodable) {
				w.Errorf("got %v", err)
			}
		}, ErrRolledBack},
		"break": {func(w *world, c *Conn, tx *Tx) { w.clientEnd().Reset(); w.pass(time.Second) }, ErrRolledBack},
		"break, seen late": {func(w *world, c *Conn, tx *Tx) {
			w.clientEnd().Reset()
			w.pass(0)
		}, ErrRolledBack},
		"server goes": {func(w *world, c *Conn, tx *Tx) {
			w.server.Shutdown()
			w.pass(10 * time.Second)
			w.serve(limits)
			w.pass(10 * time.Second)
		}, ErrRolledBack},
	} {
		t.Run(name, func(t *testing.T) {
			simulating(t, limits, func(w *world) {
				c := w.client("a", Config{PingTimeout: -1})
				w.pass(100 * time.Millisecond)
				w.client("ears", Config{PingTimeout: -1})
				w.pass(100 * time.Millisecond)
				tx := w.begin(c)
				w.send(tx, 1, 2)
				w.pass(100 * time.Millisecond)
				tc.do(w, c, tx)
				err := error(nil)
				w.do(func(kc *kernel.Context) error {
					err = tx.AskCommit(kc, evEnded)
					return nil
				})
				w.pass(time.Second)
				if err == nil {
					err = only(w, &w.ended).Err
				}
				if !errors.Is(err, tc.want) {
					w.Errorf("commit: %v, want %v", err, tc.want)
				}
				w.pass(10 * time.Second)
				w.heard()
			})
		})
	}
	simulating(t, limits, func(w *world) {
		c := w.client("a", Config{PingTimeout: -1})
		w.pass(100 * time.Millisecond)
		w.begin(c)
		w.begin(c)
		w.do(func(kc *kernel.Context) error { return c.AskBegin(kc, evBegun) })
		w.pass(100 * time.Millisecond)
		if b := only(w, &w.begun); !errors.Is(b.Err, ErrLimit) {
			w.Errorf("a third transaction: %+v", b)
		}
	})
}

// TestTxUnknownOutcome cuts the connection at every millisecond of a commit's way
// there and back: the committer knows, or knows that it does not, and then the
// server tells.
func TestTxUnknownOutcome(t *testing.T) {
	seen := map[string]int{}
	for ms := range 16 {
		for seed := range uint64(4) {
			w := newWorld(t, seed, ServerConfig{})
			c := w.client("a", Config{PingTimeout: -1})
			w.pass(50 * time.Millisecond)
			end := w.clientEnd()
			w.client("ears", Config{PingTimeout: -1})
			w.pass(100 * time.Millisecond)
			tx := w.begin(c)
			w.send(tx, 1, 2)
			w.do(func(kc *kernel.Context) error { return tx.AskCommit(kc, evEnded) })
			w.pass(time.Duration(ms) * time.Millisecond)
			end.Reset()
			w.pass(5 * time.Second)
			err := only(w, &w.ended).Err
			delivered := strings.Join(w.news, " ")
			w.news = nil
			if delivered != "" && delivered != "ears [1] ears [2]" {
				t.Fatalf("cut after %d ms: half of it was delivered: %q", ms, delivered)
			}
			told := Committed
			switch {
			case errors.Is(err, ErrUnknownOutcome):
				w.do(func(kc *kernel.Context) error { return c.AskOutcome(kc, tx.ID(), evAsked) })
				w.pass(5 * time.Second)
				a := only(w, &w.asked)
				if a.Err != nil {
					t.Fatal(a.Err)
				}
				told = a.Outcome
			case err != nil:
				t.Fatalf("cut after %d ms: %v", ms, err)
			}
			if (told == Committed) != (delivered != "") || told == Unknown {
				t.Fatalf("cut after %d ms: %v, %v, and %q was delivered", ms, err, told, delivered)
			}
			seen[fmt.Sprint(err == nil, told)]++
			w.end()
		}
	}
	if len(seen) != 3 {
		t.Errorf("outcomes %v; want those that are known, and both that are not", seen)
	}
}

// TestTxThatNobodyWaitedFor: a Begin that took too long leaves nothing at the server.
func TestTxThatNobodyWaitedFor(t *testing.T) {
	simulating(t, ServerConfig{MaxTx: 1}, func(w *world) {
		c := w.client("a", Config{PingTimeout: -1, IdlePing: -1, Timeout: 100 * time.Millisecond})
		w.pass(100 * time.Millisecond)
		w.clientEnd().Stall(300 * time.Millisecond)
		w.do(func(kc *kernel.Context) error { return c.AskBegin(kc, evBegun) })
		w.pass(200 * time.Millisecond)
		if b := only(w, &w.begun); !errors.Is(b.Err, ErrTimeout) {
			w.Errorf("got %+v", b)
		}
		w.pass(200 * time.Millisecond)
		if err := w.commit(w.begin(c)); err != nil {
			w.Errorf("the next one: %v", err)
		}
	})
}

// TestTxWhoseEndWasGivenUp before it was sent is rolled back at once: a request that was
// cancelled leaves nothing that counts until ServerConfig.TxTimeout.
func TestTxWhoseEndWasGivenUp(t *testing.T) {
	simulating(t, ServerConfig{MaxTx: 1}, func(w *world) {
		c := w.client("ears", Config{PingTimeout: -1})
		w.pass(100 * time.Millisecond)
		over, cancel := context.WithCancel(background)
		cancel()
		for name, end := range map[string]func(*kernel.Context, *Tx) error{
			"Rollback":  func(_ *kernel.Context, tx *Tx) error { return tx.Rollback(over) },
			"Commit":    func(_ *kernel.Context, tx *Tx) error { return tx.Commit(over) },
			"AskCommit": func(kc *kernel.Context, tx *Tx) error { return tx.AskCommit(kc, "") },
		} {
			tx := w.begin(c)
			w.send(tx, 1)
			w.do(func(kc *kernel.Context) error {
				if err := end(kc, tx); !errors.Is(err, context.Canceled) && !errors.Is(err, ErrArgument) {
					w.Errorf("%s: %v", name, err)
				}
				return nil
			})
			w.pass(50 * time.Millisecond)
			if list, err := w.server.Status(); err != nil || list[0].Tx != 0 {
				w.Errorf("after %s: %+v, %v", name, list, err)
			}
		}
		w.heard()
	})
}

// TestTxOfUnknownOutcome is not said to be rolled back.
func TestTxOfUnknownOutcome(t *testing.T) {
	tx := &Tx{state: txEnding}
	if err := tx.finish(Reply{Err: fmt.Errorf("%w: %w", ErrUnknownOutcome, context.Canceled)}); !errors.Is(err, ErrUnknownOutcome) {
		t.Errorf("got %v", err)
	}
	if err := tx.Rollback(background); !errors.Is(err, ErrEnded) {
		t.Errorf("Rollback: %v", err)
	}
}
