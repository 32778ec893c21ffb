//go:build linux

package realtest

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// Within is how soon every key has to answer again.
const Within = 10 * time.Second

// Late is when a test gives up to wait.
const Late = 60 * time.Second

// Net is how the processes of a fleet reach each other.
type Net interface {
	Addresses(name string) (listen, advertise string)
	Certificate(name string) (ca, cert, key string) // PEM, or empty
	Command(name, program string) *exec.Cmd
	Cut(name string) // nothing gets from this node to the others any more, or to it
	Heal(name string)
}

// Fleet is the processes of a cluster.
type Fleet struct {
	t         *testing.T
	net       Net
	template  Setup
	directory func(name string) any
	names     []string
	lives     map[string]int
	running   map[string]*process // the present lives …
	all       []*process          // … and all
	figures   figures

	mu       sync.Mutex
	turn     *sync.Cond
	notes    []Note
	deaths   []Death
	open     map[string]Note             // posts whose fate is not known …
	ended    map[string]bool             // … and is: others may say so first
	monitors map[string]Note             // that have not told
	answers  map[string]map[answer]int64 // of each probe: how long after its begin
	last     map[string]map[What]Note    // of each node
	probes   int
}

type answer struct{ node, key string }

// New is a fleet of nodes that do not run yet. Of template only what is the same for all
// nodes counts; directory is what Main's function gets, as JSON.
func New(t *testing.T, net Net, template Setup, directory func(name string) any, names ...string) *Fleet {
	f := &Fleet{
		t: t, net: net, template: template, directory: directory, names: names,
		lives: map[string]int{}, running: map[string]*process{},
		open: map[string]Note{}, ended: map[string]bool{}, monitors: map[string]Note{}, answers: map[string]map[answer]int64{}, last: map[string]map[What]Note{},
	}
	f.turn = sync.NewCond(&f.mu)
	t.Cleanup(f.end)
	return f
}

// Start runs nodes, and waits until they have joined.
func (f *Fleet) Start(names ...string) {
	f.t.Helper()
	self, err := os.Executable()
	if err != nil {
		f.t.Fatal(err)
	}
	for _, name := range names {
		f.lives[name]++
		s := f.template
		s.Name, s.Life = name, f.lives[name]
		s.Listen, s.Advertise = f.net.Addresses(name)
		s.CA, s.Cert, s.Key = f.net.Certificate(name)
		if s.Directory, err = json.Marshal(f.directory(name)); err != nil {
			f.t.Fatal(err)
		}
		for _, o := range f.names {
			if o != name {
				s.Others = append(s.Others, o)
			}
		}
		p, err := launch(f.net.Command(name, self), s, f.take, f.wake)
		if err != nil {
			f.t.Fatal(err)
		}
		f.mu.Lock()
		f.running[name] = p
		f.mu.Unlock()
		f.all = append(f.all, p)
	}
	for _, name := range names {
		f.Wait(name+" has joined", func() bool { return f.noted(name, Joined) })
	}
}

// take keeps a note.
func (f *Fleet) take(n Note) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.notes = append(f.notes, n)
	if f.last[n.Node] == nil {
		f.last[n.Node] = map[What]Note{}
	}
	f.last[n.Node][n.What] = n
	switch n.What {
	case Tried:
		if !f.ended[n.ID] {
			f.open[n.ID] = n
		}
	case Refused, Handled, Lost:
		f.ended[n.ID] = true
		delete(f.open, n.ID)
	case Monitored:
		f.monitors[n.ID] = n
	case Told:
		delete(f.monitors, n.ID)
	case Answered:
		if of := f.answers[n.From]; of != nil {
			of[answer{n.Node, n.To}] = n.At
		}
	}
	f.turn.Broadcast()
}

func (f *Fleet) wake() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.turn.Broadcast()
}

// noted reports whether the present life of a node has written such a note. f.mu is held.
func (f *Fleet) noted(name string, w What) bool {
	n, ok := f.last[name][w]
	return ok && n.Life == f.lives[name]
}

// Wait returns when ok, which is asked after every note, with f.mu held. A process that
// ends meanwhile is a failure, unless it was meant to.
func (f *Fleet) Wait(what string, ok func() bool) {
	f.t.Helper()
	if !f.wait(Late, ok) {
		f.fatal("in vain: " + what)
	}
}

func (f *Fleet) wait(limit time.Duration, ok func() bool) bool {
	f.t.Helper()
	late := false
	timer := time.AfterFunc(limit, func() {
		f.mu.Lock()
		late = true
		f.mu.Unlock()
		f.wake()
	})
	defer timer.Stop()
	f.mu.Lock()
	for !ok() {
		for _, p := range f.running {
			if p.gone() && !p.meant {
				f.mu.Unlock()
				f.fatal(fmt.Sprintf("%s has ended: %v", p.name, p.err))
			}
		}
		if late {
			f.mu.Unlock()
			return false
		}
		f.turn.Wait()
	}
	f.mu.Unlock()
	return true
}

// Since waits until a time has passed since a moment that Now has told, and nothing else:
// the length of a fault. Processes may write meanwhile.
func (f *Fleet) Since(begun int64, d time.Duration) {
	f.t.Helper()
	f.wait(d-time.Duration(now()-begun), func() bool { return false })
}

// fatal ends the test with what the processes know.
func (f *Fleet) fatal(why string) {
	f.t.Helper()
	for _, p := range f.running {
		if !p.gone() && !p.frozen {
			_ = p.tell("status")
		}
	}
	f.quietEnd()
	f.t.Fatal(why)
}

// maxReports is how many are logged when a test has failed.
const maxReports = 200

// quietEnd has all processes end, and logs what they had to say.
func (f *Fleet) quietEnd() {
	for _, name := range f.names {
		p := f.running[name]
		if p == nil {
			continue
		}
		if !p.gone() && !p.frozen {
			_ = p.in.Close() // it ends when it has read all it was told
			select {
			case <-p.exited:
			case <-time.After(time.Second):
			}
		}
		_ = p.cmd.Process.Kill()
		<-p.exited
		f.t.Logf("%s said:\n%s", name, &p.errors)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	reports := 0
	for _, n := range f.notes {
		if n.What == Reported {
			reports++
		}
		if n.What == Changed || n.What == Reported && reports <= maxReports {
			f.t.Logf("%.3f %s/%d %s: %.500s", float64(n.At)/1e9, n.Node, n.Life, n.What, n.Text)
		}
	}
}

func (f *Fleet) end() {
	for _, p := range f.all {
		_ = p.cmd.Process.Kill()
		<-p.exited
		if s := p.errors.String(); strings.Contains(s, "DATA RACE") || strings.Contains(s, "panic: ") {
			f.t.Errorf("%s/%d:\n%s", p.name, p.life, s)
		}
	}
}

func (f *Fleet) process(name string) *process {
	f.t.Helper()
	p := f.running[name]
	if p == nil || p.gone() {
		f.fatal(name + " does not run")
	}
	return p
}

func (f *Fleet) tell(name string, words ...string) {
	f.t.Helper()
	if err := f.process(name).tell(words...); err != nil {
		f.fatal(err.Error())
	}
}
