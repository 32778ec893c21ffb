package trace_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/trace"
)

// A million events through a ring of 1,000 leave the last 1,000, in order, and
// the number of those that are gone. They come by the way by which a kernel's do.
func TestRing_AMillionEvents(t *testing.T) {
	rec := trace.NewRecorder(1000)
	j := rec.Observer().Journal(time.Now())
	const events = 1_000_000
	r := kernel.Record{Event: "x", From: "#1", To: "#1"}
	for i := range uint64(events) {
		r.Seq, r.Cause = i+1, i
		j.Began(&r, time.Duration(i))
		j.Ended(i+1, time.Duration(i+1), nil)
	}
	j.Rest()
	s := rec.Snapshot()
	if len(s.Records) != 1000 || s.Forgotten != events-1000 {
		t.Fatalf("%d records, %d forgotten", len(s.Records), s.Forgotten)
	}
	for i, r := range s.Records {
		if seq := uint64(events - 1000 + i + 1); r.Seq != seq || r.Cause != seq-1 || r.Running || r.Took != 1 {
			t.Fatalf("record %d: %+v", i, r)
		}
	}
}

// A ring of any size keeps as many records as it is said to, the last ones, also
// when handlers nest and every kind of record is among them.
func TestRing_Sizes(t *testing.T) {
	for _, size := range []int{1, 2, 10, 63, 64, 65, 500} {
		k, rec := recorded(t, kernel.Simulated, size)
		_, err := k.Spawn(table{
			"_start": func(c *kernel.Context) error { return c.Yield("x", 400) },
			"x": func(c *kernel.Context) error {
				_, err := c.Call(c.Self(), "y")
				c.Delay("gone", time.Hour)
				c.AlarmClear("gone")
				if n := c.Arg(0).(int); n > 0 {
					return c.Yield("x", n-1)
				}
				return err
			},
			"y": func(*kernel.Context) error { return nil },
		})
		must(err)
		run(t, k)
		s := rec.Snapshot()
		if len(s.Records) != size || s.Forgotten != uint64(1+401*3+2-size) {
			t.Errorf("size %d: %d records, %d forgotten", size, len(s.Records), s.Forgotten)
		}
		if last := s.Records[size-1]; last.Name != "_stop" || last.Running {
			t.Errorf("size %d: the last record is %+v", size, last)
		}
	}
}

// Snapshots are taken while many goroutines run handlers, call from outside, spawn
// and stop sessions: each is in order, and has only whole records.
func TestRing_SnapshotsWhileItRuns(t *testing.T) {
	rec := trace.NewRecorder(3000)
	k := kernel.New(kernel.Config{Workers: 8, Observer: rec.Observer()})
	const sessions, rounds = 20, 200
	for i := range sessions {
		_, err := k.Spawn(table{
			"_start": func(c *kernel.Context) error { return c.Yield("go", rounds) },
			"go": func(c *kernel.Context) error {
				n := c.Arg(0).(int)
				if n == 0 {
					return nil
				}
				must(c.Post(kernel.Address(fmt.Sprint("s", (i+n)%sessions)), fmt.Sprint("to s", (i+n)%sessions)))
				c.Delay("timer", time.Microsecond)
				if n%50 == 0 {
					_, err := c.Spawn(table{})
					must(err)
				}
				return c.Yield("go", n-1)
			},
			"timer":                 func(*kernel.Context) error { return nil },
			fmt.Sprint("to s", i):   func(*kernel.Context) error { return nil },
			fmt.Sprint("call s", i): func(*kernel.Context) error { return nil },
			"_child":                func(*kernel.Context) error { return nil },
		}, kernel.Alias(fmt.Sprint("s", i)))
		must(err)
	}
	release := k.Hold("the callers")
	var callers, readers sync.WaitGroup
	for i := range 4 {
		callers.Go(func() {
			for n := range rounds {
				_, _ = k.Call(t.Context(), kernel.Address(fmt.Sprint("s", n%sessions)), fmt.Sprint("call s", n%sessions))
				if l, err := k.SpawnHeld(table{}, kernel.Alias(fmt.Sprint("guest ", i))); err == nil {
					l.Release()
				}
			}
		})
	}
	over := make(chan struct{})
	for range 2 {
		readers.Go(func() {
			for {
				checkWhole(t, rec.Snapshot())
				select {
				case <-over:
					return
				default:
				}
			}
		})
	}
	go func() { callers.Wait(); release() }()
	run(t, k)
	close(over)
	readers.Wait()
	s := rec.Snapshot()
	checkWhole(t, s)
	if len(s.Records) != 3000 {
		t.Errorf("%d records are left", len(s.Records))
	}
	for _, r := range s.Records {
		if r.Running {
			t.Errorf("still running: %+v", r)
		}
	}
}

// checkWhole checks what must hold of any snapshot of the test above.
func checkWhole(t *testing.T, s *trace.Snapshot) {
	if len(s.Records) > 3000 {
		t.Errorf("%d records in a ring of 3000", len(s.Records))
	}
	seen := make(map[uint64]bool)
	for i, r := range s.Records {
		if r.Kind != trace.Handled {
			continue
		}
		if r.Seq == 0 || seen[r.Seq] || r.To == "" || r.Name == "" || r.Took < 0 {
			t.Fatalf("record %d: %+v", i, r)
		}
		seen[r.Seq] = true
		var to int
		if n, _ := fmt.Sscanf(r.Name, "to s%d", &to); n == 1 && string(r.To) != fmt.Sprint("#", to+1) {
			t.Fatalf("a mixed record: %+v", r)
		}
	}
}
