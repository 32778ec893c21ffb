package main

import (
	"fmt"
	"slices"
	"testing"

	"github.com/usher-go/usher/examples/poe/internal/poetest"
)

func TestMain(m *testing.M) { poetest.Main(m, main) }

// TestK23_K51_K85_AsPOE: a job stays until its result was handled; jobs take turns;
// who spawns in a handler is the parent.
func TestK23_K51_K85_AsPOE(t *testing.T) { poetest.AsPOE(t, poetest.Everyone) }

// In the other modes jobs overtake each other. None is lost, each leaves after its
// result, and the pool is never too full, nor left half empty.
func TestOtherModes(t *testing.T) {
	poetest.OtherModes(t, func(t testing.TB, lines []string) {
		running, made, results := 0, 0, []int{}
		for _, line := range lines {
			var job, n int
			switch {
			case scan(line, "parent: job-%d came, %d at work", &job, &n):
				if made++; n != running+1 || n > 3 || job != made {
					t.Errorf("%q after %d at work and %d made", line, running, made-1)
				}
				running = n
			case scan(line, "parent: job-%d made %d", &job, &n):
				if slices.Contains(results, job) || n != job*job {
					t.Errorf("%q after %v", line, results)
				}
				results = append(results, job)
			case scan(line, "parent: job-%d left, %d at work", &job, &n):
				if running--; n != running || !slices.Contains(results, job) {
					t.Errorf("%q after results %v", line, results)
				}
			}
		}
		if made != 10 || running != 0 || len(results) != 10 {
			t.Errorf("%d made, %d still at work, %d results; want 10, 0 and 10", made, running, len(results))
		}
		if lines[len(lines)-1] != "parent: stops" {
			t.Errorf("the last line is %q", lines[len(lines)-1])
		}
	})
}

func scan(line, format string, into ...any) bool {
	n, err := fmt.Sscanf(line, format, into...)
	return err == nil && n == len(into)
}
