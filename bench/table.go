package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// writeTables prints the medians group by group, then the budgets.
func (rep report) writeTables(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s, %d CPUs, median of %d rounds of %v, many is %d, conns %d\n", rep.Go, rep.System, rep.CPUs, rep.Rounds, rep.Time, rep.Many, rep.Conns)
	for len(rep.Results) > 0 {
		g := rep.Results[0].Group
		n := slices.IndexFunc(rep.Results, func(r Result) bool { return r.Group != g })
		if n < 0 {
			n = len(rep.Results)
		}
		fmt.Fprintf(&b, "\n%s: %s\n", g.Name, cmp.Or(g.Shows, "per operation, allocations in parentheses"))
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
		name := res.Row.Name
		for _, f := range res.Row.figures() {
			line := []string{name, f.of(res.Row.Unit)}
			for _, peer := range g.Peers {
				line = append(line, f.cell(res.Rounds[peer]))
			}
			lines = append(lines, line)
			name = "" // once is enough
		}
	}
	return lines
}

// cell is the median of the rounds; beside a speed stand the allocations.
func (f Figure) cell(rounds []Figures) string {
	vs := f.each(rounds)
	if len(vs) == 0 {
		return "–"
	}
	cell := digits(median(vs))
	if allocs := Allocs.each(rounds); f.speed() && len(allocs) > 0 {
		cell += fmt.Sprintf(" (%.1f)", median(allocs))
	}
	return cell
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
		limit := v.Budget.String()
		if v.Quoted {
			limit += fmt.Sprintf(" (%g, quoted)", v.Budget.Quoted)
		}
		lines = append(lines, []string{mark, v.Row, v.Budget.Peer, value, limit})
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
