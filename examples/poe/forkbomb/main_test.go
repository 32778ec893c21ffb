package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"testing"

	"github.com/usher-go/usher/examples/poe/internal/poetest"
)

func TestMain(m *testing.M) { poetest.Main(m, main) }

// TestK27_K28_K30_AsPOE: 200 sessions come and go in POE's very order; nobody stops
// before its children, and while a parent is told of a loss, it can call the child.
func TestK27_K28_K30_AsPOE(t *testing.T) { poetest.AsPOE(t, poetest.Everyone) }

// In the other modes another tree grows, by the same rules. Up to half the limit
// nobody gives up.
func TestOtherModes(t *testing.T) {
	poetest.OtherModes(t, func(t testing.TB, lines []string) {
		tr := grow(t, lines, rules)
		tr.allGone(t, 100, 200)
		if tr.gains > 0 {
			t.Errorf("children changed parents %d times, though nobody left any", tr.gains)
		}
	})
}

// TestK29_Force: whoever stops by force leaves its children to its parent, which is
// told before they are; then it stops, and then its parent loses it.
func TestK29_Force(t *testing.T) {
	check := func(r ruleBook) poetest.Check {
		return func(t testing.TB, lines []string) {
			tr := grow(t, lines, r)
			tr.allGone(t, 100, 200)
			if tr.gains == 0 {
				t.Error("nobody left children to its parent")
			}
		}
	}
	t.Run("serial", func(t *testing.T) { check(rules)(t, poetest.Lines(t, poetest.Sample(t, "-force"))) })
	poetest.Simulated(t, check(rules), "-force")
	t.Run("parallel", func(t *testing.T) {
		poetest.Parallel(t, check(looseRules), "-force")
	})
}

// TestK124_K126_Interrupt sends a real INT when the tree has grown a little. In
// serial mode nothing grows while it is told: everyone catches it, children before
// parents, and everyone stops, long before the limit. In parallel mode the others
// go on meanwhile, and in the end everyone stops.
func TestK124_K126_Interrupt(t *testing.T) {
	for mode, limit := range map[string]int{"serial": 100000, "parallel": 2000} {
		t.Run(mode, func(t *testing.T) {
			cmd := poetest.Sample(t, "-mode", mode, "-limit", fmt.Sprint(limit))
			cmd.Stderr = io.Discard // the kernel warns of what the stop dropped
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			var lines []string
			for in := bufio.NewScanner(out); in.Scan(); {
				lines = append(lines, in.Text())
				if len(lines) == 300 {
					if err := cmd.Process.Signal(os.Interrupt); err != nil {
						t.Fatal(err)
					}
				}
			}
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
			tr := grow(t, lines, map[string]ruleBook{"serial": rules, "parallel": {}}[mode])
			tr.allGone(t, 1, limit)
			if n := len(tr.nodes); mode == "serial" && (tr.caught != n || n >= limit/2) {
				t.Errorf("%d of %d caught INT", tr.caught, n)
			}
		})
	}
}
