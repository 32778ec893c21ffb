package trace_test

import (
	"strings"
	"testing"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/trace"
)

func kitchenSnapshot(t *testing.T) *trace.Snapshot {
	t.Helper()
	k, rec := recorded(t, kernel.Simulated, 0)
	kitchen(k)
	run(t, k)
	return rec.Snapshot()
}

func compare(t *testing.T, got, want string) {
	t.Helper()
	got, want = strings.Trim(got, "\n"), strings.Trim(want, "\n")
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// The tree has what ran, why, how it ended, why sessions stopped, a signal's
// verdict, and refused calls, with sessions by ID and aliases (D17).
func TestTree_D17_Golden(t *testing.T) {
	s := kitchenSnapshot(t)
	got := written(t, func(b *strings.Builder) error { return s.WriteTree(b) })
	compare(t, got, `
       +0s  _start → #1 (kitchen)
       +0s  _start → #2 (guest)
       +0s    order → #1 (kitchen), posted by #2 (guest)
       +0s      drinks? → #2 (guest), called by #1 (kitchen)
       +0s        Post returns an error: event "water" to bar: no such session; is it spawned, and its alias set, before this post?
    +20m0s      cooked → #1 (kitchen), timer, failed: burnt; cook less
    +20m0s        sorry → #1 (kitchen), signal
    +20m0s        signal DIE → #1 (kitchen): handled
    +20m0s        served → #2 (guest), posted by #1 (kitchen)
    +20m0s          timer too late removed by #2 (guest)
    +20m0s          #2 (guest) stops: Context.Stop
    +20m0s          _stop → #2 (guest)
    +20m0s          tip → #2 (guest), posted by itself: dropped, receiver stopped
    +20m0s  signal IDLE → everyone: nobody handles it, it stops 1
    +20m0s  #1 (kitchen) stops: signal IDLE
    +20m0s  _stop → #1 (kitchen)
`)
}

func TestMermaid_Golden(t *testing.T) {
	s := kitchenSnapshot(t)
	got := written(t, func(b *strings.Builder) error { return s.WriteMermaid(b) })
	compare(t, got, `
sequenceDiagram
    participant kernel as kernel
    participant s1 as #35;1 (kitchen)
    participant s2 as #35;2 (guest)
    kernel->>s1: _start
    kernel->>s2: _start
    s2-)s1: order
    s1->>s2: drinks?
    s1-)s1: cooked (timer)
    Note over s1: failed#58; burnt#59; cook less
    kernel->>s1: sorry (signal)
    s1-)s2: served
    Note over s2: stops#58; Context.Stop
    kernel->>s2: _stop
    s2-xs2: tip (dropped)
    Note over s1: stops#58; signal IDLE
    kernel->>s1: _stop
`)
}

func TestChrome_Golden(t *testing.T) {
	k, rec := recorded(t, kernel.Simulated, 0)
	_, err := k.Spawn(table{
		"_start": func(c *kernel.Context) error { return c.Yield("x") },
		"x":      func(*kernel.Context) error { return nil },
	}, kernel.Alias("one"))
	must(err)
	run(t, k)
	s := rec.Snapshot()
	got := written(t, func(b *strings.Builder) error { return s.WriteChrome(b) })
	compare(t, got, `
{"displayTimeUnit":"ns","traceEvents":[
{"name":"process_name","ph":"M","ts":0,"pid":1,"tid":0,"args":{"name":"usher"}},
{"name":"thread_name","ph":"M","ts":0,"pid":1,"tid":0,"args":{"name":"kernel"}},
{"name":"thread_name","ph":"M","ts":0,"pid":1,"tid":1,"args":{"name":"#1 (one)"}},
{"name":"_start","ph":"X","ts":0,"dur":1,"pid":1,"tid":1,"cat":"kernel","args":{"cause":0,"event":65536,"from":"kernel","via":"kernel"}},
{"name":"x","ph":"X","ts":1,"dur":1,"pid":1,"tid":1,"cat":"post","args":{"cause":65536,"event":65537,"from":"#1 (one)","via":"post"}},
{"name":"cause","ph":"s","ts":0,"pid":1,"tid":1,"id":2,"cat":"cause"},
{"name":"cause","ph":"f","ts":1,"pid":1,"tid":1,"id":2,"bp":"e","cat":"cause"},
{"name":"signal IDLE → everyone: nobody handles it, it stops 1","ph":"i","ts":2,"pid":1,"tid":0,"s":"t","cat":"signal"},
{"name":"#1 (one) stops: signal IDLE","ph":"i","ts":3,"pid":1,"tid":1,"s":"t","cat":"stops"},
{"name":"_stop","ph":"X","ts":4,"dur":1,"pid":1,"tid":1,"cat":"kernel","args":{"cause":0,"event":65538,"from":"kernel","via":"kernel"}}
]}
`)
}
