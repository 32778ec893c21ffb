package wheeltest

import (
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// opened is what is open, for leak checks.
type opened struct {
	entered uint64
	things  map[any]thing
	changed sync.Cond
}

type thing struct {
	seq  uint64
	made string
}

func (o *opened) init(l sync.Locker) { o.things, o.changed.L = make(map[any]thing), l }

func (o *opened) add(x any, made string) {
	o.entered++
	o.things[x] = thing{o.entered, made}
}

func (o *opened) remove(x any) {
	delete(o.things, x)
	if len(o.things) == 0 {
		o.changed.Broadcast()
	}
}

func (o *opened) sorted() []any {
	var list []any
	for x := range o.things {
		list = append(list, x)
	}
	slices.SortFunc(list, func(a, b any) int { return int(o.things[a].seq) - int(o.things[b].seq) })
	return list
}

func (o *opened) lines() []string {
	var list []string
	for _, x := range o.sorted() {
		line := fmt.Sprint(x)
		if made := o.things[x].made; made != "" {
			line += ", made at " + made
		}
		list = append(list, line)
	}
	return list
}

func openOnes[T any](o *opened) []T {
	var list []T
	for _, x := range o.sorted() {
		if x, ok := x.(T); ok {
			list = append(list, x)
		}
	}
	return list
}

// Open lists what is open, oldest first: connections, listeners, sockets for
// datagrams, dials under way, with where each was made; for a connection that was
// accepted, where its listener was.
func (n *Network) Open() []string {
	n.lock()
	defer n.unlock()
	return n.open.lines()
}

// patience is how long Check waits for goroutines that are about to close something.
const patience = 2 * time.Second

// Check fails t for everything that is open. Without a simulated kernel it waits up
// to 2 s for it to be closed.
func (n *Network) Check(t testing.TB) {
	t.Helper()
	n.lock()
	if !n.virtual {
		late := n.after(patience, n.open.changed.Broadcast)
		for end := late.at; len(n.open.things) > 0 && n.clock.Now().Before(end); {
			n.open.changed.Wait()
		}
		n.cancel(late)
	}
	list := n.open.lines()
	n.unlock()
	for _, line := range list {
		t.Errorf("still open: %s; close it", line)
	}
}

// caller is the innermost function on the stack that works for itself and not, like
// wheels, for somebody else: where a thing was made. Empty where nobody is.
func caller() string {
	var pcs [64]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		f, more := frames.Next()
		if f.Function != "" && !helps(f.Function) {
			return fmt.Sprintf("%s:%d", filepath.Join(filepath.Base(filepath.Dir(f.File)), filepath.Base(f.File)), f.Line)
		}
		if !more {
			return ""
		}
	}
}

// helps: a function of Usher's own below components, or of the libraries that run
// them. Tests beside such a package have a name of their own.
func helps(function string) bool {
	for _, p := range []string{"wheel", "wheel/wheeltest", "kernel", "kernel/kerneltest", "session"} {
		if strings.HasPrefix(function, module+p+".") {
			return true
		}
	}
	return strings.HasPrefix(function, "runtime.") || strings.HasPrefix(function, "testing.") || strings.HasPrefix(function, "net.") || strings.HasPrefix(function, "github.com/asynkron/")
}

const module = "github.com/usher-go/usher/"
