package kernel

import (
	"math/rand/v2"
	"sync"
	"testing"
)

// What goes in comes out, once and in order, whatever the segments do meanwhile;
// a slot that was read keeps nothing alive (K55).
func TestQueue(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, spare := range []*sync.Pool{nil, new(sync.Pool)} {
		q := queue[*int]{spare: spare}
		in, out := 0, 0
		for range 20_000 {
			if rng.IntN(1000) < 500 {
				for range rng.IntN(5) {
					n := in
					p := &n
					q.push(&p)
					in++
				}
				continue
			}
			if rng.IntN(50) == 0 { // take some out and put them back
				var kept queue[*int]
				for range rng.IntN(100) {
					if q.empty() {
						break
					}
					var p *int
					q.pop(&p)
					kept.push(&p)
				}
				q.prepend(&kept)
			}
			for range rng.IntN(5) {
				if q.empty() != (in == out) {
					t.Fatalf("empty is %v with %d in and %d out", q.empty(), in, out)
				}
				if in == out {
					break
				}
				seg, r := q.head, q.head.r
				var p *int
				if q.pop(&p); *p != out {
					t.Fatalf("got %d, want %d", *p, out)
				}
				if seg.ev[r] != nil {
					t.Fatal("the slot still refers to its value")
				}
				out++
			}
		}
	}
}

func TestRunQueue(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	var q runQueue
	in, out, most := uint64(0), uint64(0), uint64(0)
	for range 200_000 {
		if rng.IntN(100) < 52 {
			in++
			q.push(&session{id: in})
		} else if s := q.pop(); s != nil {
			if out++; s.id != out {
				t.Fatalf("got %d, want %d", s.id, out)
			}
		}
		if most = max(most, in-out); uint64(q.len()) != in-out {
			t.Fatalf("len %d, want %d", q.len(), in-out)
		}
	}
	for out < in {
		out++
		if s := q.pop(); s.id != out {
			t.Fatalf("got %d, want %d", s.id, out)
		}
	}
	if q.pop() != nil || uint64(cap(q.q)) > 4*(most+1024) {
		t.Errorf("not empty, or %d slots kept for at most %d", cap(q.q), most)
	}
}
