package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// writeTables prints the medians group by group, then the budgets.
func (rep report) writeTables(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s, %d CPUs, median of %d rounds of %v\n", rep.Go, rep.System, rep.CPUs, rep.Rounds, rep.Time)
	for len(rep.Results) > 0 {
		g := rep.Results[0].Group
		n := slices.IndexFunc(rep.Results, func(r Result) bool { return r.Group != g })
		if n < 0 {
			n = len(rep.Results)
		}
		fmt.Fprintf(&b, "\n%s: ns per operation (allocations)\n", g.Name)
		align(&b, "ll", medians(g, rep.Results[:n]))
		rep.Results = rep.Results[n:]
	}
	if len(rep.Verdicts) > 0 {
		b.WriteString("\nbudgets: × is the median of the rounds' ratios; met within 5 %\n")
		align(&b, "lllrl", verdicts(rep.Verdicts))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func medians(g *Group, results []Result) [][]string {
	lines := [][]string{append([]string{"", ""}, g.Peers...)}
	for _, res := range results {
		line := []string{res.Row.Name, res.Row.Unit}
		for _, peer := range g.Peers {
			cell := "–"
			if rounds := res.Rounds[peer]; len(rounds) > 0 {
				cell = fmt.Sprintf("%s (%.1f)", digits(median(Time.each(rounds))), median(Allocs.each(rounds)))
			}
			line = append(line, cell)
		}
		lines = append(lines, line)
	}
	return lines
}

func verdicts(vs []Verdict) [][]string {
	var lines [][]string
	for _, v := range vs {
		mark, value := map[State]string{Met: "✓", Missed: "✗", Unmeasured: "·"}[v.State], "–"
		switch {
		case v.State == Unmeasured:
		case v.Budget.Against != "":
			value = fmt.Sprintf("%.3f", v.Value)
		default:
			value = digits(v.Value)
		}
		lines = append(lines, []string{mark, v.Row, v.Budget.Peer, value, v.Budget.String()})
	}
	return lines
}

// digits shows a figure with as many digits as mean something.
func digits(v float64) string {
	if v < 100 {
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.0f", v)
}

// align writes lines in columns two spaces apart. Each byte of flush is a
// column's side, 'l' or 'r'; columns beyond it stand on the right.
func align(b *strings.Builder, flush string, lines [][]string) {
	var widths []int
	for _, line := range lines {
		for i, cell := range line {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, line := range lines {
		var text strings.Builder
		for i, cell := range line {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			text.WriteString("  ")
			if i < len(flush) && flush[i] == 'l' {
				text.WriteString(cell + pad)
			} else {
				text.WriteString(pad + cell)
			}
		}
		b.WriteString(strings.TrimRight(text.String(), " ") + "\n")
	}
}
