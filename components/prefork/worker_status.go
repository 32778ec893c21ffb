//go:build unix

package prefork

import "os"

// Status is what a worker can tell of its pool: what is on the scoreboard, and its
// own configuration. It does not know of reloads, failed starts, lost workers, or
// what TTIN and TTOU have changed. It may be called from any goroutine.
func (w *Worker) Status() Status {
	b := w.estate.board
	s := Status{
		Stats: b.stats(w.cfg.MaxClients), Name: w.cfg.Name, PID: os.Getppid(), Since: b.since(),
		Limits: w.cfg.limits().public(),
	}
	for _, l := range b.snapshot(nil) {
		s.Started += int(l.Life)
		if l.State == StateIdle || l.State == StateBusy {
			s.Generation = max(s.Generation, l.Generation)
		}
	}
	s.sum()
	return s
}
