package wheel_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/wheeltest"
)

// echoAddress is on another host than the visitors.
const echoAddress = "10.0.0.2:7"

// simulation is one run: an echo service and its visitors over a bad network.
type simulation struct {
	t        *testing.T
	seed     uint64
	net      *wheeltest.Network
	trace    []string
	wheels   ledger
	visitors []*visitor
	echo     echoService
	left     int // visitors that have not ended
}

// ledger knows of every wheel whether it has ended.
type ledger map[kernel.WheelID]bool

func (s *simulation) begins(w interface{ ID() kernel.WheelID }) { s.wheels[w.ID()] = false }

func (s *simulation) ends(id kernel.WheelID) { s.wheels[id] = true }

// hears notes an event of a wheel, which must not have ended.
func (s *simulation) hears(c *kernel.Context, arg any) {
	if over, known := s.wheels[c.Wheel()]; over || !known {
		s.t.Errorf("%s %v of wheel %v: ended %v, known %v", c.Event(), arg, c.Wheel(), over, known)
	}
	if err, ok := arg.(error); ok {
		arg = cause(err) // without the wheel's ID, which is the process's
	}
	s.trace = append(s.trace, fmt.Sprintf("%v %v %s %.20q", c.Now().Sub(kerneltest.Epoch), c.Self(), c.Event(), fmt.Sprint(arg)))
	if c.Event() == closed.Name() {
		s.ends(c.Wheel())
	}
}

// simulate plays a seed to its end, and checks that nothing is left. Its own clock
// stands for all time: there is no other.
func simulate(t *testing.T, seed uint64, visitors int) *simulation {
	s := &simulation{t: t, seed: seed, wheels: ledger{}, left: visitors}
	s.net = wheeltest.New(wheeltest.Config{Seed: seed, Buffer: 2000, Segment: 400, Backlog: 8,
		Link: wheeltest.Link{Delay: 5 * time.Millisecond, Jitter: 10 * time.Millisecond, Bandwidth: 200_000, Loss: 0.02},
		Trace: func(at time.Time, what string) {
			s.trace = append(s.trace, fmt.Sprint(at.Sub(kerneltest.Epoch), " ", what))
		},
	})
	k := kerneltest.New(t, kerneltest.Seed(seed), kerneltest.Config(kernel.Config{Network: s.net}))
	s.echo = echoService{simulation: s, guests: map[kernel.WheelID]*guest{}}
	var err error
	if s.echo.self, err = k.Spawn(s.echo.session()); err != nil {
		t.Fatal(err)
	}
	for i := range visitors {
		v := newVisitor(s, i)
		s.visitors = append(s.visitors, v)
		if _, err := k.Spawn(v.session()); err != nil {
			t.Fatal(err)
		}
	}
	s.misfortunes()
	kerneltest.Advance(t, k, time.Hour)
	if n := len(k.Sessions()); n > 0 {
		t.Fatalf("%d sessions go on for ever", n) // the leak report says what holds them
	}
	kerneltest.Run(t, k)
	s.net.Check(t)
	for id, over := range s.wheels {
		if !over {
			t.Errorf("wheel %v has not ended", id)
		}
	}
	return s
}

// misfortunes happen to everybody, and harm nobody.
func (s *simulation) misfortunes() {
	r := rand.New(rand.NewPCG(s.seed, 1<<32))
	for range 4 {
		begin, long := upTo(r, 2*time.Second), upTo(r, 700*time.Millisecond)
		oneWay := r.IntN(2) == 0
		s.net.After(begin, func() {
			if oneWay {
				s.net.CutOneWay("localhost", "10.0.0.2")
			} else {
				s.net.Cut("localhost", "10.0.0.2")
			}
		})
		s.net.After(begin+long, func() { s.net.Heal("localhost", "10.0.0.2") })
	}
	for _, err := range []error{syscall.ECONNABORTED, syscall.EMFILE, syscall.ENOBUFS, syscall.EPROTO} {
		s.net.After(upTo(r, 300*time.Millisecond), func() {
			if s.echo.factory != nil && s.left > 0 {
				s.net.FailAccept(echoAddress, err, err)
			}
		})
	}
}

func upTo(r *rand.Rand, d time.Duration) time.Duration { return time.Duration(r.Int64N(int64(d))) }

// Fifty clients of an echo service send lines of all kinds, switch the filter in
// mid-stream, pause, stall, half close, break off and close in any handler, while the
// network is slow, loses packets, is cut and fails to accept. Then
//
//   - what comes to the server is a beginning of what a client sent, and what comes
//     back a beginning of what the server echoed: each line once, whole and in order;
//   - it is all of it when both wheels end in good order, unless the one that should
//     have read it had asked by CloseFlushed for no more;
//   - who does nothing wrong, and has no faults of his own, ends in good order;
//   - every wheel ends, once, and nothing comes after that;
//   - no session, connection, listener or timer is left;
//   - the same seed gives the same trace.
func TestG11_EchoOverABadNetwork(t *testing.T) {
	const visitors = 50
	kerneltest.Seeds(t, 12, func(t *testing.T, seed uint64) {
		s := simulate(t, seed, visitors)
		orderly := 0
		for _, v := range s.visitors {
			v.check()
			if v.good() {
				orderly++
			}
		}
		if orderly < visitors/4 || orderly == visitors {
			t.Errorf("%d of %d visits were orderly; want some of both kinds", orderly, visitors)
		}
		if again := simulate(t, seed, visitors); !slices.Equal(s.trace, again.trace) {
			for i := range min(len(s.trace), len(again.trace)) {
				if s.trace[i] != again.trace[i] {
					t.Fatalf("two runs differ at %d: %s, and %s", i, s.trace[i], again.trace[i])
				}
			}
			t.Errorf("two runs differ in length: %d and %d", len(s.trace), len(again.trace))
		}
	})
}

// check is what holds for one visit.
func (v *visitor) check() {
	g := v.guest
	if g == nil {
		g = &guest{}
	}
	if !isPrefix(g.heard, v.sent) {
		v.t.Errorf("%v: the server heard\n%.30q, was sent\n%.30q", v, g.heard, v.sent)
	}
	if !isPrefix(v.came, g.echoed) {
		v.t.Errorf("%v: there came\n%.30q, the server echoed\n%.30q", v, v.came, g.echoed)
	}
	switch {
	case !v.good() && v.clean:
		v.t.Errorf("%v did nothing wrong: %v here and %v there, %d sent, %d heard, %d came", v, v.end, g.end, len(v.sent), len(g.heard), len(v.came))
	case !v.good():
	case len(g.heard) != len(v.sent) && !g.flushing:
		v.t.Errorf("%v: a good end, and %d lines of %d were heard", v, len(g.heard), len(v.sent))
	case len(v.came) != len(g.echoed) && !v.flushing:
		v.t.Errorf("%v: a good end, and %d lines of %d came back", v, len(v.came), len(g.echoed))
	}
}

// good: both wheels' CloseEvents said nil.
func (v *visitor) good() bool { return v.guest != nil && v.end == "nil" && v.guest.end == "nil" }

func isPrefix(a, b []string) bool { return len(a) <= len(b) && slices.Equal(a, b[:len(a)]) }

// endOf is an error of a CloseEvent in a word.
func endOf(err error) string {
	if e := (*wheel.Error)(nil); errors.As(err, &e) {
		return e.Op
	}
	return cause(err)
}
