package backend

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"
)

// One timer serves all requests of a connection, and each that is not answered ends
// in its own time, whatever became of the others.
func TestOneTimerForAllRequests(t *testing.T) {
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 1))
		l := testLink(t, Config{PingTimeout: -1, IdlePing: -1, Timeout: time.Minute})
		now := t0
		var timer time.Time
		due, ended := map[*outgoing]time.Time{}, map[*outgoing]time.Time{}
		perform := func(acts []any) {
			for _, a := range acts {
				switch a := a.(type) {
				case doLimit:
					if !timer.IsZero() || a.d <= 0 {
						t.Fatalf("seed %d: a timer of %v beside one for %v", seed, a.d, timer)
					}
					timer = now.Add(a.d)
				case doAnswer:
					_, again := ended[a.out]
					late := !now.Before(due[a.out])
					if again || late != errors.Is(a.reply.Err, ErrTimeout) {
						t.Fatalf("seed %d: at %v, due %v: %v", seed, now.Sub(t0), due[a.out].Sub(t0), a.reply.Err)
					}
					ended[a.out] = now
				}
			}
		}
		// pass lets time go by; the timer fires in time.
		pass := func(d time.Duration) {
			for until := now.Add(d); ; {
				if timer.IsZero() || timer.After(until) {
					now = until
					return
				}
				now, timer = timer, time.Time{}
				perform(l.overdue(now))
			}
		}
		if rng.IntN(4) > 0 { // otherwise they wait for a connection, in vain
			perform(stand(l, now))
		}
		for range 100 {
			pass(time.Duration(rng.Int64N(int64(10 * time.Second))))
			o := &outgoing{name: "cmd", id: lastID.Add(1), encoded: []byte("x"), done: func(Reply) {}}
			due[o] = now.Add(time.Minute)
			acts, err := l.submit(o, now)
			if err != nil {
				t.Fatal(err)
			}
			perform(acts)
			for other, at := range due {
				if _, over := ended[other]; !over && rng.IntN(8) == 0 && at.After(now) {
					perform(l.fail(other, ErrLost)) // as good as an answer
				}
			}
		}
		pass(2 * time.Minute)
		for o, at := range due {
			if end, over := ended[o]; !over || end.After(at) {
				t.Fatalf("seed %d: a request of %v ended %v at %v", seed, at.Sub(t0), over, end.Sub(t0))
			}
		}
		if !timer.IsZero() || l.due != (deadlines{}) || len(l.queue)+len(l.asked) > 0 {
			t.Fatalf("seed %d: all are answered, and left are %+v, timer %v", seed, l.due, timer)
		}
	}
}

// Requests that are answered cost no timer each.
func TestAnsweredRequestsShareATimer(t *testing.T) {
	l := testLink(t, Config{PingTimeout: -1})
	stand(l, t0)
	timers := 0
	for range 1000 {
		o, _, acts := submit(t, l, "cmd", t0)
		for _, a := range append(acts, l.fail(o, ErrLost)...) {
			if _, ok := a.(doLimit); ok {
				timers++
			}
		}
	}
	if timers != 1 {
		t.Errorf("%d timers for 1000 requests; want 1", timers)
	}
	if acts := l.overdue(t0.Add(time.Hour)); len(acts) != 0 || l.timed {
		t.Errorf("with nothing left the timer leads to %v", acts)
	}
}
