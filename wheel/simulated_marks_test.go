package wheel_test

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
	"github.com/usher-go/usher/wheel/wheeltest"
)

const markHigh, markLow, markMax = 300, 30, 900

// marks is the model: what is put and not taken by the connection, and what the
// owner is to be told of it. At any instant at most one event may come next.
type marks struct {
	level                  int
	high, owesHigh, owesFl bool
	told                   map[string]int
}

// next is the event that the owner is owed now, or none.
func (m *marks) next() string {
	switch {
	case m.owesHigh:
		return full.Name()
	case m.high && m.level <= markLow:
		return drained.Name()
	case m.owesFl && m.level == 0:
		return flushed.Name()
	}
	return ""
}

func (m *marks) put() {
	if m.owesFl = true; !m.high && m.level >= markHigh {
		m.high, m.owesHigh = true, true
	}
}

func (m *marks) tell(event string) {
	m.told[event]++
	switch event {
	case full.Name():
		m.owesHigh = false
	case drained.Name():
		m.high = false
	case flushed.Name():
		m.owesFl = false
	}
}

// meter tells the model what the connection takes.
type meter struct {
	*wheeltest.Conn
	tries int
	taken func(n int)
}

var _ wheel.Pollable = (*meter)(nil)

func (m *meter) TryWrite(p []byte) (int, error) {
	m.tries++
	n, err := m.Conn.TryWrite(p)
	m.taken(n)
	return n, err
}

// producer puts lines of any length at any time, also in the handlers of the
// model's events.
type producer struct {
	marks
	t     *testing.T
	r     *rand.Rand
	rw    *lineWheel
	conn  *meter
	last  time.Time // when anything happened
	steps int
	over  bool
}

// at is called for all that happens: what was owed before this instant has come.
func (p *producer) at(now time.Time, what string) {
	if now.After(p.last) && p.next() != "" {
		p.t.Errorf("%s at %v: %s did not come, owed since %v", what, now.Sub(kerneltest.Epoch), p.next(), p.last.Sub(kerneltest.Epoch))
	}
	p.last = now
}

func (p *producer) put(c *kernel.Context) {
	p.at(c.Now(), "put")
	line := strings.Repeat("x", p.r.IntN(2*markHigh/(1+p.r.IntN(6))))
	n, before, tries := len(line)+len("\r\n"), p.level, p.conn.tries
	p.level += n
	err := p.rw.Put(line)
	switch full := before+n > markMax; {
	case full != errors.Is(err, wheel.ErrOutputFull):
		p.t.Errorf("Put of %d bytes after %d: %v", n, before, err)
	case full:
		p.level -= n
		return
	case before == 0 && p.conn.tries == tries:
		p.t.Errorf("Put of %d bytes sent nothing at once", n)
	case before > 0 && p.conn.tries > tries:
		p.t.Errorf("Put of %d bytes overtook %d", n, before)
	}
	if p.marks.put(); p.rw.Buffered() != p.level || p.rw.High() != p.high {
		p.t.Errorf("%d buffered, high %v; want %d, %v", p.rw.Buffered(), p.rw.High(), p.level, p.high)
	}
}

func (p *producer) session(conn *wheeltest.Conn) *session.Session {
	hear := func(c *kernel.Context, _ struct{}) error {
		p.at(c.Now(), c.Event())
		if want := p.next(); c.Event() != want {
			p.t.Errorf("%s came, want %q; %+v", c.Event(), want, p.marks)
		}
		p.tell(c.Event())
		if !p.over && p.r.IntN(3) == 0 {
			p.put(c)
		}
		return nil
	}
	return session.New(
		session.Handle("_start", func(c *kernel.Context) (err error) {
			k := c.Kernel()
			p.last = c.Now()
			p.conn = &meter{Conn: conn, taken: func(n int) { p.at(k.Now(), "write"); p.level -= n }}
			p.rw, err = wheel.NewReadWrite(c, p.conn, lineConfig{
				Filter: filter.Line(), InputEvent: gotLine, CloseEvent: closed, FlushedEvent: flushed,
				HighMark: markHigh, LowMark: markLow, HighEvent: full, LowEvent: drained, MaxOutput: markMax,
			})
			nextStep.Delay(c, time.Millisecond, struct{}{})
			return err
		}),
		session.On(nextStep, func(c *kernel.Context, _ struct{}) error {
			for range 1 + p.r.IntN(3) {
				p.put(c)
			}
			if p.steps--; p.steps == 0 {
				p.over = true
				p.rw.CloseFlushed()
				return nil
			}
			nextStep.Delay(c, 1+upTo(p.r, time.Second), struct{}{})
			return nil
		}),
		session.On(full, hear), session.On(drained, hear), session.On(flushed, hear),
		session.On(closed, func(c *kernel.Context, err error) error {
			if p.at(c.Now().Add(1), "the end"); err != nil || p.level != 0 {
				p.t.Errorf("ended with %v, and %d bytes unsent", err, p.level)
			}
			return nil
		}),
	)
}

// slowReader takes what comes, some time later, and closes behind the end.
func slowReader(n *wheeltest.Network, far *wheeltest.Conn, r *rand.Rand) {
	var read func()
	soon := func() { n.After(upTo(r, 50*time.Millisecond), read) }
	read = func() {
		switch _, err := far.TryRead(make([]byte, 1+r.IntN(200))); err {
		case nil:
			soon()
		case wheel.ErrAgain:
		default:
			_ = far.Close()
		}
	}
	far.Notify(soon, nil)
	soon()
}

// Put encodes and sends at once what fits, and a random producer over a narrow link
// hears of both marks and of every drain exactly when, and in the order in which, the
// model says: no HighEvent without its LowEvent, LowEvent before FlushedEvent, and
// no Put that makes one forget the other.
func TestW20_W21_W22_W24_W25_W26_MarksFollowTheModel(t *testing.T) {
	told := map[string]int{}
	kerneltest.Seeds(t, 40, func(t *testing.T, seed uint64) {
		n := wheeltest.New(wheeltest.Config{Seed: seed, Buffer: 150, Segment: 40, Link: wheeltest.Link{
			Delay: time.Millisecond, Jitter: time.Millisecond, Bandwidth: 2000,
		}})
		k := kerneltest.New(t, kerneltest.Seed(seed), kerneltest.Config(kernel.Config{Network: n}))
		near, far := n.Pair()
		slowReader(n, far, rand.New(rand.NewPCG(seed, 2)))
		p := &producer{marks: marks{told: told}, t: t, r: rand.New(rand.NewPCG(seed, 1)), steps: 60}
		if _, err := k.Spawn(p.session(near)); err != nil {
			t.Fatal(err)
		}
		kerneltest.Advance(t, k, time.Hour)
		kerneltest.Run(t, k)
		n.Check(t)
	})
	for _, event := range []string{full.Name(), drained.Name(), flushed.Name()} {
		if told[event] == 0 {
			t.Errorf("%s never came", event)
		}
	}
	if told[full.Name()] != told[drained.Name()] {
		t.Errorf("%v; want as many of the high as of the low mark", told)
	}
}
