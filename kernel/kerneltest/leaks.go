package kerneltest

import (
	"strings"
	"time"

	"github.com/usher-go/usher/kernel"
)

// patience is how long goroutines have to end after their session has. Only those that
// do not end are waited for so long.
var patience = 10 * time.Second

// leaks notes what is left of a kernel, with where it was made. What a session
// has (timers, leases, wheels …) ends with it, so that a live one tells of all.
func (w *watch) leaks(k *kernel.Kernel) {
	alive := k.Sessions()
	if !w.living {
		for _, a := range alive {
			w.add("still alive at the end of the test:\n%s", k.Explain(a))
		}
		if text := k.Explain(""); strings.Contains(text, "\n  hold ") {
			w.add("held at the end of the test:\n%s", text)
		}
	}
	if len(alive) > 0 || w.running {
		return
	}
	for _, g := range goroutines(k) {
		w.add("still running at the end of the test: %s", g)
	}
}

// goroutines waits for those that are about to end, and returns the others.
func goroutines(k *kernel.Kernel) []string {
	late := time.After(patience)
	for pause := time.Millisecond; ; pause *= 2 {
		left := k.Goroutines()
		if len(left) == 0 {
			return nil
		}
		select {
		case <-late:
			return left
		case <-time.After(pause):
		}
	}
}
