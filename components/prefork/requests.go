//go:build unix

package prefork

import (
	"net"
	"sync"
	"time"

	"github.com/usher-go/usher/kernel"
)

// requests is how a worker counts whose connections carry requests, one after the
// other or at once.
type requests struct {
	mu       sync.Mutex // guards the state on the scoreboard, too
	counted  bool       // ServeRequests
	running  map[uint64]string
	begun    uint64
	shown    uint64 // which of them the scoreboard shows
	draining bool
	drain    kernel.Event[struct{}]
	told     bool // drain was posted
}

// ServeRequests is Serve for a protocol whose connections outlive a request, such
// as HTTP. The worker is busy while a request runs, not while a connection is open
// (P14, P16), and Config.MaxRequests counts requests (P20): tell it by
// RequestBegan and RequestEnded. When it drains, and has handed over the last
// connection, drain is posted to the same session, which then has to see to it that
// all connections end.
func (w *Worker) ServeRequests(to kernel.Address, conn kernel.Event[net.Conn], drain kernel.Event[struct{}]) {
	w.Serve(to, conn)
	w.requests.counted, w.requests.drain = true, drain
}

// RequestBegan says that a request runs, and what it is: the scoreboard shows that of
// one that runs, cut to 48 bytes. It may be called from any goroutine.
func (w *Worker) RequestBegan(what string) (id uint64) {
	r := &w.requests
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.running == nil {
		r.running = map[uint64]string{}
	}
	r.begun++
	r.running[r.begun] = what
	if len(r.running) == 1 {
		r.shown = r.begun
		w.estate.seat.say(what)
		if !r.draining {
			w.estate.seat.set(StateBusy, time.Now())
		}
	}
	return r.begun
}

// RequestEnded says that it is over, from any goroutine. After Config.MaxRequests of
// them the worker retires.
func (w *Worker) RequestEnded(id uint64) {
	r := &w.requests
	r.mu.Lock()
	defer r.mu.Unlock()
	n := w.estate.seat.request()
	delete(r.running, id)
	if r.shown == id {
		w.showAnother()
	}
	if m := w.cfg.MaxRequests; m != Unlimited && n == uint64(m) {
		w.Retire()
	}
}

// showAnother shows any other request that runs.
func (w *Worker) showAnother() {
	r := &w.requests
	for id, what := range r.running {
		r.shown = id
		w.estate.seat.say(what)
		return
	}
	w.estate.seat.say("")
	if !r.draining {
		w.estate.seat.set(StateIdle, time.Now())
	}
}

// Retire has the worker finish what it has, leave, and be replaced if it is needed,
// as if the master had asked for it. It may be called from any goroutine.
func (w *Worker) Retire() { _ = w.lease.Post(evRetire.Name(), struct{}{}) }

// Pause has the worker accept no more connections until Pause(false), but for one on each
// listener that it was about to accept; the others serve who comes. It counts as idle meanwhile (P26). It may be called from any
// goroutine.
func (w *Worker) Pause(on bool) { _ = w.lease.Post(evPause.Name(), on) }

func (w *Worker) pause(_ *kernel.Context, on bool) error {
	w.paused = on
	w.openOrPause()
	return nil
}

// openOrPause has the doors accept, unless there is no room or nobody is wanted.
func (w *Worker) openOrPause() {
	if w.draining {
		return
	}
	for _, d := range w.doors {
		if w.paused || w.full() {
			d.PauseAccept()
		} else {
			d.ResumeAccept()
		}
	}
}

// show puts a state on the scoreboard that follows from the number of connections.
func (w *Worker) show(s State) {
	if !w.requests.counted {
		w.estate.seat.set(s, time.Now())
	}
}

// finishing puts it there that the worker drains, for good.
func (w *Worker) finishing() {
	r := &w.requests
	r.mu.Lock()
	defer r.mu.Unlock()
	r.draining = true
	w.estate.seat.set(StateDraining, time.Now())
}

// allHandedOver tells a Listener, or once a server of requests, that no connection will
// follow.
func (w *Worker) allHandedOver(c *kernel.Context) {
	if w.gate != nil {
		w.gate.Shut()
	}
	r := &w.requests
	if r.counted && !r.told {
		r.told = true
		_ = r.drain.Post(c, w.server, struct{}{}) // one that has ended needs no word
	}
}
