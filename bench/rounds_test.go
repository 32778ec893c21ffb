package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

func TestPeersTakeTurns(t *testing.T) {
	g := &Group{Name: "g"}
	plan := []task{
		{g, &Row{Name: "yield"}, []string{"a", "b"}},
		{g, &Row{Name: "call"}, []string{"b"}},
	}
	var order []string
	take := func(_ context.Context, spec string) (Figures, error) {
		order = append(order, spec)
		return Figures{Ops: len(order)}, nil
	}
	results, err := measureAll(t.Context(), plan, 2, take, newProgress(io.Discard, false, time.Now))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(order, " "), "a/yield b/yield a/yield b/yield b/call b/call"; got != want {
		t.Errorf("samples came as %s; want %s", got, want)
	}
	if got := results[0].Rounds["b"]; len(results) != 2 || len(got) != 2 || got[0].Ops != 2 || got[1].Ops != 4 {
		t.Errorf("%d results, rounds of b/yield are %+v; want 2, and the second and fourth sample", len(results), got)
	}
}

func TestFirstFailureEndsTheMeasurement(t *testing.T) {
	broken, n := errors.New("broken"), 0
	take := func(context.Context, string) (Figures, error) {
		if n++; n == 3 {
			return Figures{}, broken
		}
		return Figures{Ops: 1}, nil
	}
	plan := []task{{&Group{}, &Row{Name: "yield"}, []string{"a", "b"}}}
	results, err := measureAll(t.Context(), plan, 5, take, newProgress(io.Discard, false, time.Now))
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "a/yield, round 2") || results != nil || n != 3 {
		t.Errorf("%v after %d samples, results %v; want broken, naming a/yield, round 2, after 3", err, n, results)
	}
}
