package backend

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel/wheeltest"
)

// TestCutAtEveryByte breaks a connection at each byte of the exchange, of what the
// client reads and of what it writes: hellos with proofs, registration, a request,
// a transaction. The request is answered or failed once, the transaction is whole
// or nothing and its outcome can be had, and the client is ready again in time.
func TestCutAtEveryByte(t *testing.T) {
	step := 1
	if testing.Short() || raceEnabled {
		step = 13
	}
	for s, step := range map[Serializer]int{Protobuf: step, JSON: 3 * step} {
		for what, cut := range map[string]func(n int) wheeltest.Fault{
			"reads":  wheeltest.ResetAfter,
			"writes": func(n int) wheeltest.Fault { return wheeltest.FailWrite(n, syscall.ECONNRESET) },
			"ends":   wheeltest.EndRead,
		} {
			t.Run(fmt.Sprint(s, " ", what), func(t *testing.T) {
				last := 0
				for at := 0; at < 2000; at += step {
					if !cutOnce(t, s, uint64(at), cut(at)) {
						if last++; last > 3 {
							return // the exchange is over before
						}
					}
				}
				t.Error("the exchange has no end")
			})
		}
	}
}

// cutOnce reports whether the fault was met.
func cutOnce(t *testing.T, s Serializer, seed uint64, fault wheeltest.Fault) (met bool) {
	w := newWorld(t, seed, ServerConfig{Secrets: secrets})
	defer w.end()
	cfg := Config{PingTimeout: -1, User: knows.User, Secret: knows.Secret, MinBackoff: 100 * time.Millisecond, MaxBackoff: time.Second}
	w.client("ears", cfg)
	w.pass(100 * time.Millisecond)
	cfg.Serializer = s
	w.net.scripts = [][]wheeltest.Fault{{fault}}
	c := w.client("a", cfg)
	w.double(c, 21)
	w.pass(5 * time.Second)
	w.do(func(kc *kernel.Context) error { return c.AskBegin(kc, evBegun) })
	w.pass(5 * time.Second)
	r, b := w.reply(), only(w, &w.begun)
	switch {
	case r.Err == nil && fmt.Sprint(r.Args[0]) == "42":
	case errors.Is(r.Err, ErrLost):
	default:
		t.Fatalf("request: %+v", r)
	}
	err := b.Err
	if err == nil {
		w.do(func(kc *kernel.Context) error {
			_ = b.Tx.Send(item(1)) // the commit says what came of it
			_ = b.Tx.Send(item(2))
			err = b.Tx.AskCommit(kc, evEnded)
			return nil
		})
		w.pass(5 * time.Second)
		if err == nil {
			err = only(w, &w.ended).Err
		}
	}
	told := RolledBack
	switch {
	case err == nil:
		told = Committed
	case errors.Is(err, ErrUnknownOutcome):
		w.do(func(kc *kernel.Context) error { return c.AskOutcome(kc, b.Tx.ID(), evAsked) })
		w.pass(5 * time.Second)
		told = only(w, &w.asked).Outcome
	case !errors.Is(err, ErrRolledBack) && !errors.Is(err, ErrLost):
		t.Fatalf("transaction: %v", err)
	}
	want := map[Outcome]string{Committed: "ears [1] ears [2]"}[told]
	if got := strings.Join(w.news, " "); got != want {
		t.Fatalf("transaction: %v, %v, and %q was delivered", err, told, got)
	}
	st := w.state(c)
	if st.State != Ready || st.Waiting+st.Asked != 0 {
		t.Fatalf("state %+v", st)
	}
	return w.net.dials > 2 // for each of the two clients one
}
