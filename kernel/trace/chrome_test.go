package trace_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/trace"
)

// charted counts the records that a sequence diagram has room for.
func charted(records []trace.Record) (n int) {
	for _, r := range records {
		if r.Kind == trace.Handled || r.Kind == trace.Dropped || r.Kind == trace.Stops {
			n++
		}
	}
	return n
}

// chromeTrace is the format as its readers know it.
type chromeTrace struct {
	TraceEvents []struct {
		Name, Ph, Bp, S, Cat string
		TS, Dur              float64
		PID                  int
		TID                  uint64
		ID                   int
		Args                 map[string]any
	}
}

type flowEnd struct {
	id  int
	ts  int64
	tid uint64
}

func nanos(micros float64) int64 { return int64(math.Round(micros * 1000)) }

// checkChrome parses a trace and checks what its viewers rely on: slices of a
// thread are one after the other or one inside the other; each arrow has two ends
// that lie in slices; every thread has a name.
func checkChrome(t *testing.T, text string) (slicesSeen int) {
	t.Helper()
	var all chromeTrace
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	var outer struct {
		DisplayTimeUnit string
		TraceEvents     json.RawMessage
	}
	if err := d.Decode(&outer); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		t.Fatal(err)
	}
	type slice struct{ from, to int64 } // ns
	threads, named := map[uint64][]slice{}, map[uint64]bool{}
	var starts, ends []flowEnd
	for _, e := range all.TraceEvents {
		if e.PID != 1 || e.Name == "" || e.Dur < 0 {
			t.Errorf("odd event %+v", e)
		}
		switch e.Ph {
		case "M":
			named[e.TID] = named[e.TID] || e.Name == "thread_name" && e.Args["name"] != ""
		case "X":
			threads[e.TID] = append(threads[e.TID], slice{nanos(e.TS), nanos(e.TS) + nanos(e.Dur)})
			slicesSeen++
		case "i":
			if e.S != "t" {
				t.Errorf("an instant without scope: %+v", e)
			}
		case "s":
			starts = append(starts, flowEnd{e.ID, nanos(e.TS), e.TID})
		case "f":
			if e.Bp != "e" {
				t.Errorf("the end of an arrow is not bound to the slice around it: %+v", e)
			}
			ends = append(ends, flowEnd{e.ID, nanos(e.TS), e.TID})
		default:
			t.Errorf("phase %q", e.Ph)
		}
	}
	for tid, list := range threads {
		if !named[tid] {
			t.Errorf("thread %d has no name", tid)
		}
		slices.SortStableFunc(list, func(a, b slice) int {
			return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(b.to, a.to))
		})
		var around []slice
		for _, s := range list {
			for len(around) > 0 && around[len(around)-1].to <= s.from {
				around = around[:len(around)-1]
			}
			if n := len(around); n > 0 && s.to > around[n-1].to {
				t.Errorf("thread %d: %v overlaps %v", tid, s, around[n-1])
			}
			around = append(around, s)
		}
	}
	inside := func(e flowEnd) bool {
		return slices.ContainsFunc(threads[e.tid], func(s slice) bool { return s.from <= e.ts && e.ts <= s.to })
	}
	if len(starts) != len(ends) {
		t.Errorf("%d arrows begin, %d end", len(starts), len(ends))
	}
	for i := range starts {
		if starts[i].id != ends[i].id || !inside(starts[i]) || !inside(ends[i]) {
			t.Errorf("arrow from %+v to %+v", starts[i], ends[i])
		}
	}
	return slicesSeen
}

// The trace is valid in all modes: of a program with calls within one session,
// between two, timers, failures, and many short handlers.
func TestChrome_IsValid(t *testing.T) {
	for _, m := range modes {
		t.Run(m.String(), func(t *testing.T) {
			k, rec := recorded(t, m, 0)
			for i := range 4 {
				_, err := k.Spawn(table{
					"_start": func(c *kernel.Context) error { c.Sig("DIE", "die"); return c.Yield("go", 100) },
					"go": func(c *kernel.Context) error {
						n := c.Arg(0).(int)
						if n == 0 {
							return errBurnt
						}
						_, err := c.Call(c.Self(), "inner")
						must(err)
						_, err = c.Call(kernel.Address(fmt.Sprint("peer ", (i+1)%4)), "inner")
						if err != nil { // the other calls us
							c.DelayAdd("later", time.Microsecond)
						}
						return c.Yield("go", n-1)
					},
					"inner": func(*kernel.Context) error { return nil },
					"later": func(*kernel.Context) error { return nil },
					"die":   func(c *kernel.Context) error { c.SigHandled(); return nil },
				}, kernel.Alias(fmt.Sprint("peer ", i)))
				must(err)
			}
			run(t, k)
			s := rec.Snapshot()
			text := written(t, func(b *strings.Builder) error { return s.WriteChrome(b) })
			handlers := 0
			for _, r := range s.Records {
				if r.Kind == trace.Handled {
					handlers++
				}
			}
			if n := checkChrome(t, text); n != handlers || n < 4*300 {
				t.Errorf("%d slices, %d handlers", n, handlers)
			}
		})
	}
}

// Nothing recorded is a valid trace, too.
func TestChrome_Empty(t *testing.T) {
	_, rec := recorded(t, kernel.Simulated, 0)
	s := rec.Snapshot()
	checkChrome(t, written(t, func(b *strings.Builder) error { return s.WriteChrome(b) }))
}
