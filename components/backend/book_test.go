package backend

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

// model is what a transaction may be, by the simplest rules there are.
type model struct {
	began, over bool
	sent        []string
	failed      bool
}

// TestBookEveryInterleaving plays every sequence of five steps of two
// transactions against the model: they do not mix, and each delivers all, once,
// in order, or nothing.
func TestBookEveryInterleaving(t *testing.T) {
	cfg := ServerConfig{MaxTx: 2, MaxTxMessages: 2, MaxTxBytes: 100, TxTimeout: time.Minute}
	steps := []string{"begin", "send", "bad", "commit", "short", "rollback"}
	const length = 5
	total := 1
	for range length {
		total *= 2 * len(steps)
	}
	stride := 1
	if testing.Short() || raceEnabled {
		stride = 7
	}
	for n := 0; n < total; n += stride {
		b := newBook(&cfg)
		models := map[string]*model{"a": {}, "b": {}}
		seq := ""
		for i, rest := 0, n; i < length; i++ {
			step, id := steps[rest%len(steps)], string("ab"[rest/len(steps)%2])
			rest /= 2 * len(steps)
			seq += id + " " + step + ", "
			m := models[id]
			switch step {
			case "begin":
				err := b.begin(id, t0)
				if wrong := m.began && !m.over; wrong != (err != nil) {
					t.Fatalf("%s: %v", seq, err)
				}
				if err == nil {
					*m = model{began: true}
				}
			case "send", "bad":
				p := parcel{id, []byte(fmt.Sprint(i))}
				if step == "send" {
					b.add(id, p, nil)
				} else {
					b.add(id, p, errors.New("bad"))
				}
				if m.began && !m.over {
					m.sent = append(m.sent, fmt.Sprint(i))
					m.failed = m.failed || step == "bad" || len(m.sent) > cfg.MaxTxMessages
				}
			case "commit", "short":
				count := len(m.sent)
				if step == "short" {
					count++ // one was lost on the way
				}
				parcels, err := b.commit(id, count)
				good := m.began && !m.over && !m.failed && step == "commit"
				got := ""
				for _, p := range parcels {
					if p.to != id {
						t.Fatalf("%s: a message of %s", seq, p.to)
					}
					got += string(p.encoded) + " "
				}
				want := ""
				for _, s := range m.sent {
					want += s + " "
				}
				if good != (err == nil) || good && got != want || !good && got != "" {
					t.Fatalf("%s: delivers %q, %v; want %q, %v", seq, got, err, want, good)
				}
				m.over = true
			case "rollback":
				b.rollback(id)
				m.over = true
			}
			open := 0
			for _, m := range models {
				if m.began && !m.over {
					open++
				}
			}
			if open != len(b.open) {
				t.Fatalf("%s: %d are open, want %d", seq, len(b.open), open)
			}
		}
	}
}

func TestBookLimits(t *testing.T) {
	b := newBook(&ServerConfig{MaxTx: 2, MaxTxMessages: 10, MaxTxBytes: 10, TxTimeout: time.Minute})
	code := func(err error) string {
		var x *txError
		if !errors.As(err, &x) {
			t.Fatalf("%v", err)
		}
		return x.code
	}
	for i, id := range []string{"a", "b"} {
		if err := b.begin(id, t0.Add(time.Duration(i)*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.begin("c", t0); code(err) != codeLimit {
		t.Errorf("a third: %v", err)
	}
	for range 3 {
		b.add("a", parcel{"x", make([]byte, 4)}, nil)
	}
	if d := b.open["a"]; len(d.parcels) != 0 {
		t.Error("what will not be delivered is kept")
	}
	if _, err := b.commit("a", 3); code(err) != codeLimit {
		t.Errorf("12 bytes of 10: %v", err)
	}
	if ids, next := b.expire(t0.Add(time.Minute)); len(ids) != 0 || !next.Equal(t0.Add(61*time.Second)) {
		t.Errorf("too early: %v, next %v", ids, next)
	}
	if ids, next := b.expire(t0.Add(61 * time.Second)); fmt.Sprint(ids) != "[b]" || !next.IsZero() {
		t.Errorf("in time: %v, next %v", ids, next)
	}
	if _, err := b.commit("b", 0); code(err) != codeRolledBack {
		t.Errorf("after its time: %v", err)
	}
	for _, id := range []string{"", string(make([]byte, maxTxID+1))} {
		if b.begin(id, t0) == nil {
			t.Errorf("ID of %d bytes", len(id))
		}
	}
}

// TestOutcomes: what was said stays so, and what may have been forgotten is unknown.
func TestOutcomes(t *testing.T) {
	m := newOutcomes("me", 30*time.Second, t0)
	token := m.token(t0)
	if got := m.decide("a", Committed, t0); got != Committed {
		t.Error(got)
	}
	if got := m.ask("a", token, t0.Add(89*time.Second)); got != Committed {
		t.Errorf("known: %v", got)
	}
	if got := m.ask("b", token, t0); got != RolledBack {
		t.Errorf("never committed: %v", got)
	}
	if got := m.decide("b", Committed, t0); got != RolledBack {
		t.Errorf("committed after it was said to be rolled back: %v", got)
	}
	for what, token := range map[string]string{"another server's": "you" + token[2:], "garbage": "me.!", "": ""} {
		if got := m.ask("c", token, t0); got != Unknown {
			t.Errorf("%s: %v", what, got)
		}
	}
	if got := m.ask("a", token, t0.Add(91*time.Second)); got != Unknown {
		t.Errorf("too late: %v", got)
	}
	late := t0.Add(time.Hour)
	for i := range maxOutcomes + 10 {
		m.decide(fmt.Sprint("many ", i), Committed, late)
	}
	if n := len(m.done) + len(m.fenced); len(m.of) > maxOutcomes || len(m.of) != n {
		t.Errorf("%d are kept, %d in order", len(m.of), n)
	}
	if got := m.ask("many 1", m.token(late), late); got != Unknown {
		t.Errorf("one that there was no room for: %v", got)
	}
}

// TestOutcomesWhenMuchIsCommitted: what began since is still told, and what was said to
// be rolled back stays so.
func TestOutcomesWhenMuchIsCommitted(t *testing.T) {
	m := newOutcomes("me", 30*time.Second, t0)
	token, now := m.token(t0.Add(time.Second)), t0.Add(2*time.Second)
	if got := m.ask("fenced", token, now); got != RolledBack {
		t.Fatal(got)
	}
	for i := range 2 * maxOutcomes {
		now = now.Add(time.Millisecond)
		m.decide(fmt.Sprint("many ", i), Committed, now)
	}
	if got := m.decide("fenced", Committed, now); got != RolledBack {
		t.Errorf("committed after it was said to be rolled back: %v", got)
	}
	if got := m.ask("old", token, now); got != Unknown {
		t.Errorf("one that may be among those forgotten: %v", got)
	}
	young := m.token(now.Add(-time.Second))
	if got := m.ask("young", young, now); got != RolledBack {
		t.Errorf("one that began since: %v", got)
	}
	if got := m.ask(fmt.Sprint("many ", 2*maxOutcomes-1), young, now); got != Committed {
		t.Errorf("the last: %v", got)
	}
	for i := range 2 * maxOutcomes {
		m.ask(fmt.Sprint("asked ", i), young, now)
	}
	if n := len(m.done) + len(m.fenced); len(m.of) != n || n > 2*maxOutcomes {
		t.Errorf("%d are kept, %d in order", len(m.of), n)
	}
}

// TestOutcomesByTheServersOwnClock: when a transaction began is told by how long the
// server had run, because the system's clock may be set back meanwhile.
func TestOutcomesByTheServersOwnClock(t *testing.T) {
	for _, since := range []time.Time{t0, t0.Add(-time.Hour)} {
		if got := newOutcomes("me", 0, since).token(since.Add(time.Second)); got != "me.gjdgxs" {
			t.Errorf("a second after %v: %q", since, got)
		}
	}
}
