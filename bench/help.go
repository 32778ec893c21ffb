package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
)

// explain says what there is to measure.
func explain(gs []*Group, w io.Writer) {
	var b strings.Builder
	b.WriteString("\nRows, by group; README.md says more:\n")
	for _, g := range gs {
		fmt.Fprintf(&b, "\n%s: %s\n", g.Name, g.About)
		var lines [][]string
		for _, r := range g.Rows {
			lines = append(lines, []string{r.Name, cmp.Or(r.About, "one "+r.Unit)})
		}
		align(&b, "ll", lines)
	}
	_, _ = io.WriteString(w, b.String())
}
