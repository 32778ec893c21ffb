package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
)

// result is what the tour found out.
type result struct {
	Requests          int     `json:"requests"`
	Answered          int     `json:"answered"`
	Failed            int     `json:"failed"`
	Reused            int     `json:"reused"`
	WorkersStarted    int     `json:"workers_started"`
	WorkersKilled     int     `json:"workers_killed"`
	BackendCalls      int     `json:"backend_calls"`
	BackendReconnects int     `json:"backend_reconnects"`
	Seconds           float64 `json:"seconds"`

	took        time.Duration
	repeated    int
	lastTrouble error
	killed      int
	byWorker    map[int]int
}

func (r *result) print(w io.Writer, asJSON bool) {
	r.Failed = r.Requests - r.Answered
	if asJSON {
		_ = json.NewEncoder(w).Encode(r)
		return
	}
	fmt.Fprintf(w, "\n%d requests, %d answered, %d failed, in %.1f s: %.0f a second\n\n",
		r.Requests, r.Answered, r.Failed, r.Seconds, float64(r.Answered)/r.Seconds)
	fmt.Fprintf(w, "  connections   %5.1f %% of the requests went over one that was open already\n", 100*float64(r.Reused)/float64(r.Requests))
	fmt.Fprintf(w, "  workers       %d started, %d killed; %d requests cut off and repeated\n", r.WorkersStarted, r.WorkersKilled, r.repeated)
	fmt.Fprintf(w, "  backend       %d prices asked, %d reconnects\n\n", r.BackendCalls, r.BackendReconnects)

	if r.Failed > 0 && r.lastTrouble != nil {
		fmt.Fprintf(w, "  last trouble  %v\n\n", r.lastTrouble)
	}
	most := 1
	for _, n := range r.byWorker {
		most = max(most, n)
	}
	for _, pid := range slices.Sorted(maps.Keys(r.byWorker)) {
		n, note := r.byWorker[pid], ""
		if pid == r.killed {
			note = "  killed half-way"
		}
		fmt.Fprintf(w, "  worker %-7d %7d  %s%s\n", pid, n, strings.Repeat("█", 1+39*n/most), note)
	}
}

// screen shows progress: one line that is written again on a terminal, a line
// now and then elsewhere.
type screen struct {
	w     io.Writer
	tty   bool
	total int
	shown int // tenths, when it is not a terminal
}

func newScreen(f *os.File, total int) *screen {
	info, err := f.Stat()
	return &screen{w: f, total: total, tty: err == nil && info.Mode()&os.ModeCharDevice != 0}
}

func (s *screen) say(format string, args ...any) {
	if s.tty {
		fmt.Fprint(s.w, "\r\x1b[K")
	}
	fmt.Fprintf(s.w, format+"\n", args...)
}

func (s *screen) progress(done int, took time.Duration, letters string) {
	rate := float64(done) / max(took.Seconds(), 0.001)
	if !s.tty {
		if tenth := 10 * done / s.total; tenth > s.shown {
			s.shown = tenth
			fmt.Fprintf(s.w, "%3d %%  %8.0f requests/s  workers %s\n", 10*tenth, rate, letters)
		}
		return
	}
	const width = 40
	full := width * done / s.total
	fmt.Fprintf(s.w, "\r\x1b[K%s%s %3d %%  %6.0f/s  workers %s", strings.Repeat("█", full), strings.Repeat("░", width-full), 100*done/s.total, rate, letters)
}

func (s *screen) done() {
	if s.tty {
		fmt.Fprintln(s.w)
	}
}
