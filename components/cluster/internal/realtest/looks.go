//go:build linux

package realtest

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// Talk has a node call the sink of another one again and again, until Hush.
func (f *Fleet) Talk(from, to string) { f.t.Helper(); f.tell(from, "talk", to) }

// Hush ends it.
func (f *Fleet) Hush(from string) { f.t.Helper(); f.tell(from, "hush") }

// Talked is the calls of a node's Talk that have ended since a moment that Now has told.
func (f *Fleet) Talked(from string, since int64) (took []time.Duration, failed []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, n := range f.notes {
		if n.From != "talk" || n.Node != from || n.At < since {
			continue
		}
		switch n.What {
		case Answered:
			took = append(took, time.Duration(n.N))
		case Failed, NotBegun:
			failed = append(failed, n.Text)
		}
	}
	return took, failed
}

// WaitTalk waits until so many calls of a node's Talk were answered from now on.
func (f *Fleet) WaitTalk(from string, calls int) {
	f.t.Helper()
	f.mu.Lock()
	begun, seen := len(f.notes), 0
	f.mu.Unlock()
	f.Wait("calls are answered", func() bool {
		for _, n := range f.notes[begun:] {
			if n.Node == from && n.From == "talk" && n.What == Answered {
				seen++
			}
		}
		begun = len(f.notes)
		return seen >= calls
	})
}

// Noted is the texts of a node's notes of one sort.
func (f *Fleet) Noted(name string, w What) (texts []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, n := range f.notes {
		if n.Node == name && n.What == w {
			texts = append(texts, n.Text)
		}
	}
	return texts
}

// Memory is what a node's process uses, after a collection, and the most that it had
// resident so far, in bytes.
func (f *Fleet) Memory(name string) (inUse, peak int64) {
	f.t.Helper()
	asked := now()
	f.tell(name, "memory")
	f.Wait("memory is measured", func() bool { return f.last[name][Memory].At > asked })
	f.mu.Lock()
	inUse = f.last[name][Memory].N
	f.mu.Unlock()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", f.process(name).cmd.Process.Pid))
	if err != nil {
		f.fatal(err.Error())
	}
	_, text, _ := strings.Cut(string(status), "VmHWM:")
	if _, err := fmt.Sscan(text, &peak); err != nil {
		f.fatal(err.Error())
	}
	return inUse, peak << 10
}
