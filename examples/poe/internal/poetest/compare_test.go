package poetest

import (
	"strings"
	"testing"
)

func TestCompare(t *testing.T) {
	nobody := func(string) string { return "" }
	for name, c := range map[string]struct {
		want, got string
		by        Speaker
		diff      string // part of the error; none when empty
	}{
		"the same":             {"a 1\nb 1", "a 1\nb 1", Everyone, ""},
		"mixed":                {"a 1\nb 1\na 2", "b 1\na 1\na 2", FirstWord, ""},
		"mixed, one speaker":   {"a 1\nb 1", "b 1\na 1", Everyone, `line 1: want "a 1", got "b 1"`},
		"one speaker's order":  {"a: 1\na: 2\nb 1", "a: 2\na: 1\nb 1", FirstWord, `"a", line 1: want "a: 1", got "a: 2"`},
		"no order":             {"a\nb", "b\na", nobody, ""},
		"no order, other line": {"a\nb", "b\nc", nobody, `line 1: want "a", got "b"`},
		"less":                 {"a 1\na 2", "a 1", FirstWord, `line 2: want "a 2", got nothing more`},
		"more":                 {"a 1", "a 1\na 1", FirstWord, `line 2: want nothing more, got "a 1"`},
		"another speaker":      {"a 1", "a 1\nb 1", FirstWord, `"b", line 1: want nothing more, got "b 1"`},
	} {
		t.Run(name, func(t *testing.T) {
			err := compare(split(c.want), split(c.got), c.by)
			switch {
			case c.diff == "" && err != nil:
				t.Errorf("got %v", err)
			case c.diff != "" && (err == nil || !strings.Contains(err.Error(), c.diff)):
				t.Errorf("got %v, want %s", err, c.diff)
			}
		})
	}
}
