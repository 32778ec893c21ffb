package kernel_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/usher-go/usher/kernel"
)

// books checks that what an observer is told fits together.
type books struct {
	t  *testing.T
	mu sync.Mutex

	posted, began, ended, dropped map[uint64]bool
	holds                         map[string]int
	spawned, stopping, stopped    map[kernel.Address]bool
	sent, verdicts                int
}

func newLedger(t *testing.T) *books {
	set := func() map[uint64]bool { return make(map[uint64]bool) }
	sessions := func() map[kernel.Address]bool { return make(map[kernel.Address]bool) }
	return &books{
		t: t, posted: set(), began: set(), ended: set(), dropped: set(), holds: make(map[string]int),
		spawned: sessions(), stopping: sessions(), stopped: sessions(),
	}
}

// once notes something that may come only once.
func once[K comparable](l *books, what string, seen map[K]bool, key K) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if seen[key] {
		l.t.Errorf("%s twice: %v", what, key)
	}
	seen[key] = true
}

// known checks a cause: an event that has begun, or none.
func (l *books) known(what string, cause uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if cause != 0 && !l.began[cause] {
		l.t.Errorf("%s is caused by event %d, which has not begun", what, cause)
	}
}

func (l *books) observer() *kernel.Observer {
	return &kernel.Observer{
		Posted: func(r kernel.Record) {
			l.known("post of "+r.Event, r.Cause)
			if r.Err == nil {
				once(l, "posted", l.posted, r.Seq)
				return
			}
			l.mu.Lock()
			delete(l.posted, r.Seq)
			l.mu.Unlock()
		},
		Began: func(r kernel.Record) {
			l.known(r.Event, r.Cause)
			once(l, "began", l.began, r.Seq)
		},
		Ended: func(r kernel.Record) { once(l, "ended", l.ended, r.Seq) },
		Dropped: func(r kernel.Record, _ kernel.Reason) {
			once(l, "dropped", l.dropped, r.Seq)
		},
		Timer: func(r kernel.TimerRecord) { l.known("timer "+r.Event, r.Cause) },
		Held: func(r kernel.HoldRecord) {
			l.mu.Lock()
			defer l.mu.Unlock()
			what := fmt.Sprint(r.Session, " ", r.Kind, " ", r.Detail)
			if r.Up {
				l.holds[what]++
			} else if l.holds[what]--; l.holds[what] == 0 {
				delete(l.holds, what)
			}
		},
		Spawned: func(s, _ kernel.Address) { once(l, "spawned", l.spawned, s) },
		Stopping: func(r kernel.StopRecord) {
			l.known(fmt.Sprint("the stop of ", r.Session), r.Cause)
			once(l, "stopping", l.stopping, r.Session)
		},
		Stopped: func(s kernel.Address) {
			once(l, "stopped", l.stopped, s)
			l.mu.Lock()
			defer l.mu.Unlock()
			if !l.stopping[s] || !l.spawned[s] {
				l.t.Errorf("%v has stopped; it was spawned: %v, its stop decided: %v", s, l.spawned[s], l.stopping[s])
			}
		},
		Signal: func(r kernel.SignalRecord) {
			l.known("signal "+r.Name, r.Cause)
			l.mu.Lock()
			defer l.mu.Unlock()
			switch r.Op {
			case kernel.SignalSent:
				l.sent++
			case kernel.SignalVerdict:
				l.verdicts++
			}
		},
	}
}

// close checks what must hold when the kernel has ended, and returns how many handlers
// ran.
func (l *books) close() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	for seq := range l.posted {
		if l.began[seq] == l.dropped[seq] {
			l.t.Errorf("event %d was posted; it began: %v, was dropped: %v", seq, l.began[seq], l.dropped[seq])
		}
	}
	expect(l.t, "handlers that ended", len(l.ended), len(l.began))
	expect(l.t, "sessions that stopped", len(l.stopped), len(l.spawned))
	expect(l.t, "verdicts", l.verdicts, l.sent)
	if len(l.holds) > 0 {
		l.t.Errorf("holds that began and did not end: %v", l.holds)
	}
	return len(l.began)
}

// Whatever sessions do to each other, what an observer is told fits together:
// every event that was posted begins once or is dropped, every cause has begun
// before its effect, every hold ends, every signal has a verdict (D3–D6).
func TestObserver_D3_D4_D5_D6_StormFitsTogether(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		const seeds = 4
		ran := 0 // one storm may die down at once, killed from outside
		for n := range uint64(seeds) {
			t.Run(fmt.Sprint("seed ", n), func(t *testing.T) {
				l := newLedger(t)
				s := &storm{fixture: boot(t, m, seed(n), workers(1+int(n)), also(l.observer())), m: m}
				s.budget.Store(3000)
				for i := range 10 {
					s.population.Add(1)
					s.count(s.Post(s.spawn(s.member(n*100+uint64(i))), "hop", 16))
				}
				release := s.Hold("storm")
				var wg sync.WaitGroup
				for i := range 3 {
					wg.Go(func() { s.outside(n*10+uint64(i), 200) })
				}
				go func() { wg.Wait(); release() }()
				s.run()
				s.posters.Wait()
				ran += l.close()
			})
		}
		if ran < 200*seeds {
			t.Errorf("only %d handlers ran", ran)
		}
	})
}
