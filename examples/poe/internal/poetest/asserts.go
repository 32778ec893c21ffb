package poetest

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// AsPOE runs the sample in serial mode, and its counterpart in Perl, and compares
// both with the golden file.
func AsPOE(t *testing.T, by Speaker, args ...string) {
	t.Helper()
	t.Run("perl", func(t *testing.T) {
		lines := Lines(t, Perl(t, args...))
		if *update {
			if err := os.WriteFile(file(t, ".golden"), []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		AsGolden(by)(t, lines)
	})
	t.Run("serial", func(t *testing.T) { AsGolden(by)(t, Lines(t, Sample(t, args...))) })
}

// Check looks at what a program printed.
type Check func(t testing.TB, lines []string)

// AsGolden compares with the golden file.
func AsGolden(by Speaker) Check {
	return func(t testing.TB, lines []string) {
		t.Helper()
		golden, err := os.ReadFile(file(t, ".golden"))
		if err != nil {
			t.Fatal(err)
		}
		if err := compare(split(string(golden)), lines, by); err != nil {
			t.Errorf("%v\nthe whole output:\n%s", err, strings.Join(lines, "\n"))
		}
	}
}

// How often a sample is run in each mode.
const (
	parallelRuns = 3
	seeds        = 5
)

// OtherModes is Parallel and Simulated.
func OtherModes(t *testing.T, check Check, args ...string) {
	t.Helper()
	Parallel(t, check, args...)
	Simulated(t, check, args...)
}

// Parallel runs the sample in parallel mode, a few times.
func Parallel(t *testing.T, check Check, args ...string) {
	t.Helper()
	for i := range parallelRuns {
		t.Run(fmt.Sprint("parallel ", i), func(t *testing.T) {
			check(t, Lines(t, Sample(t, append(args, "-mode", "parallel")...)))
		})
	}
}

// Simulated runs the sample in simulated mode, with several seeds.
func Simulated(t *testing.T, check Check, args ...string) {
	t.Helper()
	for seed := range seeds {
		t.Run(fmt.Sprint("simulated, seed ", seed), func(t *testing.T) {
			check(t, Lines(t, Sample(t, append(args, "-mode", "simulated", "-seed", fmt.Sprint(seed))...)))
		})
	}
}
