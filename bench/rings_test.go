package main

import "testing"

func TestTokensShareTheOperations(t *testing.T) {
	for _, c := range []struct {
		r      rings
		ops    int
		tokens int
	}{
		{oneYield, 1, 1},
		{pingPong, 7, 1},
		{pairs, 3, 3},
		{pairs, 8, 8},
		{pairs, 100, 8},
		{rings{rings: 1000, members: 1, hops: 1}, 2500, 1000},
	} {
		ts := c.r.tokens(c.ops)
		sum, least, most := 0, ts[0].left, 0
		for _, tok := range ts {
			sum += tok.left
			least, most = min(least, tok.left), max(most, tok.left)
		}
		if len(ts) != c.tokens || sum != c.ops*c.r.hops || most-least > c.r.hops {
			t.Errorf("%+v, %d operations: %d tokens with %d hops in all, %d to %d each; want %d tokens that share %d evenly",
				c.r, c.ops, len(ts), sum, least, most, c.tokens, c.ops*c.r.hops)
		}
	}
}

func TestTokenEndsWithItsLastStep(t *testing.T) {
	tok := newToken(2)
	if !tok.step() {
		t.Fatal("ended with the first of two")
	}
	select {
	case <-tok.done:
		t.Fatal("done with one step to do")
	default:
	}
	if tok.step() {
		t.Error("goes on after the last")
	}
	<-tok.done
}

func TestCoresWorthComparing(t *testing.T) {
	for cpus, want := range map[int]int{1: 1, 2: 2, 3: 2, 4: 3, 64: 3} {
		if got := coreCounts(cpus); len(got) != want || got[0] != 1 || got[len(got)-1] > cpus {
			t.Errorf("of %d: %v; want %d counts from 1", cpus, got, want)
		}
	}
}
