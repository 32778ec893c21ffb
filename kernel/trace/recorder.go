package trace

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/usher-go/usher/kernel"
)

// defaultSize is how many records NewRecorder(0) keeps.
const defaultSize = 4096

// Recorder keeps the last records of a kernel. Its methods are for any goroutine,
// also while the kernel runs and inside handlers.
type Recorder struct {
	size  int
	ring  ring
	names kernel.Names
	notes atomic.Uint32 // records that are not of handlers
	start atomic.Pointer[time.Time]

	noteMu sync.Mutex
	noted  journal // theirs
}

// NewRecorder makes a recorder of the last n records, about 250 bytes each; 0
// means 4096. It panics on a negative n. Give its Observer to one kernel.
func NewRecorder(n int) *Recorder {
	if n < 0 {
		panic(fmt.Sprintf("trace: NewRecorder(%d); want 0 for the default of %d, or more", n, defaultSize))
	}
	if n == 0 {
		n = defaultSize
	}
	r := &Recorder{size: n}
	r.noted.rec = r
	r.ring.keep = 2 * n // a record may need a second slot for its end
	for range r.ring.keep/chunkSize + 2 {
		r.ring.free = append(r.ring.free, new(chunk))
	}
	return r
}

// Observer is what feeds the recorder: kernel.Config.Observer, alone or with
// others through kernel.Observers.
func (r *Recorder) Observer() *kernel.Observer {
	return &kernel.Observer{
		Journal: func(start time.Time) kernel.Journal {
			r.start.Store(&start)
			return &journal{rec: r}
		},
		Unhandled: func(e kernel.Record) {
			r.note(slot{kind: Unhandled, cause: e.Seq, name: e.Event, from: e.From, to: e.To, via: e.Via}, note{})
		},
		Dropped: func(e kernel.Record, why kernel.Reason) {
			r.note(slot{kind: Dropped, seq: e.Seq, cause: e.Cause, name: e.Event, from: e.From, to: e.To, via: e.Via}, note{detail: string(why)})
		},
		Timer: func(t kernel.TimerRecord) {
			if t.Op != kernel.TimerSet {
				r.note(slot{kind: Timer, cause: t.Cause, name: t.Event, from: t.Session, to: t.Session}, note{detail: string(t.Op)})
			}
		},
		Held:     r.names.Held,
		Stopping: r.stopping,
		Stopped:  r.names.Stopped,
		Signal: func(s kernel.SignalRecord) {
			if s.Op == kernel.SignalVerdict {
				r.note(slot{kind: Signal, cause: s.Cause, name: s.Name, from: s.By, to: s.To}, note{detail: verdict(s)})
			}
		},
		Restarted: func(s kernel.Address, x *kernel.Exception) {
			r.note(slot{kind: Restarts, cause: x.Seq, name: x.Event, to: s}, note{err: x})
		},
		Refused: func(f kernel.RefusalRecord) {
			r.note(slot{kind: Refused, cause: f.Cause, name: f.Method, to: f.Session}, note{err: f.Err})
		},
		Reported: func(component, cause string, err error) {
			r.note(slot{kind: Reported, name: component}, note{detail: cause, err: err})
		},
	}
}

// note writes a record that is not of a handler. Those that follow it on any
// goroutine know that they do.
func (r *Recorder) note(what slot, more note) {
	r.noteMu.Lock()
	defer r.noteMu.Unlock()
	s := r.noted.slot()
	*s = what
	s.note, s.order = &more, r.notes.Load()+1
	r.noted.publish(s)
	r.notes.Add(1)
}

func (r *Recorder) stopping(s kernel.StopRecord) {
	r.names.Stopping(s)
	why := string(s.Reason)
	if s.Signal != "" {
		why += " " + s.Signal
	}
	r.note(slot{kind: Stops, cause: s.Cause, to: s.Session}, note{detail: why, who: r.names.Of(s.Session)})
}

func verdict(s kernel.SignalRecord) string {
	text := "nobody handles it"
	if s.Handled {
		text = "handled"
	}
	if s.Stops > 0 {
		text += fmt.Sprintf(", it stops %d", s.Stops)
	}
	return text
}
