//go:build unix

package prefork

import (
	"bytes"
	"fmt"
	"os"
	"runtime/pprof"
	"time"

	"github.com/usher-go/usher/wheel/filter"
)

// watchSilence watches this worker from beside its kernel, which may be what
// hangs: when no event was handled for SoftTimeout, it tells the master and has
// everybody see where the worker is. Once in a silence.
func (w *Worker) watchSilence() {
	var last time.Time // that was complained about
	var watch func()
	watch = func() {
		beat := w.estate.seat.shown()
		left := w.cfg.SoftTimeout - time.Since(beat)
		if left <= 0 && !beat.Equal(last) {
			last = beat
			w.complain()
		}
		if left <= 0 {
			left = w.cfg.SoftTimeout / 2
		}
		time.AfterFunc(left, watch)
	}
	time.AfterFunc(w.cfg.SoftTimeout, watch)
}

// complain writes to the control socket itself: the session that usually does is
// what hangs.
func (w *Worker) complain() {
	if f, err := filter.NewEvent(filter.EventConfig{MaxFrame: maxWord}); err == nil {
		if frame, err := f.Append(nil, filter.Frame{Name: wordSlow}); err == nil {
			_, _ = w.lifeline.Write(frame)
		}
	}
	var dump bytes.Buffer // one write, so that others do not come between
	fmt.Fprintf(&dump, "prefork: worker %d of %q, pid %d: no event handled for %v; its goroutines:\n",
		w.Slot(), w.cfg.Name, os.Getpid(), w.cfg.SoftTimeout)
	_ = pprof.Lookup("goroutine").WriteTo(&dump, 2)
	_, _ = os.Stderr.Write(dump.Bytes())
}
