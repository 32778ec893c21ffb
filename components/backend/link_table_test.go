package backend

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/usher-go/usher/wheel/filter"
)

// linkSteps are all that can happen to a link.
var linkSteps = []struct {
	name string
	do   func(p *linkPlay) []any
}{
	{"submit", func(p *linkPlay) []any { return p.submit(0) }},
	{"submit tx", func(p *linkPlay) []any { return p.submit(p.epochSeen) }},
	{"up", func(p *linkPlay) []any { return p.l.up() }},
	{"welcome", func(p *linkPlay) []any { return p.l.welcome(p.now, p.minPing) }},
	{"refused", func(p *linkPlay) []any { return p.l.refused(ErrRefused) }},
	{"down", func(p *linkPlay) []any { return p.l.down(errEnd) }},
	{"wake", func(p *linkPlay) []any { return p.l.wake() }},
	{"reply", func(p *linkPlay) []any { return p.reply() }},
	{"pong", func(p *linkPlay) []any { return p.frame(filter.Frame{Name: evPong, ReplyTo: p.l.ping}) }},
	{"drain", func(p *linkPlay) []any { return p.frame(filter.Frame{Name: evDrain}) }},
	{"late", func(p *linkPlay) []any { return p.late(ErrTimeout) }},
	{"no pong", func(p *linkPlay) []any { return p.l.noPong() }},
	{"idle", func(p *linkPlay) []any { return p.l.idle(p.now) }},
	{"leave", func(p *linkPlay) []any { return p.l.leave() }},
	{"close", func(p *linkPlay) []any { return p.l.close(nil) }},
}

// linkPlay plays a sequence of them.
type linkPlay struct {
	l         *link
	now       time.Time
	minPing   time.Duration
	epochSeen uint64 // a connection that a transaction began on
	outs      []*outgoing
	answers   map[*outgoing]int
	sent      map[*outgoing]int
	over      map[*outgoing]uint64 // the connection that it was sent over
	state     State                // as told
	seq       string
}

func (p *linkPlay) submit(epoch uint64) []any {
	o := &outgoing{name: "cmd", id: uint64(len(p.outs) + 1), encoded: []byte("x"), epoch: epoch}
	o.done = func(Reply) { p.answers[o]++ }
	acts, err := p.l.submit(o, p.now)
	if err == nil {
		p.outs = append(p.outs, o)
	}
	return acts
}

func (p *linkPlay) frame(f filter.Frame) []any {
	acts, _ := p.l.frame(f, p.now)
	return acts
}

func (p *linkPlay) reply() []any {
	asked := slices.Sorted(maps.Keys(p.l.asked))
	if len(asked) == 0 {
		return nil
	}
	return p.frame(filter.Frame{Name: evReply, ReplyTo: asked[0]})
}

func (p *linkPlay) late(err error) []any {
	if len(p.outs) == 0 {
		return nil
	}
	return p.l.fail(p.outs[len(p.outs)-1], err)
}

// perform does what the actions say, and checks each against what was before.
func (p *linkPlay) perform(t *testing.T, acts []any) {
	for _, a := range acts {
		switch a := a.(type) {
		case doTell:
			if a.from != p.state || a.from == a.to || a.from == Closed {
				t.Fatalf("%s: tells %s→%s from %s", p.seq, a.from, a.to, p.state)
			}
			p.state = a.to
		case doSend:
			p.sent[a.out]++
			p.over[a.out] = p.l.epoch
			if p.sent[a.out] > 1 || p.answers[a.out] > 0 || a.out.epoch != 0 && a.out.epoch != p.l.epoch {
				t.Fatalf("%s: request %d was sent again, too late or elsewhere", p.seq, a.out.id)
			}
		case doAnswer:
			a.out.done(a.reply)
		}
	}
}

func (p *linkPlay) check(t *testing.T) {
	l := p.l
	switch {
	case p.state != l.state:
		t.Fatalf("%s: told %s, is %s", p.seq, p.state, l.state)
	case l.state == Ready && len(l.queue) > 0:
		t.Fatalf("%s: %d wait on a connection that is ready", p.seq, len(l.queue))
	case len(l.asked) > 0 && !l.stands():
		t.Fatalf("%s: %d are asked without a connection", p.seq, len(l.asked))
	case (l.ping != 0) != (l.state == Suspect):
		t.Fatalf("%s: ping %d in state %s", p.seq, l.ping, l.state)
	case l.state == Closed && len(l.queue)+len(l.asked) > 0:
		t.Fatalf("%s: something waits on a closed one", p.seq)
	case len(l.queue) > l.cfg.MaxQueued:
		t.Fatalf("%s: %d wait", p.seq, len(l.queue))
	}
	bytes := 0
	for _, o := range l.queue {
		bytes += len(o.encoded)
	}
	if bytes != l.queued {
		t.Fatalf("%s: %d bytes wait, counted as %d", p.seq, bytes, l.queued)
	}
	for o, n := range p.answers {
		if n > 1 {
			t.Fatalf("%s: request %d was answered %d times", p.seq, o.id, n)
		}
	}
}

// TestLinkEveryInterleaving plays every sequence of four steps behind each of a
// few beginnings, under each policy.
func TestLinkEveryInterleaving(t *testing.T) {
	stand := slices.Clip([]string{"up", "welcome"})
	beginnings := [][]string{nil, stand, append(stand, "submit"), append(stand, "submit", "down"), append(stand, "submit", "leave"), append(stand, "submit", "submit tx", "drain"), append(stand, "down", "wake"), append(stand, "submit", "submit tx", "down", "wake")}
	length, stride := 4, 1
	if testing.Short() || raceEnabled {
		stride = 23
	}
	total := 1
	for range length {
		total *= len(linkSteps)
	}
	index := map[string]int{}
	for i, s := range linkSteps {
		index[s.name] = i
	}
	cfgs := []Config{{PingTimeout: -1, MaxQueued: 2}, {PingTimeout: 0, MaxQueued: 2, Overflow: DropOldest, FailFast: 2}}
	reached := map[State]bool{}
	for _, cfg := range cfgs {
		full := testLink(t, cfg).cfg
		for _, beginning := range beginnings {
			for n := 0; n < total; n += stride {
				id := uint64(1 << 32) // apart from those of requests
				p := &linkPlay{l: newLink(full, func() uint64 { id++; return id }, func() float64 { return 0.5 }), now: t0, state: Connecting, answers: map[*outgoing]int{}, sent: map[*outgoing]int{}, over: map[*outgoing]uint64{}}
				play := func(i int) {
					p.seq += linkSteps[i].name + ", "
					p.now = p.now.Add(40 * time.Second)
					p.perform(t, linkSteps[i].do(p))
					if p.epochSeen == 0 {
						p.epochSeen = p.l.epoch
					}
					p.check(t)
					reached[p.l.state] = true
				}
				for _, name := range beginning {
					play(index[name])
				}
				for i, rest := 0, n; i < length; i++ {
					play(rest % len(linkSteps))
					rest /= len(linkSteps)
				}
				p.seq += "the end"
				p.perform(t, p.l.close(nil))
				p.check(t)
				for _, o := range p.outs {
					if p.answers[o] != 1 {
						t.Fatalf("%s: request %d was answered %d times", p.seq, o.id, p.answers[o])
					}
				}
			}
		}
	}
	if len(reached) != 7 {
		t.Errorf("only %v were reached", fmt.Sprint(reached))
	}
}
