//go:build linux

package realtest

import (
	"fmt"
	"slices"
	"syscall"
	"time"
)

// Now is what Since and Probe count from.
func Now() int64 { return now() }

// queued is how long a process may take to note that it has begun an event.
const queued = 2 * time.Second

// Kill ends a node's process with kill -9, in the midst of its work, but not before what
// was posted up to now has its fate: nobody would know it.
func (f *Fleet) Kill(name string) (at int64) {
	f.t.Helper()
	since := now() - int64(queued)
	f.Wait("all that was posted has its fate", f.settled())
	p := f.process(name)
	at = now()
	f.mu.Lock()
	p.meant = true
	f.deaths = append(f.deaths, Death{name, p.life, since, at})
	f.mu.Unlock()
	f.signal(p, syscall.SIGKILL)
	<-p.exited
	f.mu.Lock()
	defer f.mu.Unlock()
	for id, n := range f.monitors { // nobody is there to be told
		if n.Node == name {
			delete(f.monitors, id)
		}
	}
	return at
}

// settled reports whether all that was posted up to now has its fate.
func (f *Fleet) settled() func() bool {
	begun := now()
	return func() bool {
		for _, n := range f.open {
			if n.At < begun && !excused(n, f.deaths) {
				return false
			}
		}
		return true
	}
}

// Freeze stops a node's process with SIGSTOP, while events wait for sessions of its
// keys; Thaw has it go on.
func (f *Fleet) Freeze(name string) (at int64) {
	f.t.Helper()
	asked := now()
	f.tell(name, "work")
	f.Wait(name+" has to work", func() bool { return f.last[name][Working].At > asked })
	p := f.process(name)
	p.frozen = true
	f.signal(p, syscall.SIGSTOP)
	return now()
}

func (f *Fleet) Thaw(name string) (at int64) {
	f.t.Helper()
	p := f.process(name)
	p.frozen = false
	at = now()
	f.signal(p, syscall.SIGCONT)
	return at
}

func (f *Fleet) signal(p *process, sig syscall.Signal) {
	f.t.Helper()
	if err := p.signal(sig); err != nil {
		f.fatal(err.Error())
	}
}

// Cut takes the network from a node; Heal gives it back.
func (f *Fleet) Cut(name string) (at int64)  { f.net.Cut(name); return now() }
func (f *Fleet) Heal(name string) (at int64) { at = now(); f.net.Heal(name); return at }

// Leave has a node leave in order, and its process end.
func (f *Fleet) Leave(name string) (at int64) {
	f.t.Helper()
	p := f.process(name)
	f.mu.Lock()
	p.meant = true
	f.mu.Unlock()
	at = now()
	f.tell(name, "leave")
	select {
	case <-p.exited:
	case <-time.After(Late):
		f.fatal(name + " does not leave")
	}
	n := f.last[name][GoneOut]
	if n.Life != p.life || n.Text != "" || p.err != nil {
		f.t.Errorf("%s left with %+v, %v\n%s", name, n, p.err, &p.errors)
	}
	return at
}

// Probe has all keys asked by nodes until they answer, and measures from a moment on
// how long that takes, for each key and node. It is to be less than Within.
func (f *Fleet) Probe(what string, since int64, names ...string) {
	f.t.Helper()
	f.mu.Lock()
	f.probes++
	id := fmt.Sprint("probe ", f.probes)
	got := map[answer]int64{}
	f.answers[id] = got
	f.mu.Unlock()
	for _, name := range names {
		f.tell(name, id)
	}
	f.Wait("every key answers, "+what, func() bool { return len(got) == len(names)*f.template.Keys })
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.answers, id)
	worst := time.Duration(0)
	for _, at := range got {
		worst = max(worst, f.figures.add(what, time.Duration(at-since)))
	}
	if worst > Within {
		f.t.Errorf("%s: keys answered after up to %v", what, worst)
	}
}

// Monitors waits until all monitors of other nodes on one that is lost have told.
func (f *Fleet) Monitors(lost string) {
	f.t.Helper()
	f.mu.Lock()
	var ids []string
	for id, n := range f.monitors {
		if n.To == lost {
			ids = append(ids, id)
		}
	}
	f.mu.Unlock()
	f.Wait("monitors tell that "+lost+" is lost", func() bool {
		return !slices.ContainsFunc(ids, func(id string) bool { _, ok := f.monitors[id]; return ok })
	})
}

// Watched waits until every node that runs monitors every other one.
func (f *Fleet) Watched(names ...string) {
	f.t.Helper()
	f.Wait("every node knows every other", func() bool {
		n := 0
		for _, m := range f.monitors {
			if slices.Contains(names, m.Node) && slices.Contains(names, m.To) {
				n++
			}
		}
		return n >= len(names)*(len(names)-1)
	})
}

// Finish ends the posts, waits for the fate of all, has the nodes leave, and looks what
// came of it.
func (f *Fleet) Finish(names ...string) {
	f.t.Helper()
	for _, name := range names {
		f.tell(name, "quiet")
	}
	f.Wait("posts end", func() bool {
		return !slices.ContainsFunc(names, func(name string) bool { return !f.noted(name, Silenced) })
	})
	f.wait(Late, f.settled()) // Check says what has none
	for _, name := range names {
		f.Leave(name)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	faults, sum := Check(f.notes, f.deaths)
	for _, s := range faults {
		f.t.Error(s)
	}
	f.t.Logf("%v\n%v", sum, &f.figures)
	if f.t.Failed() {
		f.mu.Unlock()
		f.quietEnd()
		f.mu.Lock()
	}
}
