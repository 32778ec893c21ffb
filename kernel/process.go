package kernel

import (
	"fmt"
	"os"
	"slices"
	"sync"
)

// processes are the child processes that sessions watch. Each is reaped by its
// own wait, so that no other child of the program is touched.
type processes struct {
	mu sync.Mutex
	of map[int]map[*session]procWatch
}

// procWatch is what Context.SigChild set for one process.
type procWatch struct {
	sigWatch
	made  *site
	cause uint64 // the event whose handler did
}

// SigChild has event posted once, when a child process has ended: with "CHLD",
// its pid (int), its *os.ProcessState, then args (K142). It reaps that process
// and no other, holds the session until then, and keeps the kernel from IDLE.
// An empty event ends the watch (K143); the process is reaped all the same, and an
// event that was posted already still comes. The process must be a child of this
// one that nobody else waits for; one that is not gives a nil state at once.
func (c *Context) SigChild(pid int, event string, args ...any) {
	c.check()
	p := &c.k.procs
	p.mu.Lock()
	defer p.mu.Unlock()
	watchers := p.of[pid]
	_, had := watchers[c.s]
	switch {
	case event == "":
		if had {
			delete(watchers, c.s)
			c.k.releaseProcess(c.s, pid)
		}
		return
	case watchers == nil:
		if p.of == nil {
			p.of = make(map[int]map[*session]procWatch)
		}
		watchers = make(map[*session]procWatch)
		p.of[pid] = watchers
		go c.k.reap(pid)
	}
	watchers[c.s] = procWatch{sigWatch{event, append([]any(nil), args...)}, c.k.site(), c.ev.seq}
	if !had {
		c.s.hold(HoldProcess, c.k.obs.pid(pid))
		c.s.children++
		c.k.active.Add(1)
	}
}

func (k *Kernel) reap(pid int) {
	var state *os.ProcessState
	if proc, err := os.FindProcess(pid); err == nil {
		state, _ = proc.Wait()
	}
	k.procs.mu.Lock()
	watchers := k.procs.of[pid]
	delete(k.procs.of, pid)
	k.obs.reaped(pid, state, watchers)
	for s, w := range watchers {
		ev := newEvent(w.event, nil, append([]any{"CHLD", pid, state}, w.args...))
		ev.cause = w.cause
		_ = k.postOutside(s, &ev)
		k.releaseProcess(s, pid)
	}
	k.procs.mu.Unlock()
	k.recheck()
}

func (k *Kernel) releaseProcess(s *session, pid int) {
	s.children--
	s.unhold(HoldProcess, k.obs.pid(pid)) // first: its end must not be overtaken by IDLE
	k.active.Add(-1)
}

// lines are for Explain, sorted.
func (p *processes) lines(s *session) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var list []string
	for pid, watchers := range p.of {
		if w, ok := watchers[s]; ok {
			list = append(list, fmt.Sprintf("process %d%s", pid, w.made.made()))
		}
	}
	slices.Sort(list)
	return list
}

func (s *session) forgetProcesses() {
	p := &s.k.procs
	p.mu.Lock()
	defer p.mu.Unlock()
	if s.children == 0 {
		return
	}
	for pid, watchers := range p.of {
		if _, ok := watchers[s]; ok {
			delete(watchers, s)
			s.children--
			s.letGo(HoldProcess, s.k.obs.pid(pid))
			s.k.active.Add(-1)
		}
	}
}
