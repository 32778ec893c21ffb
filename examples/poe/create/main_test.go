package main

import (
	"errors"
	"os/exec"
	"strings"
	"testing"

	"github.com/usher-go/usher/examples/poe/internal/poetest"
)

func TestMain(m *testing.M) { poetest.Main(m, main) }

// TestK51_K64_K84_AsPOE: events in the order of posting, calls at once, and
// _child "create" before Spawn returns.
func TestK51_K64_K84_AsPOE(t *testing.T) { poetest.AsPOE(t, poetest.Everyone) }

// In the other modes children run and end in any order among themselves.
func TestOtherModes(t *testing.T) {
	poetest.OtherModes(t, poetest.AsGolden(func(line string) string {
		if strings.HasPrefix(line, "parent: lose") {
			return ""
		}
		return poetest.FirstWord(line)
	}))
}

// TestBadMode stands for all samples: the flags are the same.
func TestBadMode(t *testing.T) {
	out, err := poetest.Sample(t, "-mode", "quick").CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 2 || !strings.Contains(string(out), `"quick" for flag -mode: want serial, parallel or simulated`) {
		t.Errorf("ended with %v:\n%s", err, out)
	}
}
