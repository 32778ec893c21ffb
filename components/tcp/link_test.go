package tcp

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel/kerneltest"
)

var linkWords = [...]string{"setAlias", "dropAlias", "dial", "stopDial", "hangUp", "flush", "sleep", "stopSleep"}

func words(list []linkAct) (out []string) {
	for _, a := range list {
		out = append(out, linkWords[a.verb])
	}
	return out
}

// Each way through the table, as what is told and what is to be done.
func TestC28_C33_C34_C35_C36_Link(t *testing.T) {
	const again = 1
	for name, tc := range map[string]struct {
		attempts int
		told     []string
		want     []string
		state    linkState
	}{
		"up and down":               {0, []string{"wake", "up", "shutdown", "lost"}, []string{"dial", "dropAlias", "flush"}, resting},
		"a second shutdown":         {0, []string{"wake", "up", "shutdown", "shutdown", "lost"}, []string{"dial", "dropAlias", "flush", "dropAlias"}, resting},
		"lost":                      {0, []string{"wake", "up", "lost"}, []string{"dial", "dropAlias"}, resting},
		"lost, with a policy":       {again, []string{"wake", "up", "lost", "wake"}, []string{"dial", "sleep", "dial"}, connecting},
		"failed":                    {0, []string{"wake", "failed"}, []string{"dial"}, resting},
		"failed, with a policy":     {again, []string{"wake", "failed", "wake", "failed"}, []string{"dial", "sleep", "dial"}, resting},
		"shutdown before the start": {again, []string{"shutdown", "wake"}, []string{"dropAlias", "stopSleep"}, resting},
		"shutdown connecting":       {again, []string{"wake", "shutdown", "failed"}, []string{"dial", "dropAlias", "stopDial"}, resting},
		"shutdown waiting":          {again, []string{"wake", "failed", "shutdown", "wake"}, []string{"dial", "sleep", "dropAlias", "stopSleep"}, resting},
		"no wait after a shutdown":  {again, []string{"wake", "up", "shutdown", "lost"}, []string{"dial", "dropAlias", "flush"}, resting},
		"connect at rest":           {0, []string{"wake", "failed", "connect"}, []string{"dial", "setAlias", "dial"}, connecting},
		"connect connecting":        {0, []string{"wake", "connect"}, []string{"dial", "setAlias", "stopDial", "dial"}, connecting},
		"connect waiting":           {again, []string{"wake", "failed", "connect", "wake"}, []string{"dial", "sleep", "setAlias", "stopSleep", "dial"}, connecting},
		"connect while connected":   {again, []string{"wake", "up", "connect", "lost"}, []string{"dial", "setAlias", "hangUp", "dial"}, connecting},
		"connect shutting down":     {again, []string{"wake", "up", "shutdown", "connect", "lost"}, []string{"dial", "dropAlias", "flush", "setAlias", "hangUp", "dial"}, connecting},
		"refused by PreConnect":     {again, []string{"wake", "refuse", "lost", "failed"}, []string{"dial"}, resting},
	} {
		t.Run(name, func(t *testing.T) {
			l := &link{state: waiting, chance: func() float64 { return 0.5 }}
			l.policy = ReconnectPolicy{Attempts: tc.attempts}
			if err := l.policy.fill(); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, told := range tc.told {
				got = append(got, words(tell(l, told, time.Time{}))...)
			}
			if !slices.Equal(got, tc.want) || l.state != tc.state {
				t.Errorf("%v: does %v and is %v, want %v and %v", tc.told, got, l.state, tc.want, tc.state)
			}
		})
	}
}

func tell(l *link, what string, now time.Time) []linkAct {
	switch what {
	case "wake":
		return l.wake()
	case "up":
		l.up(now)
	case "failed":
		return l.failed()
	case "lost":
		return l.lost(now, false)
	case "shutdown":
		return l.shutdown()
	case "connect":
		return l.connect()
	case "refuse":
		l.refuse()
	}
	return nil
}

// Whatever happens in whatever order: at most one attempt and one wait at a time,
// none after a shutdown, and each is ended or seen to its end.
func TestC33_C34_C35_C38_LinkNeverForgets(t *testing.T) {
	kerneltest.Seeds(t, 50, func(t *testing.T, seed uint64) {
		rng := rand.New(rand.NewPCG(seed, 0))
		l := &link{state: waiting, chance: rng.Float64}
		l.policy = ReconnectPolicy{Attempts: rng.IntN(3)}
		if err := l.policy.fill(); err != nil {
			t.Fatal(err)
		}
		sleeping, dialing, up, alias := true, false, false, true
		for range 500 {
			var can []string
			if sleeping {
				can = append(can, "wake")
			}
			if dialing {
				can = append(can, "up", "failed", "refuse")
			}
			if up {
				can = append(can, "lost")
			}
			what := append(can, "connect", "shutdown")[rng.IntN(len(can)+2)]
			switch what {
			case "wake":
				sleeping = false
			case "up":
				dialing, up = false, true
			case "failed", "refuse":
				dialing = false
			case "lost":
				up = false
			}
			for _, a := range tell(l, what, time.Time{}) {
				was := fmt.Sprintf("sleeping %v, dialing %v, up %v", sleeping, dialing, up)
				wrong := false
				switch a.verb {
				case setAlias:
					alias = true
				case dropAlias:
					alias = false
				case dial:
					wrong, dialing = dialing || sleeping || up, true
				case stopDial:
					wrong, dialing = !dialing, false
				case hangUp:
					wrong, up = !up, false
				case flush:
					wrong = !up
				case sleep:
					wrong, sleeping = dialing || sleeping || up || a.wait <= 0, true
				case stopSleep:
					wrong, sleeping = !sleeping, false
				}
				if wrong {
					t.Fatalf("%s after %s: %s", linkWords[a.verb], what, was)
				}
			}
			if what == "shutdown" && (alias || dialing || sleeping) {
				t.Fatalf("after a shutdown: alias %v, dialing %v, sleeping %v", alias, dialing, sleeping)
			}
			if want := map[linkState][3]bool{
				resting: {}, connecting: {false, true, false}, linked: {false, false, true},
				parting: {false, false, true}, waiting: {true, false, false},
			}[l.state]; want != [3]bool{sleeping, dialing, up} {
				t.Fatalf("%v after %s: sleeping %v, dialing %v, up %v", l.state, what, sleeping, dialing, up)
			}
		}
	})
}

func TestReconnectPolicyWaits(t *testing.T) {
	p := ReconnectPolicy{Attempts: NoLimit, Min: time.Second, Max: 10 * time.Second, Jitter: 0.5}
	if err := p.fill(); err != nil {
		t.Fatal(err)
	}
	for inVain, want := range []time.Duration{1, 2, 4, 8, 10, 10, 10} {
		for _, chance := range []float64{0, 0.5, 0.999999} {
			d, ok := p.wait(inVain, chance)
			f := 1 + 0.5*(2*chance-1)
			if !ok || d != time.Duration(float64(want*time.Second)*f) {
				t.Errorf("after %d in vain, chance %v: %v, want %v times %v", inVain, chance, d, want*time.Second, f)
			}
		}
	}
	for _, inVain := range []int{39, 40, 63, 64, 1000000} {
		if d, ok := p.wait(inVain, 0.5); !ok || d != 10*time.Second {
			t.Errorf("after %d in vain: %v, %v", inVain, d, ok)
		}
	}
	long := ReconnectPolicy{Attempts: NoLimit, Min: math.MaxInt64}
	if err := long.fill(); err != nil {
		t.Fatal(err)
	}
	if d, ok := long.wait(0, 0.999); !ok || d != math.MaxInt64 {
		t.Errorf("the longest wait and jitter: %v, %v", d, ok)
	}
	p.Attempts = 2
	for inVain, want := range []bool{true, true, false, false} {
		if _, ok := p.wait(inVain, 0); ok != want {
			t.Errorf("attempt %d of 2: %v", inVain+1, ok)
		}
	}
	p.Jitter = NoLimit
	if err := p.fill(); err != nil || p.Jitter != 0 {
		t.Errorf("Jitter NoLimit: %v, %v", p.Jitter, err)
	}
}

// Waits begin anew after a connection that brought a record or lasted for Max, and
// not after one that came and went.
func TestReconnectCountsAnew(t *testing.T) {
	at := time.Unix(0, 0)
	l := &link{state: waiting, chance: func() float64 { return 0.5 }}
	l.policy = ReconnectPolicy{Attempts: NoLimit, Min: time.Second, Max: time.Minute}
	if err := l.policy.fill(); err != nil {
		t.Fatal(err)
	}
	for i, step := range []struct {
		lasts  time.Duration
		useful bool
		wait   time.Duration
	}{
		{0, false, 1}, {0, false, 2}, {59 * time.Second, false, 4}, {0, true, 1}, {0, false, 2}, {time.Minute, false, 1},
	} {
		l.wake()
		l.up(at)
		at = at.Add(step.lasts)
		if a := l.lost(at, step.useful); len(a) != 1 || a[0].wait != step.wait*time.Second {
			t.Errorf("connection %d: %v, want a wait of %v", i, a, step.wait*time.Second)
		}
	}
}
