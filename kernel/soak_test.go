package kernel_test

import (
	"errors"
	"math"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

// Each soak has a short version among the ordinary tests.

func TestG9_G12_FloodFromOutside(t *testing.T) { soakModes(t, soakFlood, 200_000) }
func TestManySessionsComeAndGo(t *testing.T)   { soakModes(t, soakSessions, 20_000) }

func TestSoakFloodFromOutside(t *testing.T) { soakOnly(t); soakModes(t, soakFlood, 50_000_000) }
func TestSoakMillionSessions(t *testing.T)  { soakOnly(t); soakModes(t, soakSessions, 1_000_000) }

func soakOnly(t *testing.T) {
	t.Helper()
	if os.Getenv("USHER_SOAK") != "1" {
		t.Skip("takes minutes; set USHER_SOAK=1")
	}
}

func soakModes(t *testing.T, f func(*testing.T, kernel.Mode, int), n int) {
	for _, m := range []kernel.Mode{kernel.Parallel, kernel.Serial} {
		t.Run(m.String(), func(t *testing.T) { f(t, m, n) })
	}
}

// flooder is a goroutine that posts, and what became of its posts.
type flooder struct {
	accepted, refused int // its own
	handled, dropped  atomic.Int64
}

func (f *flooder) post(l *kernel.Lease) error {
	err := l.Post("x", f)
	switch {
	case err == nil:
		f.accepted++
	case errors.Is(err, kernel.ErrQueueFull):
		f.refused++
	default:
		return err
	}
	return nil
}

// soakFlood posts from several goroutines into one session that is slower than
// they are. The queue stays at its limit and memory where it is; what was
// accepted is handled, or reported when the session stops.
func soakFlood(t *testing.T, m kernel.Mode, posts int) {
	const flooders, phases, queueLimit, slack = 4, 10, 10_000, 4 << 20
	fs := make([]flooder, flooders)
	blocked, release := make(chan struct{}), make(chan struct{})
	slow := 0
	k := kernel.New(kernel.Config{Mode: m, Observer: &kernel.Observer{
		Dropped: func(r kernel.Record, _ kernel.Reason) { r.Args[0].(*flooder).dropped.Add(1) },
	}})
	lease, err := k.SpawnHeld(table{
		"x": func(c *kernel.Context) error {
			c.Arg(0).(*flooder).handled.Add(1)
			for i := range 500 {
				slow += i
			}
			return nil
		},
		"last": func(c *kernel.Context) error {
			close(blocked)
			<-release
			c.Stop()
			return nil
		},
	}, kernel.QueueLimit(queueLimit))
	must(err)
	wait := start(t, k)

	began := time.Now()
	var live []int64
	for range phases {
		var wg sync.WaitGroup
		for i := range fs {
			wg.Go(func() {
				for range posts / phases / flooders {
					if err := fs[i].post(lease); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		live = append(live, liveHeap())
	}
	took := time.Since(began)

	until(t, "there is room for one more", func() bool {
		err := lease.Post("last")
		if !errors.Is(err, kernel.ErrQueueFull) {
			must(err)
		}
		return err == nil
	})
	<-blocked // everything before it is handled: now fill the queue
	f := &fs[0]
	for full := f.refused; f.refused == full; {
		must(f.post(lease))
	}
	close(release)
	wait()

	var accepted, refused, handled, dropped int
	for i := range fs {
		f := &fs[i]
		if f.accepted != int(f.handled.Load()+f.dropped.Load()) {
			t.Errorf("goroutine %d: %d accepted, %d handled and %d reported as dropped", i, f.accepted, f.handled.Load(), f.dropped.Load())
		}
		accepted, refused = accepted+f.accepted, refused+f.refused
		handled, dropped = handled+int(f.handled.Load()), dropped+int(f.dropped.Load())
	}
	expect(t, "dropped with the session", dropped, queueLimit)
	warm, last := live[0], live[phases-1]
	if last > warm+slack {
		t.Errorf("live heap grew from %d kB to %d kB", warm>>10, last>>10)
	}
	t.Logf("%d posts in %v: %d accepted, %d refused, %d handled, %d dropped with their session; live heap %d kB after a tenth, %d kB at the end",
		accepted+refused, took.Round(time.Millisecond), accepted, refused, handled, dropped, warm>>10, last>>10)
}

// soakSessions has n sessions spawned, posted to and stopped, twice: one by one,
// then with the kernel. Their memory comes back, but for what emptied maps keep;
// and that does not grow.
func soakSessions(t *testing.T, m kernel.Mode, n int) {
	var handled, stopped *countdown
	k := kernel.New(kernel.Config{Mode: m, StopTimeout: time.Hour, Observer: &kernel.Observer{
		Stopped: func(kernel.Address) { stopped.one() },
	}})
	release := k.Hold("soak")
	wait := start(t, k)
	sessions := table{
		"x":    func(*kernel.Context) error { handled.one(); return nil },
		"stop": func(c *kernel.Context) error { c.Stop(); return nil },
	}
	empty := liveHeap()
	var grown, back [2]int64
	for wave := range back {
		handled, stopped = newCountdown(n), newCountdown(n)
		leases := make([]*kernel.Lease, n)
		watch := lap()
		for i := range leases {
			l, err := k.SpawnHeld(sessions)
			must(err)
			leases[i] = l
		}
		spawned := watch()
		grown[wave] = liveHeap() - empty
		watch()
		for _, l := range leases {
			must(l.Post("x"))
		}
		<-handled.zero
		posted := watch()
		if wave == 0 {
			for _, l := range leases {
				must(l.Post("stop"))
			}
		} else {
			k.Stop()
		}
		<-stopped.zero
		ended := watch()
		if wave == 1 {
			release()
			wait()
		}
		clear(leases)
		back[wave] = liveHeap() - empty
		t.Logf("%d sessions: each spawned in %v, with a lease %d bytes, posted to in %v, stopped in %v; %d kB left of %d kB",
			n, spawned/time.Duration(n), grown[wave]/int64(n), posted/time.Duration(n), ended/time.Duration(n), back[wave]>>10, grown[wave]>>10)
	}
	const slack = 10 << 20 // Proto.Actor's registry: 32,768 maps, which keep their first eight places
	if back[0] > grown[0]/5+slack {
		t.Errorf("%d kB of %d kB came back", (grown[0]-back[0])>>10, grown[0]>>10)
	}
	if back[1] > back[0]+grown[0]/50+slack {
		t.Errorf("what is left grew from %d kB to %d kB", back[0]>>10, back[1]>>10)
	}
}

// start has the kernel run on a goroutine of its own; wait returns when Run has,
// and fails the test if it failed.
func start(t *testing.T, k *kernel.Kernel) (wait func()) {
	end := make(chan error, 1)
	go func() { end <- k.Run(t.Context()) }()
	return func() {
		t.Helper()
		if err := <-end; err != nil {
			t.Fatalf("Run: %v", err)
		}
		(&fixture{Kernel: k, t: t}).clean()
	}
}

// countdown closes zero when n things have happened.
type countdown struct {
	left atomic.Int64
	zero chan struct{}
}

func newCountdown(n int) *countdown {
	c := &countdown{zero: make(chan struct{})}
	c.left.Store(int64(n))
	return c
}

func (c *countdown) one() {
	if c.left.Add(-1) == 0 {
		close(c.zero)
	}
}

// lap returns a stop-watch; each look at it begins anew.
func lap() func() time.Duration {
	began := time.Now()
	return func() time.Duration {
		d := time.Since(began)
		began = time.Now()
		return d
	}
}

// liveHeap is what is reachable, once it shrinks no more: a collection frees what
// was pooled one before, and the cleanups that it queues free more.
func liveHeap() int64 {
	for last := int64(math.MaxInt64); ; {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		now := int64(m.HeapAlloc)
		if now > last-64<<10 {
			return now
		}
		last = now
	}
}
