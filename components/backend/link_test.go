package backend

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usher-go/usher/wheel/filter"
)

var t0 = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

func testLink(t *testing.T, cfg Config) *link {
	t.Helper()
	cfg.Port = 1
	full, err := cfg.complete(7)
	if err != nil {
		t.Fatal(err)
	}
	id := uint64(1 << 32) // apart from those of requests
	return newLink(full, func() uint64 { id++; return id }, func() float64 { return 0.5 })
}

// stand has the connection made and the hellos exchanged.
func stand(l *link, now time.Time) []any {
	l.up()
	return l.welcome(now, 0)
}

// doWaitOf is how long the actions wait for the next attempt.
func doWaitOf(t *testing.T, acts []any) time.Duration {
	t.Helper()
	for _, a := range acts {
		if w, ok := a.(doWait); ok {
			return w.d
		}
	}
	t.Fatalf("%v: no wait", acts)
	return 0
}

// sends lists the names of the frames that actions send; a ping is a send, too.
func sends(acts []any) (names []string) {
	for _, a := range acts {
		switch a := a.(type) {
		case doRegister:
			names = append(names, cmdRegister)
		case doSend:
			names = append(names, a.out.name)
		case doPing:
			names = append(names, cmdPing)
		}
	}
	return names
}

var lastID atomic.Uint64 // of requests

func submit(t *testing.T, l *link, name string, now time.Time) (*outgoing, *[]Reply, []any) {
	t.Helper()
	var got []Reply
	o := &outgoing{name: name, id: lastID.Add(1), encoded: []byte(name), done: func(r Reply) { got = append(got, r) }}
	acts, err := l.submit(o, now)
	if err != nil {
		t.Fatal(err)
	}
	return o, &got, acts
}

func answer(acts []any) {
	for _, a := range acts {
		if a, ok := a.(doAnswer); ok && a.out.done != nil {
			a.out.done(a.reply)
		}
	}
}

func TestB29_RegistersFirst(t *testing.T) {
	l := testLink(t, Config{PingTimeout: -1})
	_, _, early := submit(t, l, "early", t0)
	if len(sends(early)) != 0 {
		t.Fatalf("sent %v without a connection", sends(early))
	}
	acts := stand(l, t0)
	if got := fmt.Sprint(sends(acts)); got != "[register_service early]" {
		t.Fatalf("sent %v", got)
	}
	if name := l.cfg.Name; name != "backend7" {
		t.Fatalf("registers %v; want alias and process ID (B20)", name)
	}
}

func TestB9_B10_B11_PingPolicy(t *testing.T) {
	for _, tc := range []struct {
		policy, since time.Duration
		ping          bool
	}{
		{0, 0, true}, {0, time.Hour, true},
		{-1, time.Hour, false},
		{time.Minute, 59 * time.Second, false}, {time.Minute, time.Minute, true}, {time.Minute, time.Hour, true},
	} {
		l := testLink(t, Config{PingTimeout: tc.policy})
		stand(l, t0)
		_, _, acts := submit(t, l, "cmd", t0.Add(tc.since))
		want := "[cmd]"
		if tc.ping {
			want = "[ping]"
		}
		if got := fmt.Sprint(sends(acts)); got != want {
			t.Errorf("policy %v, %v after the last access: sent %v, want %v", tc.policy, tc.since, got, want)
		}
	}
	l := testLink(t, Config{PingTimeout: time.Minute})
	stand(l, t0)
	for i := range 5 { // every access counts, pinged or not
		if _, _, acts := submit(t, l, "cmd", t0.Add(time.Duration(i)*50*time.Second)); fmt.Sprint(sends(acts)) != "[cmd]" {
			t.Fatalf("access %d pinged", i)
		}
	}
}

func TestB13_B14_PongLetsTheRestGo(t *testing.T) {
	l := testLink(t, Config{})
	stand(l, t0)
	_, got, acts := submit(t, l, "a", t0)
	ping := l.ping
	if got := fmt.Sprint(sends(acts)); got != "[ping]" {
		t.Fatalf("sent %v", got)
	}
	submit(t, l, "b", t0)
	if acts, _ := l.frame(filter.Frame{Name: "news"}, t0); len(acts) != 0 || l.state != Suspect {
		t.Fatal("a message that answers nothing passed for the pong")
	}
	acts, _ = l.frame(filter.Frame{Name: evPong, ReplyTo: ping}, t0)
	if s := fmt.Sprint(sends(acts)); s != "[a b]" || l.state != Ready {
		t.Fatalf("after the pong: %v, %v", s, l.state)
	}
	if len(*got) != 0 {
		t.Fatal("the pong answered a request")
	}
}

func TestB13_NoPongReconnects(t *testing.T) {
	l := testLink(t, Config{})
	stand(l, t0)
	_, got, _ := submit(t, l, "a", t0)
	acts := l.noPong()
	if _, ok := acts[0].(doDisconnect); !ok || l.state != Reconnecting {
		t.Fatalf("%T, %v", acts[0], l.state)
	}
	l.wake()
	if s := fmt.Sprint(sends(stand(l, t0))); s != "[register_service a]" || len(*got) != 0 {
		t.Fatalf("the request that was not sent was not repeated: %v, %v", s, *got)
	}
}

func TestB5_BackoffDoublesAndStops(t *testing.T) {
	l := testLink(t, Config{MinBackoff: time.Second, MaxBackoff: 10 * time.Second})
	for _, want := range []time.Duration{1, 2, 4, 8, 10, 10} {
		acts := l.down(errEnd)
		if d := doWaitOf(t, acts); d != want*time.Second {
			t.Fatalf("waits %v, want %v", d, want*time.Second)
		}
		l.wake()
	}
	l.spread = func() float64 { return 0 }
	acts := l.down(errEnd)
	if d := doWaitOf(t, acts); d != 8*time.Second {
		t.Fatalf("waits %v at the lower end, want 8s", d)
	}
}

func TestB5_BackoffOfManyAttempts(t *testing.T) {
	l := testLink(t, Config{MinBackoff: time.Minute, MaxBackoff: time.Hour})
	before := time.Duration(0)
	for n := range 100 {
		d := doWaitOf(t, l.down(errEnd))
		if want := max(time.Minute, min(2*before, time.Hour)); d != want {
			t.Fatalf("waits %v before attempt %d, want %v", d, n, want)
		}
		before = d
		l.wake()
	}
}

func TestQueueIsBounded(t *testing.T) {
	l := testLink(t, Config{MaxQueued: 2})
	submit(t, l, "a", t0)
	submit(t, l, "b", t0)
	if _, err := l.submit(&outgoing{}, t0); err != ErrFull {
		t.Fatalf("got %v", err)
	}
}

// Nothing is dropped for what has no room in an empty queue either.
func TestNothingIsDroppedInVain(t *testing.T) {
	l := testLink(t, Config{MaxQueuedBytes: 10, Overflow: DropOldest})
	submit(t, l, "a", t0)
	acts, err := l.submit(&outgoing{encoded: make([]byte, 11)}, t0)
	if err != ErrFull || len(acts) != 0 || len(l.queue) != 1 || l.dropped != 0 {
		t.Errorf("11 bytes of 10: %v, %v, %d wait; want ErrFull, and that nothing happens", err, acts, len(l.queue))
	}
	if _, err := l.submit(&outgoing{encoded: make([]byte, 10)}, t0); err != nil || len(l.queue) != 1 || l.dropped != 1 {
		t.Errorf("10 bytes of 10: %v, %d wait, %d dropped; want it in place of the one before", err, len(l.queue), l.dropped)
	}
}

// Pings that have waited do not all go to a server that wants few of them, and what
// is answered at once is counted no more.
func TestPingsThatWaitAreSpared(t *testing.T) {
	l := testLink(t, Config{PingTimeout: -1})
	l.up()
	_, sure, _ := submit(t, l, cmdPing, t0)
	l.queue[0].always = true // Connect's
	_, spared, _ := submit(t, l, cmdPing, t0)
	acts := l.welcome(t0, time.Minute)
	answer(acts)
	if got := fmt.Sprint(sends(acts)); got != "[register_service ping]" || len(*sure) != 0 || len(*spared) != 1 || (*spared)[0].Err != nil {
		t.Errorf("sent %v; the first got %v, the second %v; want one ping, and an answer for the second", got, *sure, *spared)
	}
	_, third, acts := submit(t, l, cmdPing, t0.Add(time.Second))
	answer(acts)
	if len(*third) != 1 || l.queued != 0 {
		t.Errorf("the third got %v, and %d bytes wait; want an answer and none", *third, l.queued)
	}
}

// Requests do not wait for a server that is down, and Sends that came in time do.
func TestFailFast(t *testing.T) {
	l := testLink(t, Config{PingTimeout: -1, FailFast: 2})
	stand(l, t0)
	l.down(errEnd) // an end is no attempt
	_, got, _ := submit(t, l, "a", t0)
	if acts, err := l.submit(&outgoing{name: "told", encoded: []byte("b")}, t0); err != nil || len(acts) != 0 {
		t.Errorf("a Send: %v, %v", acts, err)
	}
	l.wake()
	answer(l.down(errEnd))
	if len(*got) != 0 {
		t.Fatalf("after one attempt: %v", *got)
	}
	l.wake()
	answer(l.down(errMute))
	if len(*got) != 1 || !errors.Is((*got)[0].Err, ErrDown) || !errors.Is((*got)[0].Err, errMute) {
		t.Errorf("after two attempts: %v, want ErrDown and why", *got)
	}
	if _, err := l.submit(&outgoing{name: "late"}, t0); !errors.Is(err, ErrDown) {
		t.Errorf("afterwards: %v", err)
	}
	l.wake()
	if got := fmt.Sprint(sends(stand(l, t0))); got != "[register_service told]" {
		t.Errorf("at last sent %v", got)
	}
	if _, err := l.submit(&outgoing{name: "b"}, t0); err != nil {
		t.Errorf("when it is back: %v", err)
	}
}

// Who has waited in vain is told why there is no connection.
func TestTimeoutSaysWhy(t *testing.T) {
	l := testLink(t, Config{})
	_, got, _ := submit(t, l, "a", t0)
	l.down(errMute)
	answer(l.overdue(t0.Add(time.Hour)))
	if len(*got) != 1 || !errors.Is((*got)[0].Err, ErrTimeout) || !errors.Is((*got)[0].Err, errMute) {
		t.Errorf("got %v; want ErrTimeout and why", *got)
	}
}

// The timer that ends Draining pings nobody afterwards.
func TestIdlePingNeverMeansNever(t *testing.T) {
	l := testLink(t, Config{PingTimeout: -1, IdlePing: -1})
	stand(l, t0)
	l.frame(filter.Frame{Name: evDrain, ID: 1}, t0)
	l.down(errEnd)
	l.wake()
	stand(l, t0)
	if acts := l.idle(t0.Add(time.Minute)); len(acts) != 0 || l.state != Ready {
		t.Errorf("%v, %s; want nothing", acts, l.state)
	}
}

// TestEveryRequestIsAnsweredOnce walks at random through whatever can happen.
func TestEveryRequestIsAnsweredOnce(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 1))
		l := testLink(t, Config{PingTimeout: []time.Duration{-1, 0, time.Second}[rng.IntN(3)], MaxQueued: 8})
		var outs []*outgoing
		answers := map[*outgoing]int{}
		now := t0
		for range 200 {
			now = now.Add(time.Duration(rng.IntN(700)) * time.Millisecond)
			var acts []any
			switch rng.IntN(10) {
			case 0, 1, 2:
				o := &outgoing{id: lastID.Add(1), encoded: []byte("x")}
				o.done = func(Reply) { answers[o]++ }
				if a, err := l.submit(o, now); err == nil {
					outs, acts = append(outs, o), a
				}
			case 3:
				if l.state == Connecting {
					acts = stand(l, now)
				}
			case 4:
				if l.state != Reconnecting {
					acts = l.down(errEnd)
				}
			case 5:
				acts = l.wake()
			case 6:
				acts, _ = l.frame(filter.Frame{Name: evReply, ReplyTo: pickID(rng, l)}, t0)
			case 7:
				if len(outs) > 0 {
					acts = l.fail(outs[rng.IntN(len(outs))], ErrTimeout)
				}
			case 8:
				for _, o := range l.asked {
					acts = l.fail(o, context.Canceled)
					break
				}
			case 9:
				acts = l.noPong()
			}
			answer(acts)
			if l.state == Ready && len(l.queue) > 0 {
				t.Fatalf("seed %d: %d messages wait on a ready connection", seed, len(l.queue))
			}
		}
		answer(l.close(nil))
		answer(l.close(nil))
		for i, o := range outs {
			if answers[o] != 1 {
				t.Fatalf("seed %d: request %d was answered %d times", seed, i, answers[o])
			}
		}
	}
}

// pickID is the ping's, that of a request that was sent at some time, or of none.
func pickID(rng *rand.Rand, l *link) uint64 {
	if rng.IntN(3) == 0 {
		return l.ping
	}
	return lastID.Load() - rng.Uint64N(10)
}

// While a server drains, what waits for the next connection has nothing to do with how
// much this one still takes; what belongs to this one goes at once, however much waits.
func TestRoomWhileTheServerDrains(t *testing.T) {
	for _, policy := range []Overflow{RefuseNewest, DropOldest} {
		l := testLink(t, Config{MaxQueued: 2, Overflow: policy})
		stand(l, t0)
		room := 1000
		l.room = func() int { return room }
		l.drained(0, t0)
		message := func(n int) *outgoing { return &outgoing{name: "note", encoded: make([]byte, n)} }
		if _, err := l.submit(message(500), t0); err != nil {
			t.Errorf("%v: %v", policy, err)
		}
		room = 100
		if _, err := l.submit(message(500), t0); err != nil || len(l.queue) != 2 || l.dropped != 0 {
			t.Errorf("%v: %d wait, %d were dropped: %v", policy, len(l.queue), l.dropped, err)
		}
		commit := message(100)
		commit.epoch = l.epoch
		acts, err := l.submit(commit, t0)
		if got := sends(acts); err != nil || len(got) != 1 || len(l.queue) != 2 || l.dropped != 0 {
			t.Errorf("%v: %q sent, %d wait, %d were dropped: %v", policy, got, len(l.queue), l.dropped, err)
		}
		large := message(101)
		large.epoch = l.epoch
		if _, err := l.submit(large, t0); err != ErrFull || l.dropped != 0 {
			t.Errorf("%v: %d were dropped: %v", policy, l.dropped, err)
		}
	}
}
