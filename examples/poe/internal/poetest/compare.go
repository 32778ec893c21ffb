package poetest

import (
	"fmt"
	"slices"
	"strings"
)

// Speaker says whose line a line is. Lines of one speaker have to come in the
// same order; lines of several may mix in any way. Lines of nobody ("") may come
// in any order at all.
type Speaker func(line string) string

// Everyone is one speaker: all lines come in the same order.
func Everyone(string) string { return "everyone" }

// FirstWord is the speaker of lines such as "one: starts".
func FirstWord(line string) string {
	word, _, _ := strings.Cut(line, " ")
	return strings.TrimSuffix(word, ":")
}

// compare reports the first difference for each speaker.
func compare(want, got []string, by Speaker) error {
	wanted, given := voices(want, by), voices(got, by)
	var all []string
	for who := range wanted {
		all = append(all, who)
	}
	for who := range given {
		if wanted[who] == nil {
			all = append(all, who)
		}
	}
	slices.Sort(all)
	var diffs []string
	for _, who := range all {
		if d := difference(wanted[who], given[who]); d != "" {
			diffs = append(diffs, fmt.Sprintf("%q, %s", who, d))
		}
	}
	if diffs == nil {
		return nil
	}
	return fmt.Errorf("%s", strings.Join(diffs, "\n"))
}

// voices sorts the lines by who speaks.
func voices(lines []string, by Speaker) map[string][]string {
	v := make(map[string][]string)
	for _, line := range lines {
		v[by(line)] = append(v[by(line)], line)
	}
	slices.Sort(v[""])
	return v
}

func difference(want, got []string) string {
	for i := range max(len(want), len(got)) {
		w, g := "nothing more", "nothing more"
		if i < len(want) {
			w = fmt.Sprintf("%q", want[i])
		}
		if i < len(got) {
			g = fmt.Sprintf("%q", got[i])
		}
		if w != g {
			return fmt.Sprintf("line %d: want %s, got %s", i+1, w, g)
		}
	}
	return ""
}
