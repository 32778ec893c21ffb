package cluster

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/usher-go/usher/components/cluster/wire"
	"github.com/usher-go/usher/kernel"
)

// A link between two tables over a channel that loses, repeats, delays and reorders
// packets: every event is taken once and in order, and its sender hears what became of
// it, once; when the sender gives up, what was taken is among what it cannot know.
func TestG13_LinkTables(t *testing.T) {
	for seed := range uint64(150) {
		runLink(t, seed)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

type linkWorld struct {
	*rand.Rand
	t       *testing.T
	now     time.Time
	out     outlink
	in      inlink
	there   []*wire.Packet // on their way
	back    []*wire.Packet
	posted  int
	taken   []int
	refused map[int]bool
	fate    map[int]error // what the sender has heard
	heard   map[int]bool
	settled uint64
}

func runLink(t *testing.T, seed uint64) {
	w := &linkWorld{
		Rand: rand.New(rand.NewPCG(seed, 1)), t: t, now: time.Unix(1, 0),
		out: outlink{number: 1}, refused: map[int]bool{}, fate: map[int]error{}, heard: map[int]bool{},
	}
	faults := w.IntN(4) // of 10 packets
	for range 400 {
		w.step(faults)
	}
	for range 2000 { // the weather improves
		if w.out.outstanding() == 0 {
			break
		}
		w.step(0)
	}
	if n := w.out.outstanding(); n > 0 {
		t.Errorf("%d events are never acknowledged: out %d base %d acked %d sent %d last %d flight %d paused %v; in %d taken %d closed %v refused %d", n,
			w.out.number, w.out.base, w.out.acked, w.out.sent, w.out.last, len(w.out.flight), w.out.paused, w.in.number, w.in.taken, w.in.closed, len(w.in.refused))
	}
	for i := 1; i < len(w.taken); i++ {
		if w.taken[i] <= w.taken[i-1] {
			t.Errorf("%d was taken after %d", w.taken[i], w.taken[i-1])
		}
	}
	took := map[int]bool{}
	for _, v := range w.taken {
		took[v] = true
	}
	for v := range w.posted {
		err, unknown := w.fate[v], errors.Is(w.fate[v], ErrUnknownOutcome)
		switch {
		case !w.heard[v]:
			t.Errorf("nobody says what became of %d", v)
		case unknown:
		case errors.Is(err, kernel.ErrNoNode):
			if took[v] {
				t.Errorf("%d was taken, and its sender hears that it was never sent", v)
			}
		case !took[v]:
			t.Errorf("%d was not taken, but acknowledged: %v", v, err)
		case w.refused[v] != (err != nil):
			t.Errorf("%d was refused: %v; its sender heard %v", v, w.refused[v], err)
		}
	}
}

func (w *linkWorld) step(faults int) {
	w.now = w.now.Add(time.Millisecond)
	switch n := w.IntN(10); {
	case n < 4 && faults > 0:
		for range w.IntN(30) {
			v := w.posted
			w.posted++
			frame := fmt.Sprintf("%d,", v)
			w.out.push(waiting{done: func(err error) {
				if w.heard[v] {
					w.t.Errorf("told twice what became of %d", v)
				}
				w.heard[v], w.fate[v] = true, err
			}}, append(w.out.buffer(), frame...))
		}
	case n == 4 && faults > 1 && w.IntN(20) == 0:
		for _, e := range w.out.end(kernel.ErrNoNode, w.out.number+1) {
			e.done(e.err)
		}
		w.settled = 0
	case n == 5 && faults > 1 && w.IntN(20) == 0:
		w.in.closed = true // the receiver has lost the sender
	case w.out.stalled(w.now, 20*time.Millisecond):
		w.resend()
	}
	for {
		f, ok := w.out.cut(w.now)
		if !ok {
			break
		}
		w.send(f)
	}
	w.there = w.carry(w.there, faults, w.arrive)
	w.back = w.carry(w.back, faults, w.returned)
}

func (w *linkWorld) resend() {
	w.out.moved = w.now
	for _, f := range w.out.flight {
		w.send(f)
	}
}

func (w *linkWorld) send(f flight) {
	w.there = append(w.there, &wire.Packet{Link: w.out.number, Base: w.out.base, First: f.first, Count: f.count, Frames: f.frames, Settled: w.settled})
}

// carry lets some packets arrive, in order unless something goes wrong.
func (w *linkWorld) carry(way []*wire.Packet, faults int, arrive func(*wire.Packet)) []*wire.Packet {
	for len(way) > 0 && w.IntN(3) > 0 {
		i := 0
		bad := w.IntN(10) < faults
		if bad && w.IntN(4) == 0 {
			i = w.IntN(len(way))
		}
		p := way[i]
		switch {
		case bad && w.IntN(3) == 0: // again
		default:
			way = append(way[:i:i], way[i+1:]...)
		}
		if !bad || w.IntN(2) == 0 {
			arrive(p)
		}
	}
	return way
}

func (w *linkWorld) arrive(p *wire.Packet) {
	w.in.settle(p.Link, p.Settled)
	v, skip := w.in.look(p.Link, p.Base, p.First, uint64(p.Count))
	if v == verdictTake {
		var list []int
		for rest := string(p.Frames); rest != ""; {
			var n int
			if _, err := fmt.Sscanf(rest, "%d,", &n); err != nil {
				w.t.Fatalf("frames %q: %v", p.Frames, err)
			}
			list = append(list, n)
			rest = rest[len(fmt.Sprintf("%d,", n)):]
		}
		if len(list) != int(p.Count) {
			w.t.Fatalf("%d frames in a packet of %d", len(list), p.Count)
		}
		for _, n := range list[skip:] {
			if w.in.full() {
				break
			}
			w.taken = append(w.taken, n)
			if w.IntN(20) == 0 {
				w.refused[n] = true
				w.in.take(kernel.ErrNoSession)
			} else {
				w.in.take(nil)
			}
		}
	}
	if v == verdictIgnore {
		return
	}
	a := acks{ack: w.in.ack()}
	answer := &wire.Packet{}
	a.put(answer)
	w.back = append(w.back, answer)
}

func (w *linkWorld) returned(p *wire.Packet) {
	for _, e := range w.out.ack(p.AckLink, p.Ack, p.Refused, "b", w.now) {
		e.done(e.err)
	}
	w.settled = w.out.acked
	if p.AckLink == w.out.number && (p.Closed || p.Gap && w.out.behind()) {
		if p.Closed {
			w.out.reopen(w.out.number + 1)
		}
		w.resend()
	}
}

// What is under way is sent again once for each event that is missed, though every packet
// behind it is answered with the same.
func TestLinkIsBehindOnce(t *testing.T) {
	l := outlink{number: 1}
	for range 3 {
		l.push(waiting{}, append(l.buffer(), 'x'))
		l.cut(time.Unix(1, 0))
	}
	look := func(what string, want bool) {
		t.Helper()
		if l.behind() != want || l.behind() {
			t.Errorf("%s: want %v, and false when it is asked again", what, want)
		}
	}
	look("the first is missed", true)
	look("the first is missed", false)
	l.ack(1, 2, nil, "b", time.Unix(2, 0))
	look("the third is missed", true)
	l.reopen(2)
	look("the third is missed on another link", true)
}

// Events share packets up to maxPacket bytes, in order; a longer one has its own.
func TestPacketsOfALink(t *testing.T) {
	l := outlink{number: 1}
	now := time.Unix(1, 0)
	var want []byte
	for i, size := range []int{1, maxPacket - 2, 1, 1, maxPacket, 3 * maxPacket, 5, 6, maxPacket - 10} {
		frame := bytes.Repeat([]byte{byte('a' + i)}, size)
		want = append(want, frame...)
		l.push(waiting{}, append(l.buffer(), frame...))
	}
	if l.bytes != len(want) || l.outstanding() != 9 {
		t.Errorf("%d events of %d bytes; want 9 of %d", l.outstanding(), l.bytes, len(want))
	}
	var counts []uint32
	var got []byte
	for f, ok := l.cut(now); ok; f, ok = l.cut(now) {
		if f.count > 1 && len(f.frames) > maxPacket {
			t.Errorf("%d events share a packet of %d bytes", f.count, len(f.frames))
		}
		if first := l.sent + 1 - uint64(f.count); f.first != first {
			t.Errorf("a packet of %d events, after which %d are sent, begins with %d", f.count, l.sent, f.first)
		}
		counts = append(counts, f.count)
		got = append(got, f.frames...)
	}
	if !bytes.Equal(got, want) || !slices.Equal(counts, []uint32{3, 1, 1, 1, 2, 1}) {
		t.Errorf("packets of %v events, %d bytes; want 3, 1, 1, 1, 2 and 1, the bytes as they were posted", counts, len(got))
	}
	if ended := l.ack(1, 9, nil, "b", now); len(ended) > 0 || l.outstanding() != 0 || l.bytes != 0 || len(l.flight) != 0 {
		t.Errorf("after the acknowledgement: %+v, outcomes %v", l, ended)
	}
}
