package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/usher-go/usher/components/keepalive"
)

// picture is a line for all, one for each host, and one for each request under way.
func (f *fetcher) picture(s keepalive.Stats) []string {
	done := len(f.jobs) - f.left
	lines := []string{"", fmt.Sprintf("%s %d/%d done · %d failed · %s · %d/%d connections open",
		bar(done, len(f.jobs), 20), done, len(f.jobs), f.failed, size(f.bytes), s.Opening+s.Lent+s.Idle, f.open)}
	slices.SortFunc(s.Keys, func(a, b keepalive.KeyStats) int { return cmp.Compare(a.Key.String(), b.Key.String()) })
	for _, h := range s.Keys {
		busy := h.Opening + h.Lent
		lines = append(lines, fmt.Sprintf("%-24s %s %d/%d busy · %d idle · %2d waiting · breaker %s",
			h.Key, bar(busy, f.perHost, min(f.perHost, 10)), busy, f.perHost, h.Idle, h.Waiting, h.Circuit))
	}
	f.frames++
	for _, j := range f.running {
		progress := string(spinner[f.frames%len(spinner)])
		if j.size > 0 {
			progress = bar(int(j.got), int(j.size), 20)
		}
		lines = append(lines, fmt.Sprintf("  %-20s %9s  %s", progress, size(j.got), j.req.URL.Redacted()))
	}
	return lines
}

var spinner = []rune("⠋⠙⠹⠸⠼⠴⠦⠧")

func bar(n, of, width int) string {
	full := min(width, n*width/max(of, 1))
	return strings.Repeat("█", full) + strings.Repeat("░", width-full)
}

func size(n int64) string {
	switch {
	case n < 1e3:
		return fmt.Sprint(n, " B")
	case n < 1e6:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}
