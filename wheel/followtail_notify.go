package wheel

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"sync"

	"github.com/fsnotify/fsnotify"
)

// everyone is the process's watcher of directories. There is one, because a user
// may have 128 only (inotify(7), max_user_instances).
var everyone = lookout{make: fsnotify.NewWatcher}

// lookout tells who wants to know when a name in a directory changes, or what is
// behind it. Names are absolute and without links in their directory. What it
// misses is found by polling.
type lookout struct {
	make func() (*fsnotify.Watcher, error)

	change sync.Mutex // of what the system is asked for; never taken where events are told
	sys    *fsnotify.Watcher
	dirs   map[string]int // how many names in each

	mu    sync.Mutex
	names map[string][]chan struct{}
}

// add wants kick told of name.
func (o *lookout) add(name string, kick chan struct{}) error {
	o.change.Lock()
	defer o.change.Unlock()
	if o.sys == nil {
		sys, err := o.make()
		if err != nil {
			return err
		}
		o.sys, o.dirs = sys, make(map[string]int)
		go o.run(sys)
	}
	dir := filepath.Dir(name)
	if err := o.sys.Add(dir); err != nil {
		o.rest()
		return err
	}
	o.dirs[dir]++
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.names == nil {
		o.names = make(map[string][]chan struct{})
	}
	o.names[name] = append(o.names[name], kick)
	return nil
}

// again renews a watch: the directory may be another of that name.
func (o *lookout) again(name string) error {
	o.change.Lock()
	defer o.change.Unlock()
	return o.sys.Add(filepath.Dir(name))
}

// remove ends what add began.
func (o *lookout) remove(name string, kick chan struct{}) {
	o.change.Lock()
	defer o.change.Unlock()
	o.mu.Lock()
	kicks := o.names[name]
	if i := slices.Index(kicks, kick); i >= 0 {
		kicks = slices.Delete(kicks, i, i+1)
	}
	if o.names[name] = kicks; len(kicks) == 0 {
		delete(o.names, name)
	}
	o.mu.Unlock()
	dir := filepath.Dir(name)
	if o.dirs[dir]--; o.dirs[dir] == 0 {
		delete(o.dirs, dir)
		_ = o.sys.Remove(dir) // an error: the directory itself is gone
	}
	o.rest()
}

// rest gives the system back what nobody needs.
func (o *lookout) rest() {
	if len(o.dirs) == 0 {
		_ = o.sys.Close()
		o.sys = nil
	}
}

func (o *lookout) run(sys *fsnotify.Watcher) {
	errs := sys.Errors
	for {
		select {
		case e, ok := <-sys.Events:
			if !ok {
				return
			}
			o.tell(e.Name)
		case _, ok := <-errs:
			if !ok {
				errs = nil
				continue
			}
			o.tellAll() // such as an overflow: anything may have happened
		}
	}
}

func (o *lookout) tell(name string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, kick := range o.names[name] {
		tell(kick)
	}
}

func (o *lookout) tellAll() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, kicks := range o.names {
		for _, kick := range kicks {
			tell(kick)
		}
	}
}

// eyes are one wheel's share of a lookout: its name, and where that leads to by
// links. They belong to the wheel's goroutine.
type eyes struct {
	shared *lookout
	name   string
	kick   chan struct{}
	report func(cause string, err error)

	seen []string // the names that are watched
	dark bool     // the system will not do it: polling has to do
}

// open turns the eyes to where the name leads now.
func (e *eyes) open() {
	if e.dark {
		return
	}
	want := e.leads()
	for _, name := range slices.Clone(e.seen) {
		if !slices.Contains(want, name) {
			e.drop(name)
		}
	}
	for _, name := range want {
		var err error
		if slices.Contains(e.seen, name) {
			err = e.shared.again(name)
		} else if err = e.shared.add(name, e.kick); err == nil {
			e.seen = append(e.seen, name)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			e.shut()
			e.dark = true
			e.report("no notifications about a followed file; polling instead", err)
			return
		}
	}
}

// leads lists the names to watch, none while the directory is missing.
func (e *eyes) leads() (names []string) {
	dir, base := filepath.Split(e.name)
	if abs, err := filepath.Abs(dir); err == nil {
		if dir, err = filepath.EvalSymlinks(abs); err == nil {
			names = append(names, filepath.Join(dir, base))
		}
	}
	if abs, err := filepath.Abs(e.name); err == nil {
		if at, err := filepath.EvalSymlinks(abs); err == nil && !slices.Contains(names, at) {
			names = append(names, at)
		}
	}
	return names
}

func (e *eyes) drop(name string) {
	e.shared.remove(name, e.kick)
	e.seen = slices.DeleteFunc(e.seen, func(s string) bool { return s == name })
}

// shut ends all watching.
func (e *eyes) shut() {
	for _, name := range slices.Clone(e.seen) {
		e.drop(name)
	}
}
