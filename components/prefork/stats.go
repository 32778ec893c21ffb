//go:build unix

package prefork

import (
	"os"
	"time"

	"github.com/usher-go/usher/kernel"
)

// Stats is a glimpse of a pool.
type Stats struct {
	Workers []WorkerStatus `json:"workers"` // those that live
	Started int            `json:"started"` // processes started so far
	Lost    int            `json:"lost"`    // of them, how many ended with a status other than 0, by a signal, or before they were ready
	Letters string         `json:"letters"` // the scoreboard: one State.Letter for each of MaxClients, and for those beyond that live
}

// Status is all that a pool has to say about itself. Kernel.Describe offers it
// under the pool's name.
type Status struct {
	Stats
	Name        string         `json:"name"`
	PID         int            `json:"pid"`         // the master's
	Since       time.Time      `json:"since"`       // when New made the pool
	Generation  int            `json:"generation"`  // of the program that has the work
	Counts      map[string]int `json:"counts"`      // living workers by the name of their State
	Connections uint64         `json:"connections"` // accepted by the living workers
	Requests    uint64         `json:"requests"`    // finished by the living workers
	Slow        int            `json:"slow"`        // how often a worker was silent for longer than Config.SoftTimeout
	Limits      Limits         `json:"limits"`
	Reload      ReloadStatus   `json:"reload"`
	Boots       BootStatus     `json:"boots"`
	Stopping    bool           `json:"stopping"`
}

// Preforks is true: it tells a master's kernel, by what Kernel.Descriptions has, from
// one that does the work.
func (Status) Preforks() bool { return true }

// Limits are the numbers that a pool works by now: those of its Config, with what
// TTIN and TTOU have changed. 0 is "no limit", but for MaxSpareServers.
type Limits struct {
	StartServers    int           `json:"start_servers"`
	MinSpareServers int           `json:"min_spare_servers"`
	MaxSpareServers int           `json:"max_spare_servers"` // or Unlimited
	MaxClients      int           `json:"max_clients"`
	MaxProcesses    int           `json:"max_processes"` // while workers are replaced
	MaxAge          time.Duration `json:"max_age"`       // in nanoseconds
	MaxRSS          int64         `json:"max_rss"`
	Timeout         time.Duration `json:"timeout"` // in nanoseconds
}

// ReloadStatus is how far a reload is.
type ReloadStatus struct {
	Active     bool   `json:"active"`
	Generation int    `json:"generation,omitempty"` // that is being started
	Need       int    `json:"need,omitempty"`       // new workers that must be ready
	Failed     string `json:"failed,omitempty"`     // why the last reload failed
}

// BootStatus is whether workers fail to start.
type BootStatus struct {
	Failures int       `json:"failures"`          // in a row
	GiveUp   int       `json:"give_up"`           // so many end the pool
	NextTry  time.Time `json:"next_try,omitzero"` // when Failures is not 0
}

// view is what the master's session knows beside the scoreboard.
type view struct {
	generation int
	limits     limits
	reload     reload
	failed     error
	boots      boots
	stopping   bool
}

// show lets others see the table.
func (m *master) show() {
	t := m.table
	boots := t.boots
	if boots.failures > 0 {
		boots.notBefore = boots.notBefore.Add(t.asleep) // as the world has it
	}
	m.pool.view.Store(&view{t.generation, t.limits, t.reload, m.lastReload, boots, t.stopping})
}

// Stats returns a glimpse of the pool; kernel.ErrNoSession when it has ended.
func (p *Pool) Stats() (Stats, error) {
	if p.ended.Load() {
		return Stats{}, kernel.ErrNoSession
	}
	s := p.board.stats(p.view.Load().limits.maxClients)
	s.Started, s.Lost = int(p.started.Load()), int(p.lost.Load())
	return s, nil
}

// stats is who lives; so many slots are shown at least.
func (b *scoreboard) stats(last int) (s Stats) {
	letters := make([]byte, 0, len(b.lines))
	for _, w := range b.snapshot(nil) {
		letters = append(letters, w.State.Letter())
		if w.State != StateDead {
			s.Workers = append(s.Workers, w)
			last = max(last, len(letters))
		}
	}
	s.Letters = string(letters[:min(last, len(letters))])
	return s
}

// Status returns all there is to know about the pool; kernel.ErrNoSession when it
// has ended. Where the system tells, it measures how much memory each worker uses.
func (p *Pool) Status() (Status, error) {
	stats, err := p.Stats()
	if err != nil {
		return Status{}, err
	}
	v := p.view.Load()
	s := Status{
		Stats: stats, Name: p.name, PID: os.Getpid(), Since: p.born, Generation: v.generation,
		Slow: int(p.slow.Load()), Stopping: v.stopping, Limits: v.limits.public(),
		Reload: ReloadStatus{Active: v.reload.active, Generation: v.reload.generation, Need: v.reload.need},
		Boots:  BootStatus{Failures: v.boots.failures, GiveUp: v.limits.failedBoots, NextTry: v.boots.notBefore},
	}
	if v.failed != nil {
		s.Reload.Failed = v.failed.Error()
	}
	s.sum()
	return s, nil
}

// public is what of them can be seen.
func (l limits) public() Limits {
	return Limits{
		StartServers: l.start, MinSpareServers: l.minSpare, MaxSpareServers: l.maxSpare,
		MaxClients: l.maxClients, MaxProcesses: l.maxClients + l.surplus,
		MaxAge: l.maxAge, MaxRSS: l.maxRSS, Timeout: l.timeout,
	}
}

// ResidentMemory is how many bytes of memory a process uses; 0 where the system does not
// tell.
func ResidentMemory(pid int) int64 { return residentMemory(pid) }

// sum fills in what follows from the workers.
func (s *Status) sum() {
	s.Counts = map[string]int{}
	for i := range s.Workers {
		w := &s.Workers[i]
		w.RSS = residentMemory(w.PID)
		s.Counts[w.State.String()]++
		s.Connections += w.Connections
		s.Requests += w.Requests
	}
}
