package wheel

import (
	"sync"
	"time"

	"github.com/usher-go/usher/kernel"
)

type lookConfig struct {
	name  string // "": a handle
	every time.Duration
	quiet bool // no notifications
}

// looker is the goroutine that looks at a followed file and reads it. It never
// waits for the file, only for somebody to tell it to look.
type looker struct {
	t     *tail
	every time.Duration
	eyes  *eyes // nil: none
	ended chan struct{}

	mu    sync.Mutex // a look is under way
	trail trail
}

// follow begins to look.
func (t *tail) follow(k *kernel.Kernel, cur *followed, cfg *lookConfig) {
	l := &looker{
		t: t, every: cfg.every, ended: make(chan struct{}),
		trail: trail{grace: cfg.every, cur: cur},
	}
	t.stop = l.stop
	if cfg.name != "" {
		once := make(map[string]bool) // the looker's goroutine's
		report := func(cause string, err error) {
			if !once[cause] {
				once[cause] = true
				k.Report("FollowTail", cause, err)
			}
		}
		l.trail.place = &namedPlace{name: cfg.name, report: report}
		if !cfg.quiet {
			l.eyes = &eyes{shared: &everyone, name: cfg.name, kick: t.spool.kick, report: report}
		}
	}
	go l.run()
}

// stop ends the goroutine and closes the files.
func (l *looker) stop() {
	close(l.ended)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.trail.close()
}

func (l *looker) run() {
	if l.eyes != nil {
		defer l.eyes.shut()
	}
	timer := time.NewTimer(l.every)
	defer timer.Stop()
	last := time.Now() // something came, or the owner was told that nothing did
	open := true       // the eyes are to be opened, or turned elsewhere
	for {
		if l.eyes != nil && open {
			l.eyes.open()
		}
		now := time.Now()
		f, room, over := l.look(now)
		if over {
			return
		}
		open = f.reset != ""
		switch {
		case f.n > 0 || f.reset != "":
			last = now
			continue
		case room <= 0:
			last = now
		case now.Sub(last) >= l.every:
			last = now
			l.t.idle.Store(true)
			l.t.src.Wake()
		}
		wait := l.every - now.Sub(last)
		if f.again > 0 {
			wait = min(wait, f.again)
		}
		timer.Reset(wait)
		select {
		case <-l.ended:
			return
		case <-l.t.spool.kick:
		case <-timer.C:
			open = true
		}
	}
}

// look looks once and hands on what it found. over: there will be no more.
func (l *looker) look(now time.Time) (f found, room int, over bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.trail.closed {
		return found{}, 0, true
	}
	box := readBuffers.Get().(*[]byte)
	room = min(l.t.spool.room(), readSize-knownBytes)
	f, err := l.trail.step(now, *box, room)
	switch {
	case f.n > 0:
		l.t.spool.put(box, f.n)
		return f, room, false
	case f.reset != "":
		l.t.spool.end(&resetMark{f.reset, f.at})
	case err != nil && room >= 0: // else when that was told
		l.t.spool.end(err)
		over = true
	}
	readBuffers.Put(box)
	return f, room, over
}
