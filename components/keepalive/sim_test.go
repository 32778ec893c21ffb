package keepalive

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/wheel/wheeltest"
)

// town is one simulated run: a pool, guests who use it at random, and servers that
// misbehave at random.
type town struct {
	*sim
	rng    *rand.Rand
	fates  map[RequestID]fate
	wants  map[fate]int   // how often each came out
	served int            // requests that got a connection
	guests int            // that go on
	held   map[int]int    // by guests, of a place
	open   map[string]int // by servers
	trace  []string
}

// townConfig has limits that the guests run into.
var townConfig = Config{
	MaxPerHost: 2, MaxOpen: 5, KeepAlive: 1500 * time.Millisecond, Timeout: 30 * time.Second,
	WaitTimeout: 20 * time.Second, LookupTimeout: 800 * time.Millisecond, ConnectTimeout: 1200 * time.Millisecond,
}

// places are what guests ask for.
var places = []struct {
	scheme, addr string
	good         bool // nothing but the network's chance keeps one from a connection
}{
	{"a", "10.0.0.1", true},
	{"b", "10.0.0.1", true}, // another key, the same server
	{"a", "beta", true},
	{"a", "gamma", true},     // the first address is silent
	{"a", "slow", true},      // the first address is far
	{"a", "10.0.0.5", false}, // nobody listens
	{"a", "10.0.0.6", false}, // nothing arrives
	{"a", "nowhere", false},  // no such name
	{"a", "mute", false},     // nobody answers the lookup
	{"a", "moody", true},     // some lookups and dials fail
}

const (
	townGuests = 9
	townRounds = 5
)

func newTown(t *testing.T, seed uint64) *town {
	link := wheeltest.Link{Delay: 5 * time.Millisecond, Jitter: 2 * time.Millisecond}
	w := &town{
		sim: newSim(t, seed, townConfig, link, kerneltest.AllowDropped()), // guests stop with an answer on its way
		rng: rand.New(rand.NewPCG(seed, 1)), fates: map[RequestID]fate{}, wants: map[fate]int{}, held: map[int]int{}, open: map[string]int{},
	}
	n := w.net
	n.SetHost("beta", "10.0.0.2")
	n.SetHost("silent", "fd00::9")
	n.SetHost("far", "10.0.0.4")
	n.SetHost("moody", "10.0.0.7")
	n.silent["mute"] = nil
	n.answers = static{"gamma": {"fd00::9", "10.0.0.3"}, "slow": {"10.0.0.4", "10.0.0.3"}}
	n.Between("localhost", "silent", silent)
	n.Between("localhost", "10.0.0.6", silent)
	n.Between("localhost", "far", wheeltest.Link{Delay: 120 * time.Millisecond})
	for _, addr := range []string{"10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80", "10.0.0.4:80", "10.0.0.7:80"} {
		w.listen(addr)
	}
	for range 20 {
		n.After(w.upTo(20*time.Second), w.misfortune)
	}
	for i := range townGuests {
		w.guests++
		if _, err := w.k.Spawn(w.guest(i, townRounds)); err != nil {
			t.Fatal(err)
		}
	}
	if seed%3 == 0 { // in the middle of everything; else when all have gone
		n.After(w.upTo(8*time.Second), w.close)
	}
	return w
}

func (w *town) upTo(d time.Duration) time.Duration { return time.Duration(w.rng.Int64N(int64(d))) }

func (w *town) note(format string, args ...any) {
	w.trace = append(w.trace, fmt.Sprint(w.k.Now().Sub(kerneltest.Epoch), " ", fmt.Sprintf(format, args...)))
}

// close has the pool shut down.
func (w *town) close() {
	if err := w.lease.Post(evRun.Name(), func(*kernel.Context) error {
		w.note("shutdown")
		w.pool.Shutdown()
		return nil
	}); err != nil {
		w.Error(err)
	}
}

// misfortune happens to somebody.
func (w *town) misfortune() {
	switch conns := w.net.Conns(); w.rng.IntN(4) {
	case 0:
		w.net.FailDial("10.0.0.7:80", errRefused)
	case 1:
		w.net.FailLookup("moody", errors.New("server misbehaving"))
	default:
		if len(conns) > 0 {
			c := conns[w.rng.IntN(len(conns))]
			w.note("reset %v", c)
			c.Reset()
		}
	}
}

// fate moves a request on; want is what it must be before.
func (w *town) fate(id RequestID, want, next fate) {
	if got := w.fates[id]; got != want {
		w.Errorf("a request is %s and not %q on its way to %s", got, want, next)
	}
	w.wants[want]--
	w.wants[next]++
	w.fates[id] = next
}

// checkLimits asks the pool. What the servers see is checked where they accept.
func (w *town) checkLimits() {
	s, err := w.pool.Stats()
	if err == nil && s.Opening+s.Lent+s.Idle > townConfig.MaxOpen {
		w.Errorf("MaxOpen is passed: %+v", s)
	}
}

// play runs a seed to its end.
func play(t *testing.T, seed uint64) *town {
	w := newTown(t, seed)
	for range 100 {
		w.pass(time.Second)
		if w.guests == 0 {
			break
		}
	}
	if w.guests > 0 {
		t.Fatalf("%d guests go on for ever", w.guests)
	}
	w.pass(5 * time.Second)
	if s, err := w.pool.Stats(); err == nil && s.Load != (Load{}) {
		t.Errorf("when all have gone, the pool holds %+v", s)
	}
	w.end()
	for addr, n := range w.open {
		if n != 0 {
			t.Errorf("%d connections of %s are open at the end", n, addr)
		}
	}
	if len(w.fates) == 0 || w.wants[pending] != 0 {
		t.Errorf("%d requests: %v", len(w.fates), w.wants)
	}
	return w
}

// TestA45_Town plays many seeds, each twice. In every one
//
//   - each request is answered once, or cancelled, or its session stopped;
//   - no limit is ever passed, by the pool's count or by the servers';
//   - nobody who asks for a place that works waits until Timeout;
//   - nobody gets what was sent to another;
//   - at the end nothing is left: no connection at either end, no session, and so no
//     lease, timer or wheel;
//   - the same seed gives the same run.
func TestA3_A4_A45_R1_Town(t *testing.T) {
	var total struct{ runs, requests, served, answered, cancelled, orphaned int }
	seeds := simulatedSeeds
	if testing.Short() {
		seeds = min(seeds, 20)
	}
	kerneltest.Seeds(t, seeds, func(t *testing.T, seed uint64) {
		w := play(t, seed)
		total.runs++
		total.requests += len(w.fates)
		total.served += w.served
		total.answered += w.wants[answered]
		total.cancelled += w.wants[cancelled]
		total.orphaned += w.wants[orphaned]
		if again := play(t, seed); !slices.Equal(w.trace, again.trace) {
			for i := range min(len(w.trace), len(again.trace)) {
				if w.trace[i] != again.trace[i] {
					t.Fatalf("two runs differ at %d: %s, and %s", i, w.trace[i], again.trace[i])
				}
			}
			t.Errorf("two runs differ in length: %d and %d", len(w.trace), len(again.trace))
		}
	})
	t.Logf("%+v", total)
	if n := total; n.runs == seeds && (n.served < n.requests/4 || n.answered-n.served < n.requests/20 || n.cancelled < n.requests/40 || n.orphaned < n.requests/100) {
		t.Errorf("%+v: too little happens", n)
	}
}
