package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/usher-go/usher/examples/poe/internal/poetest"
)

func TestMain(m *testing.M) { poetest.Main(m, main) }

// TestK118_K119_K132_AsPOE: any name works; a handler gets the signal's name, its
// data and what the watcher gave; an INT that nobody handles ends Run. Of two
// sessions without a common parent either may be told first. The ticks are long, for
// the two sessions' clocks begin as far apart as their starts.
func TestK118_K119_K132_AsPOE(t *testing.T) {
	poetest.AsPOE(t, poetest.FirstWord, "-tick", "250ms")
}

// In parallel mode a session may be busy when a signal comes for it, and INT, of
// another name, need not wait behind the QUUXes before it. But each hears the QUUXes
// in order and without a gap, only the first FOO, INT once, and nothing after its end.
func TestOtherModes(t *testing.T) {
	poetest.OtherModes(t, func(t testing.TB, lines []string) {
		heard := map[string]int{}
		for _, line := range lines {
			who, n := poetest.FirstWord(line), 0
			if _, err := fmt.Sscanf(line, who+": catches [QUUX %d", &n); err == nil {
				if n != heard[who] {
					t.Errorf("%q after %d of them", line, heard[who])
				}
				heard[who]++
			}
		}
		if heard["first"] == 0 || heard["second"] == 0 {
			t.Errorf("QUUX was heard %v times", heard)
		}
		if !slices.Contains(lines, "first: catches [FOO]") || slices.Contains(lines, "second: catches [FOO]") {
			t.Error("FOO is for the first session, and only for it")
		}
		ends(t, slices.DeleteFunc(lines, func(l string) bool { return strings.Contains(l, ": catches [QUUX") }))
	})
}

// ends checks that both sessions caught INT, then stopped.
func ends(t testing.TB, lines []string) {
	t.Helper()
	for _, name := range []string{"first", "second"} {
		own := slices.DeleteFunc(slices.Clone(lines), func(l string) bool { return poetest.FirstWord(l) != name })
		want := []string{name + ": catches [INT]", name + ": stops"}
		if len(own) < 2 || !slices.Equal(own[len(own)-2:], want) {
			t.Errorf("want %q at the end of %q", want, own)
		}
	}
}

// TestK122_AnInterruptReachesEveryone sends a real one.
func TestK122_AnInterruptReachesEveryone(t *testing.T) {
	for name, program := range map[string]func(testing.TB, ...string) *exec.Cmd{
		"perl": poetest.Perl,
		"serial": func(t testing.TB, args ...string) *exec.Cmd {
			return poetest.Sample(t, append(args, "-mode", "serial")...)
		},
		"parallel": func(t testing.TB, args ...string) *exec.Cmd {
			return poetest.Sample(t, append(args, "-mode", "parallel")...)
		},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := program(t, "-rings", "0")
			cmd.Stderr = os.Stderr
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
				if strings.HasPrefix(in.Text(), "first: catches [QUUX 2") {
					if err := cmd.Process.Signal(os.Interrupt); err != nil {
						t.Fatal(err)
					}
				}
			}
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
			ends(t, lines)
		})
	}
}
