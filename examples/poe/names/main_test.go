package main

import (
	"fmt"
	"regexp"
	"testing"

	"github.com/usher-go/usher/examples/poe/internal/poetest"
)

func TestMain(m *testing.M) { poetest.Main(m, main) }

// TestK41_K44_K96_AsPOE: an alias holds until IDLE; a delay takes the place of
// those of its name. How the lines of different sessions mix depends on the clock:
// whether two timers are due at once, or one was handled before the next was due.
// What each session sees does not, because all delays are equally long.
func TestK41_K44_K96_AsPOE(t *testing.T) { poetest.AsPOE(t, poetest.FirstWord) }

var (
	lends = regexp.MustCompile(`^lockd: lends file to (#\d+)$`)
	gets  = regexp.MustCompile(`^lockd: gets file back from (#\d+)$`)
)

// Whoever is first in the other modes: one client has the file at a time, and each
// has it as often as it wanted to.
func TestOtherModes(t *testing.T) {
	poetest.OtherModes(t, func(t testing.TB, lines []string) {
		had, owner := map[string]int{}, ""
		for _, line := range lines {
			if m := lends.FindStringSubmatch(line); m != nil {
				if owner != "" {
					t.Errorf("%q, but %s has it", line, owner)
				}
				owner = m[1]
				had[owner]++
			}
			if m := gets.FindStringSubmatch(line); m != nil {
				if owner != m[1] {
					t.Errorf("%q, but %q has it", line, owner)
				}
				owner = ""
			}
		}
		if want := map[string]int{"#2": 2, "#3": 2, "#4": 2, "#5": 2}; fmt.Sprint(had) != fmt.Sprint(want) {
			t.Errorf("clients had the file %v times, want %v", had, want)
		}
		if got := lines[len(lines)-2:]; got[0] != "lockd: sees IDLE" || got[1] != "lockd: stops" {
			t.Errorf("the end is %q, want IDLE to stop lockd", got)
		}
	})
}
